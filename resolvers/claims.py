"""Handing builds to workers, and hearing that they are still at it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from resolvers.announcements import announce
from resolvers.drafts import validated
from resolvers.errors import BadInput, NotFound
from resolvers.leases import lease_token, lost
from storage import attempts, builds, leases, queue, runs, workers
from storage.build_rows import AttemptRow, BuildRow
from storage.build_tables import WorkerFields
from storage.columns import MAX_TITLE, is_storable
from storage.database import Connection, Database
from storage.transitions import BuildStatus

MOST_CLAIMS: Final = 100
LONGEST_LEASE: Final = timedelta(days=1)

# A worker is taken for gone after five minutes, so that this is often enough to note that it is there.
_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """What a worker asks for."""

    worker: str
    limit: int = 1
    lease_seconds: int = 60
    labels: Mapping[str, str] = field(default_factory=dict)
    """What it offers."""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A build that a worker holds, and the token that says so."""

    build: BuildRow
    lease: str


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker learns of a build that it holds."""

    lease_expires_at: datetime
    cancel_requested: bool


def claim(database: Database, request: ClaimRequest, *, now: datetime) -> list[Claim]:
    """Give a worker the most urgent builds that it can do, each to nobody else; fewer than `limit` when there are fewer.

    The same request again is answered with the same builds, as they are by then. Raises BadInput. Where there is
    nothing to do, nothing is written.
    """
    worker = validated(lambda: WorkerFields(name=request.worker, labels=dict(request.labels)))
    _check(request)
    with database.glance() as connection:
        if _finds_nothing(connection, worker, request, now):
            return []
    return database.write(
        lambda connection: _claim(connection, worker, request, now), of_catalogue=False
    ).value


def heartbeat(database: Database, build_id: int, lease: str, *, lease_seconds: int, now: datetime) -> Beat:
    """Have a lease run out `lease_seconds` from now, and tell whether the build is to end.

    One that is to end keeps the lease that it had. Raises NotFound, LeaseLost and BadInput.
    """
    until = now + _span(lease_seconds)
    token = lease_token(lease)

    def operation(connection: Connection) -> Beat:
        if leases.extend(connection, build_id, token, until=until, now=now):
            workers.note(connection, build_id, now=now, unless_since=now - _NOTED_EVERY)
            return Beat(until, cancel_requested=False)
        return _ending(connection, build_id, token)

    return database.write(operation, of_catalogue=False).value


def _check(request: ClaimRequest) -> None:
    if not 1 <= request.limit <= MOST_CLAIMS:
        raise BadInput(f"must be between 1 and {MOST_CLAIMS}, not {request.limit}", path=("limit",))
    _span(request.lease_seconds)
    request_id = request.request_id
    if request_id is not None and not (1 <= len(request_id) <= MAX_TITLE and is_storable(request_id)):
        raise BadInput(f"must have 1 to {MAX_TITLE} characters", path=("requestId",))


def _span(lease_seconds: int) -> timedelta:
    longest = int(LONGEST_LEASE.total_seconds())
    if not 1 <= lease_seconds <= longest:
        raise BadInput(f"must be between 1 and {longest}, not {lease_seconds}", path=("leaseSeconds",))
    return timedelta(seconds=lease_seconds)


def _finds_nothing(
    connection: Connection, worker: WorkerFields, request: ClaimRequest, now: datetime
) -> bool:
    """Whether the answer is nothing, and nothing new of the worker is to be noted: most who ask wait for work."""
    if queue.is_any_ready(connection, _suitable(connection, worker), now=now):
        return False
    known = workers.by_names(connection, [worker.name]).get(worker.name)
    if known is None or known.labels != worker.labels or known.last_seen_at < now - _NOTED_EVERY:
        return False
    return not _earlier(connection, request)


def _earlier(connection: Connection, request: ClaimRequest) -> list[AttemptRow]:
    if request.request_id is None:
        return []
    return attempts.of_request(connection, request.worker, request.request_id)


def _suitable(connection: Connection, worker: WorkerFields) -> Iterator[dict[str, str]]:
    """Yield what builds want of a worker, as far as this one offers all of it."""
    return (wanted for wanted in runs.wanted_labels(connection) if wanted.items() <= worker.labels.items())


def _claim(connection: Connection, worker: WorkerFields, request: ClaimRequest, now: datetime) -> list[Claim]:
    # First of all: of two that repeat one request at once, one has to wait for the other here.
    workers.seen(connection, worker, now=now)
    earlier = _earlier(connection, request)
    if earlier:
        rows = builds.by_ids(connection, [attempt.build_id for attempt in earlier])
        return [Claim(rows[attempt.build_id], str(attempt.lease_token)) for attempt in earlier]
    ready = queue.ready(connection, _suitable(connection, worker), limit=request.limit, now=now)
    if not ready:
        return []
    expires = now + _span(request.lease_seconds)
    assigned = queue.assign(connection, ready, worker.name, expires=expires, now=now)
    claimed = [assigned[build_id] for build_id in ready if build_id in assigned]
    attempts.insert(connection, _attempts(claimed, worker.name, request.request_id))
    announce(connection, [build.id for build in claimed], now=now)
    return [Claim(build, str(build.lease_token)) for build in claimed]


def _attempts(claimed: Iterable[BuildRow], worker: str, request_id: str | None) -> Iterator[AttemptRow]:
    for build in claimed:
        yield AttemptRow(build.id, build.attempt, worker, build.lease_token, request_id=request_id)


def _ending(connection: Connection, build_id: int, token: int) -> Beat:
    """Tell of a build whose lease is extended no more, if it is held at all."""
    build = builds.by_ids(connection, [build_id]).get(build_id)
    if build is None:
        raise NotFound("build of this id", path=("build",))
    if build.lease_token == token and build.status is BuildStatus.CANCELING and build.lease_expires_at:
        return Beat(build.lease_expires_at, cancel_requested=True)
    raise lost(connection, build, token)
