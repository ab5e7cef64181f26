"""Import and export as the command line does them: files in and out, with progress."""

import gzip
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import zstandard
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from buildatlas.errors import UnwritableFile
from buildatlas.files import open_lines, size_of
from buildatlas.wording import counted
from resolvers.lines import MAX_LINE_BYTES
from resolvers.measurements import IMPORT, IMPORTED
from resolvers.measuring import SILENT, Measurer
from resolvers.rollups import flush
from resolvers.transfer import Imported, OnError, export_catalogue, import_catalogue
from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

# Of the bad lines of one file; --json has them all.
_MOST_SHOWN: Final = 20


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
            _say(err, f"{self.file}:{error.line}: {error.message}")
        if len(failed) > _MOST_SHOWN:
            more = counted(len(failed) - _MOST_SHOWN, "bad line")
            _say(err, f"{self.file}: … and {more} more; --json has them all")
        out.print(f"{self.file}: {self._outcome()}", markup=False, highlight=False, soft_wrap=True)

    def _outcome(self) -> str:
        done = self.imported
        if self.is_refused:
            line = self.imported.failed[0].line
            return f"nothing was written because of line {line}; --on-error skip leaves bad lines out"
        skipped = f", {counted(len(done.failed), 'bad line')} skipped" if done.failed else ""
        if not (done.packages or done.versions or done.updated):
            said = f"{counted(done.unchanged, 'line')} of what is there already"
            return f"nothing new: {said}{skipped} ({self.seconds:.1f} s)"
        updated = f", {counted(done.updated, 'package')} updated" if done.updated else ""
        return (
            f"{counted(done.versions, 'version')} and {counted(done.packages, 'package')} new{updated}, "
            f"{counted(done.unchanged, 'line')} unchanged{skipped} ({self.seconds:.1f} s)"
        )


def _say(console: Console, line: str) -> None:
    """Print a line as it is: what looks for file and line number must find them in one piece."""
    console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)


def import_files(
    database: Database,
    files: Sequence[str],
    *,
    on_error: OnError,
    console: Console,
    measurer: Measurer = SILENT,
) -> list[Report]:
    """Import files one after the other until one is refused, and report on each that was begun."""
    reports: list[Report] = []
    with _progress(console) as progress, _written_in_the_end(measurer, database):
        for file in files:
            with measurer.timing(IMPORT):
                reports.append(_import_file(database, file, on_error, progress))
            measurer.record(IMPORTED, reports[-1].imported.versions)
            if reports[-1].is_refused:
                break
    return reports


@contextmanager
def _written_in_the_end(measurer: Measurer, database: Database) -> Iterator[None]:
    try:
        yield
    finally:
        try:
            flush(measurer, database)
        except StorageError as error:
            # What was imported is.
            log.warning("how long it took is not recorded: %s", error)


def _progress(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[lines]:,} lines"),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


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


def export_file(database: Database, output: Path | None) -> int:
    """Write the catalogue to standard output, or to a file that is there only once it is complete.

    A name that ends in .gz or .zst has the file packed that way. Returns the number of lines. Raises UnwritableFile.
    """
    if output is None:
        return _write(sys.stdout.buffer, database)
    partial = output.with_name(f"{output.name}.part")
    try:
        with partial.open("wb") as file, _packed(file, output.suffix) as packed:
            lines = _write(packed, database)
        partial.replace(output)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UnwritableFile(str(output), str(error.strerror)) from error
    return lines


@contextmanager
def _packed(file: BinaryIO, suffix: str) -> Iterator["_Sink"]:
    if suffix == ".gz":
        # Without the time and the name in it, equal catalogues give equal files.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
            yield packed
    elif suffix == ".zst":
        with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as writer:
            yield writer
    else:
        yield file


class _Sink(Protocol):
    def write(self, line: bytes, /) -> object: ...

    def flush(self) -> object: ...


def _write(file: _Sink, database: Database) -> int:
    lines = 0
    for line in export_catalogue(database):
        file.write(line)
        file.write(b"\n")
        lines += 1
    file.flush()
    return lines
