"""Backups as the command line makes and restores them."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from buildatlas.wording import counted
from storage import backup
from storage.backup import Copied
from storage.database import Database

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def back_up(database: Database, file: Path, *, force: bool) -> dict[str, Any]:
    """Write a backup to `file`, and return what it holds. Raises what storage does."""
    started = time.monotonic()
    copied = backup.back_up(database, file, force=force)
    return _report(copied, file, database.location, started)


def restore(file: Path, database_url: str) -> dict[str, Any]:
    """Fill a database from `file`, and return what it holds then. Raises what storage does."""
    started = time.monotonic()
    copied = backup.restore(file, database_url)
    return _report(copied, file, copied.location, started)


def _report(copied: Copied, file: Path, location: str, started: float) -> dict[str, Any]:
    return {
        "file": str(file),
        "database": location,
        "revision": copied.revision,
        "rows": copied.rows,
        "totalRows": copied.total_rows,
        "bytes": copied.bytes,
        "seconds": time.monotonic() - started,
    }


def show_backup(console: Console, report: Mapping[str, Any]) -> None:
    """Print what was written."""
    _print(console, f"{report['file']}: {_said(report)}, {_size(report['bytes'])}, verified {_took(report)}")


def show_restore(console: Console, report: Mapping[str, Any]) -> None:
    """Print what was restored."""
    _print(
        console,
        f"{report['database']}: {_said(report)} restored from {report['file']}, verified {_took(report)}",
    )


def _said(report: Mapping[str, Any]) -> str:
    return f"{counted(report['totalRows'], 'row')} of {counted(len(report['rows']), 'table')}"


def _took(report: Mapping[str, Any]) -> str:
    return f"({report['seconds']:.1f} s)"


def _size(size: float) -> str:
    unit = 0
    while size >= 1000 and unit + 1 < len(_UNITS):
        size /= 1000
        unit += 1
    return f"{size:,.0f} {_UNITS[unit]}"


def _print(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
