"""Import and export as the command line does them: files in and out, with progress."""

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from buildatlas.files import open_lines, size_of
from resolvers.lines import MAX_LINE_BYTES
from resolvers.transfer import Imported, OnError, export_catalogue, import_catalogue
from storage.database import Database

# Of the bad lines of one file; --json has them all.
_MOST_SHOWN: Final = 20


class UnwritableFile(Exception):
    """A file cannot be written."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: cannot be written: {self.problem}"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one file."""

    file: str
    imported: Imported
    seconds: float
    is_refused: bool
    """Nothing of it was written, because of a bad line."""

    def as_json(self) -> dict[str, Any]:
        """Return everything about it as plain values."""
        return {
            "file": self.file,
            "refused": self.is_refused,
            "seconds": self.seconds,
            **asdict(self.imported),
        }

    def show(self, out: Console, err: Console) -> None:
        """Print what was done, and each bad line with its reason."""
        failed = self.imported.failed
        for error in failed[:_MOST_SHOWN]:
            err.print(
                f"{self.file}:{error.line}: {error.message}", style="yellow", markup=False, highlight=False
            )
        if len(failed) > _MOST_SHOWN:
            err.print(f"{self.file}: … and {len(failed) - _MOST_SHOWN:,} bad lines more", style="yellow")
        out.print(f"{self.file}: {self._outcome()}", markup=False, highlight=False, soft_wrap=True)

    def _outcome(self) -> str:
        done = self.imported
        if self.is_refused:
            return "nothing was written because of this line; --on-error skip leaves bad lines out"
        skipped = f", {len(done.failed):,} bad lines skipped" if done.failed else ""
        if not (done.packages or done.versions or done.updated):
            return f"nothing new: {done.unchanged:,} lines say what is there already{skipped} ({self.seconds:.1f} s)"
        updated = f", {done.updated:,} packages updated" if done.updated else ""
        return (
            f"{done.versions:,} versions and {done.packages:,} packages new{updated}, "
            f"{done.unchanged:,} lines unchanged{skipped} ({self.seconds:.1f} s)"
        )


def import_files(
    database: Database, files: Sequence[str], *, on_error: OnError, console: Console
) -> list[Report]:
    """Import files one after the other until one is refused, and report on each that was begun."""
    reports: list[Report] = []
    with _progress(console) as progress:
        for file in files:
            reports.append(_import_file(database, file, on_error, progress))
            if reports[-1].is_refused:
                break
    return reports


def _progress(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[lines]:,} lines"),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True)


def _import_file(database: Database, file: str, on_error: OnError, progress: Progress) -> Report:
    started = datetime.now(UTC)
    task = progress.add_task(Path(file).name, total=size_of(file), lines=0)
    advance: Callable[[int], None] = lambda done: progress.update(task, completed=done)  # noqa: E731
    with open_lines(file, max_line=MAX_LINE_BYTES, progress=advance) as lines:
        imported = import_catalogue(
            database,
            lines,
            on_error=on_error,
            now=started,
            progress=lambda count: progress.update(task, lines=count),
        )
    seconds = (datetime.now(UTC) - started).total_seconds()
    return Report(file, imported, seconds, bool(imported.failed) and on_error is OnError.STOP)


def export_file(database: Database, output: Path | None) -> None:
    """Write the catalogue to standard output, or to a file that is there only once it is complete.

    Raises UnwritableFile.
    """
    if output is None:
        _write(sys.stdout.buffer, export_catalogue(database))
        return
    partial = output.with_name(f"{output.name}.part")
    try:
        with partial.open("wb") as file:
            _write(file, export_catalogue(database))
        partial.replace(output)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UnwritableFile(str(output), str(error.strerror)) from error


def _write(file: BinaryIO, lines: Iterable[bytes]) -> None:
    for line in lines:
        file.write(line)
        file.write(b"\n")
    file.flush()
