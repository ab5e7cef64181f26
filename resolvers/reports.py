"""What workers say of their builds: how far they are, how they ended, what they produced and printed."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from resolvers import build_failures
from resolvers.build_failures import EndedAttempt
from resolvers.drafts import validated
from resolvers.errors import BadInput, LimitExceeded
from resolvers.leases import lease_token, lost
from resolvers.policy import Policy
from resolvers.scheduling import Course
from resolvers.subjects import BuildChange, existing, subject_of
from storage import artifacts, attempts, builds, logs
from storage.build_rows import AttemptRow, BuildRow
from storage.build_tables import ArtifactFields, LogFields, ReportFields
from storage.columns import MAX_LOG
from storage.database import Connection, Database
from storage.transitions import (
    BUILD_MOVES,
    LEASED,
    RELEASING,
    BuildConclusion,
    BuildStatus,
    illegal,
)

REPORTED: Final = (
    BuildConclusion.SUCCESS,
    BuildConclusion.FAILURE,
    BuildConclusion.TIMED_OUT,
    BuildConclusion.INFRA_ERROR,
    BuildConclusion.CANCELED,
    BuildConclusion.SKIPPED,
)
"""How a worker may say that a build ended. The others are the scheduler's to say."""

_STATES: Final = (
    BuildStatus.PREPARING,
    BuildStatus.RUNNING,
    BuildStatus.FINALIZING,
    BuildStatus.COMPLETED,
)
"""Where a worker may say that a build is."""

MOST_ARTIFACTS: Final = 1_000
MOST_LINES: Final = 10_000
LONGEST_LINE: Final = 100_000

# Of a fingerprint; enough to tell the few reports of one attempt from each other.
_FINGERPRINT_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class ArtifactRequest:
    """Something that a build produced."""

    name: str
    uri: str
    digest: str | None = None
    size_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a worker says of a build that it holds."""

    build_id: int
    lease: str
    status: BuildStatus
    conclusion: BuildConclusion | None = None
    message: str | None = None
    artifacts: tuple[ArtifactRequest, ...] = ()
    output_digest: str | None = None

    def fingerprint(self) -> str:
        """Return a text that identical reports share."""
        said = (
            self.status,
            self.conclusion,
            self.message,
            [(each.name, each.uri, each.digest, each.size_bytes) for each in self.artifacts],
            self.output_digest,
        )
        digest = hashlib.blake2b(msgspec.json.encode(said), digest_size=_FINGERPRINT_BYTES).hexdigest()
        return f"{self.status}:{digest} "


@dataclass(frozen=True, slots=True)
class LogRequest:
    """Lines that a build has printed; `first_line` numbers the first of them within this attempt, from 0."""

    build_id: int
    lease: str
    first_line: int
    lines: tuple[str, ...]


def report(
    database: Database, request: ReportRequest, *, policy: Policy, jitter: float, now: datetime
) -> BuildChange:
    """Take in what a worker reports. An identical report changes nothing, even when the build has ended by the first.

    An INFRA_ERROR with attempts left queues the build again, after the back-off of `policy`; `jitter`, from 0 to 1,
    spreads that. Raises NotFound, LeaseLost, IllegalTransition and BadInput.
    """
    fields, produced = _checked(request)
    token = lease_token(request.lease)

    def operation(connection: Connection) -> BuildRow:
        build = existing(connection, request.build_id, argument="build")
        attempt = attempts.of_lease(connection, build.id, token)
        if attempt is not None and _is_repeated(build, attempt, request):
            return build
        if attempt is None or not _is_held(build, token):
            raise _refusal(connection, build, attempt, request)
        if request.status not in BUILD_MOVES[build.status]:
            raise _illegal(connection, build, request.status)
        attempts.note_report(connection, build.id, attempt.number, request.fingerprint())
        artifacts.put(connection, build.id, attempt.number, produced)
        course = Course(connection, now, attempt.worker)
        if request.status is BuildStatus.COMPLETED:
            _end(course, build, attempt, request, fields, policy.backoff(attempt.number, jitter=jitter))
        else:
            _go_on(course, build, attempt, request.status, fields)
        course.finish()
        if request.status is BuildStatus.COMPLETED:
            ended = EndedAttempt(build, _conclusion(build, request), fields.message)
            build_failures.record(connection, [ended], now=now)
        return builds.by_ids(connection, [build.id])[build.id]

    written = database.write(operation, of_catalogue=False)
    return BuildChange(written.value, written.cursor)


def append_log(database: Database, request: LogRequest, *, policy: Policy, now: datetime) -> BuildChange:
    """Store lines that follow those that are there; lines already stored are ignored.

    Of an attempt no more is kept than `policy` says, with a last line that tells so. Raises NotFound, LeaseLost,
    LimitExceeded, and BadInput, also for lines that do not follow.
    """
    lines = _checked_lines(request)
    token = lease_token(request.lease)

    def operation(connection: Connection) -> BuildRow:
        build = existing(connection, request.build_id, argument="build")
        attempt = attempts.of_lease(connection, build.id, token)
        if attempt is None:
            raise lost(connection, build, token)
        if attempt.log_size > policy.log_limit:
            return build
        stored = logs.length(connection, build.id, attempt.number)
        if request.first_line > stored:
            problem = f"is {request.first_line}, and the next line of this attempt is {stored}"
            raise BadInput(problem, path=("firstLine",))
        fresh = lines[stored - request.first_line :]
        if fresh:
            if not _is_held(build, token):
                raise lost(connection, build, token)
            _append(connection, attempt, stored, fresh, policy.log_limit, now)
        return build

    written = database.write(operation, of_catalogue=False)
    return BuildChange(written.value, written.cursor)


def _checked(request: ReportRequest) -> tuple[ReportFields, list[ArtifactFields]]:
    if request.status not in _STATES:
        raise BadInput(f"must be one of {', '.join(_STATES)}", path=("status",))
    is_end = request.status is BuildStatus.COMPLETED
    if is_end and request.conclusion not in REPORTED:
        raise BadInput(f"must be one of {', '.join(REPORTED)}", path=("conclusion",))
    if not is_end and (request.conclusion is not None or request.output_digest is not None):
        raise BadInput(
            "a build has a conclusion and an output once it is COMPLETED",
            path=("conclusion" if request.conclusion else "outputDigest",),
        )
    if len(request.artifacts) > MOST_ARTIFACTS:
        raise LimitExceeded(
            "artifacts", given=len(request.artifacts), limit=MOST_ARTIFACTS, path=("artifacts",)
        )
    fields = validated(lambda: ReportFields(output_digest=request.output_digest, message=request.message))
    return fields, [_artifact(index, each) for index, each in enumerate(request.artifacts)]


def _artifact(index: int, given: ArtifactRequest) -> ArtifactFields:
    size = given.size_bytes
    if size is not None and not (math.isfinite(size) and size >= 0 and size == math.floor(size)):
        raise BadInput("must be a whole number", path=("artifacts", str(index), "sizeBytes"))
    try:
        return validated(
            lambda: ArtifactFields(
                name=given.name,
                uri=given.uri,
                digest=given.digest,
                size_bytes=None if size is None else int(size),
            )
        )
    except BadInput as error:
        raise BadInput(error.problem, path=("artifacts", str(index), *error.path)) from error


def _is_held(build: BuildRow, token: int) -> bool:
    return build.lease_token == token and build.status in LEASED


def _is_repeated(build: BuildRow, attempt: AttemptRow, request: ReportRequest) -> bool:
    """Whether this was said before; who is to stop must not take an old answer for leave to go on."""
    is_answered = request.status is BuildStatus.COMPLETED or _is_held(build, attempt.lease_token)
    return is_answered and request.fingerprint() in attempt.reports


def _refusal(
    connection: Connection, build: BuildRow, attempt: AttemptRow | None, request: ReportRequest
) -> Exception:
    """Return why a report that its worker may not make is refused."""
    token = lease_token(request.lease)
    is_last = build.lease_token == token and build.status is BuildStatus.COMPLETED
    if is_last and attempt is not None and f"{BuildStatus.COMPLETED}:" in attempt.reports:
        return _illegal(connection, build, request.status)
    return lost(connection, build, token)


def _illegal(connection: Connection, build: BuildRow, target: BuildStatus) -> Exception:
    return illegal(BUILD_MOVES, subject_of(connection, build.id), origin=build.status, target=target)


def _go_on(
    course: Course, build: BuildRow, attempt: AttemptRow, target: BuildStatus, fields: ReportFields
) -> None:
    now = course.moment()
    builds.move(
        course.connection,
        build.id,
        target,
        report=fields,
        lease_token=attempt.lease_token,
        actor=course.actor,
        now=now,
    )
    if target is BuildStatus.RUNNING:
        attempts.start(course.connection, build.id, attempt.number, now=now)
    course.moved([build.id])


def _end(
    course: Course,
    build: BuildRow,
    attempt: AttemptRow,
    request: ReportRequest,
    fields: ReportFields,
    backoff: timedelta,
) -> None:
    conclusion = _conclusion(build, request)
    now = course.moment()
    attempts.finish(
        course.connection,
        build.id,
        attempt.number,
        conclusion=conclusion,
        message=fields.message,
        now=now,
    )
    if conclusion is BuildConclusion.INFRA_ERROR and build.attempt < build.max_attempts:
        reason = f"attempt {attempt.number} met an error that is not the package's"
        course.give_back(build, reason, report=fields, not_before=now + backoff)
    else:
        course.end(build, conclusion, report=fields)


def _conclusion(build: BuildRow, request: ReportRequest) -> BuildConclusion:
    """Return how a build ends. What was canceled has not failed, but what is done by then is done."""
    assert request.conclusion is not None  # which was checked
    if build.status is BuildStatus.CANCELING and request.conclusion not in RELEASING:
        return BuildConclusion.CANCELED
    return request.conclusion


def _checked_lines(request: LogRequest) -> list[str]:
    if request.first_line < 0:
        raise BadInput(f"must be 0 or more, not {request.first_line}", path=("firstLine",))
    if len(request.lines) > MOST_LINES:
        raise LimitExceeded("lines", given=len(request.lines), limit=MOST_LINES, path=("lines",))
    for index, line in enumerate(request.lines):
        if "\n" in line:
            raise BadInput("a line holds no line break", path=("lines", str(index)))
        if len(line) > LONGEST_LINE:
            problem = f"a line of {len(line):,} characters, and at most {LONGEST_LINE:,} are kept: cut it"
            raise BadInput(problem, path=("lines", str(index)))
    return [_storable(line) for line in request.lines]


def _storable(line: str) -> str:
    """Return a line without what no database can hold: whatever a program prints is to be seen as far as it can."""
    return line.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _append(
    connection: Connection,
    attempt: AttemptRow,
    first_line: int,
    lines: Sequence[str],
    limit: int,
    now: datetime,
) -> None:
    size = attempt.log_size
    kept: list[str] = []
    for line in lines:
        size += len(line) + 1
        if size > limit:
            kept.append(f"… the log is cut here: no more than {limit:,} characters of it are kept")
            break
        kept.append(line)
    logs.append(connection, attempt.build_id, attempt.number, _batches(first_line, kept), now=now)
    attempts.note_log(connection, attempt.build_id, attempt.number, size)


def _batches(first_line: int, lines: Iterable[str]) -> Iterator[LogFields]:
    """Yield lines in rows, of which each holds some."""
    batch: list[str] = []
    size = 0
    for line in lines:
        if batch and size + len(line) + 1 > MAX_LOG:
            yield LogFields(first_line=first_line, line_count=len(batch), text="\n".join(batch))
            first_line += len(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield LogFields(first_line=first_line, line_count=len(batch), text="\n".join(batch))
