"""Errors that nobody expects, on their way into the database: whatever is logged with a traceback is noted here too.

Each such error is logged once, where it is met, so that is where it is counted. Nothing is written before the next flush.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from buildatlas.observability import request_id
from resolvers.failures import FailureLog, failure, message_of, place_of
from resolvers.measurements import ERRORS
from resolvers.measuring import SILENT, Measurer
from schema.enums import ErrorCode
from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

# By the logger that tells of it; what others tell of is named for the first part of theirs.
COMPONENTS: Final[Mapping[str, str]] = {
    "schema.codes": "api",
    "buildatlas.middleware": "http",
    "uvicorn.error": "http",
    "buildatlas.chores": "chores",
}


class ErrorRecorder(logging.Handler):
    """Notes records of errors that have a traceback."""

    def __init__(self, failures: FailureLog, measurer: Measurer, *, clock: Callable[[], datetime]) -> None:
        super().__init__(logging.ERROR)
        self._failures = failures
        self._measurer = measurer
        self._clock = clock

    def emit(self, record: logging.LogRecord) -> None:
        """Note one record. It must not fail, whatever is wrong with what is logged."""
        error = record.exc_info[1] if record.exc_info else None
        # What cannot be written is what the database is away for; it is no fault of ours.
        if error is None or isinstance(error, StorageError) or record.name == __name__:
            return
        try:
            facts = vars(record)
            noted = failure(
                ErrorCode.INTERNAL_SERVER_ERROR.name,
                COMPONENTS.get(record.name, record.name.partition(".")[0]),
                message_of(error),
                text=_FORMATTER.formatException((type(error), error, error.__traceback__)),
                place=place_of(error.__traceback__),
                request=facts.get("request_id") or request_id.get(),
                at=facts.get("path"),
            )
            self._failures.note(noted, now=self._clock())
            self._measurer.record(ERRORS, 1, component=noted.component)
        except Exception:
            self.handleError(record)


_FORMATTER: Final = logging.Formatter()


@contextmanager
def recording_errors(failures: FailureLog, database: Database, measurer: Measurer = SILENT) -> Iterator[None]:
    """Note the errors of this process for as long as the block runs, and write the last of them at its end."""
    recorder = ErrorRecorder(failures, measurer, clock=lambda: datetime.now(UTC))
    root = logging.getLogger()
    root.addHandler(recorder)
    try:
        yield
    finally:
        root.removeHandler(recorder)
        flush(failures, database)


def flush(failures: FailureLog, database: Database) -> None:
    """Write what has been noted, or have it wait for the next time."""
    try:
        failures.write(database)
    except StorageError as error:
        log.warning("errors are not written: %s", error)
    except Exception:
        # An error that cannot be kept is in the log all the same.
        log.exception("writing errors has failed")
