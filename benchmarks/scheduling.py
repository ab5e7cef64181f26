"""`python -m benchmarks.scheduling`: how fast builds are handed out and finished, by one, four and sixteen workers at once.

Each worker is a thread that claims a build, or reports one, waits for the answer, and goes on: the use cases themselves,
without HTTP. Both databases flush their disk at each commit, as they do anywhere.
"""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Final

from benchmarks.machine import databases
from resolvers.claims import Claim, ClaimRequest, claim
from resolvers.policy import DEFAULT_POLICY
from resolvers.reports import ReportRequest, report
from resolvers.scheduling import Course
from storage import builds, packages, runs, versions, waits
from storage.build_rows import BuildRow
from storage.build_tables import BuildTrigger, RunFields
from storage.database import Connection, Database
from storage.tables import PackageFields, VersionFields
from storage.transitions import BuildConclusion, BuildStatus

_WORKERS: Final = (1, 4, 16)
_BUILDS: Final = 3_200
_DEPENDENTS: Final = 1_000


def _now() -> datetime:
    return datetime.now(UTC)


def _add_builds(database: Database, count: int, *, wait_for_first: bool = False) -> list[int]:
    """Write a run of so many builds, all of them queued, or all but the first waiting for that."""

    def operation(connection: Connection) -> list[int]:
        now = _now()
        run_id = next(runs.ids(connection))
        package_ids = [id_ for id_, _ in zip(packages.ids(connection), range(count), strict=False)]
        version_ids = [id_ for id_, _ in zip(versions.ids(connection), range(count), strict=False)]
        ids = [id_ for id_, _ in zip(builds.ids(connection), range(count), strict=False)]
        packages.insert(connection, ((id_, PackageFields(name=f"p{id_}")) for id_ in package_ids), now=now)
        version = VersionFields(version="1", sort_key=b"1", is_prerelease=False)
        owned = zip(version_ids, package_ids, strict=True)
        versions.insert(connection, ((id_, owner, version) for id_, owner in owned), now=now)
        runs.insert(connection, run_id, RunFields(), now=now)
        rows = [
            BuildRow(
                id=id_,
                run_id=run_id,
                package_id=package_id,
                version_id=version_id,
                status=BuildStatus.BLOCKED if wait_for_first and id_ != ids[0] else BuildStatus.QUEUED,
                trigger=BuildTrigger.MANUAL,
                created_at=now,
                updated_at=now,
                waiting_for=int(wait_for_first and id_ != ids[0]),
            )
            for id_, package_id, version_id in zip(ids, package_ids, version_ids, strict=True)
        ]
        builds.insert(connection, rows)
        if wait_for_first:
            waits.insert(connection, ((id_, ids[0]) for id_ in ids[1:]))
        Course(connection, now).finish()
        return ids

    return database.write(operation).value


def _timed(crowd: int, count: int, act: Callable[[int], None]) -> tuple[float, list[float]]:
    """Have a crowd of workers act so often in all, and return how long it took, and each of them."""
    taken: list[float] = []

    def work(worker: int) -> None:
        for number in range(worker, count, crowd):
            started = time.perf_counter()
            act(number)
            taken.append(time.perf_counter() - started)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(crowd)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started, sorted(taken)


def _show(name: str, crowd: int, count: int, seconds: float, taken: list[float]) -> None:
    p50, p99 = (taken[int(len(taken) * share)] * 1_000 for share in (0.5, 0.99))
    print(
        f"{name}: {crowd:2} workers {count / seconds:6,.0f}/s, median {p50:5.1f} ms, p99 {p99:6.1f} ms",
        flush=True,
    )


def _claims(name: str, database: Database, crowd: int) -> None:
    _add_builds(database, _BUILDS)
    claimed: list[Claim] = []

    def take(number: int) -> None:
        claimed.extend(claim(database, ClaimRequest(f"w{number % crowd}", lease_seconds=3_600), now=_now()))

    _show(f"{name}, claims", crowd, _BUILDS, *_timed(crowd, _BUILDS, take))
    assert len({each.build.id for each in claimed}) == len(claimed) == _BUILDS

    def end(number: int) -> None:
        each = claimed[number]
        request = ReportRequest(each.build.id, each.lease, BuildStatus.COMPLETED, BuildConclusion.SUCCESS)
        report(database, request, policy=DEFAULT_POLICY, jitter=0, now=_now())

    _show(f"{name}, ends  ", crowd, _BUILDS, *_timed(crowd, _BUILDS, end))


def _release(name: str, database: Database) -> None:
    """Show what ending a build costs that a thousand wait for."""
    for conclusion in (BuildConclusion.SUCCESS, BuildConclusion.FAILURE):
        first, *_ = _add_builds(database, _DEPENDENTS + 1, wait_for_first=True)
        (each,) = claim(database, ClaimRequest("w"), now=_now())
        assert each.build.id == first
        request = ReportRequest(first, each.lease, BuildStatus.COMPLETED, conclusion)
        started = time.perf_counter()
        report(database, request, policy=DEFAULT_POLICY, jitter=0, now=_now())
        taken = time.perf_counter() - started
        print(
            f"{name}: {conclusion} of a build with {_DEPENDENTS:,} dependents {taken * 1_000:,.0f} ms",
            flush=True,
        )
        _drain(database)


def _drain(database: Database) -> None:
    """Take what is queued out of the way of what comes next."""
    while claim(database, ClaimRequest("drain", limit=100, lease_seconds=86_400), now=_now()):
        pass


def main() -> None:
    """Run all of it."""
    with databases() as urls:
        for name, url in urls.items():
            with closing(Database.open(url, connections=40)) as database:
                for crowd in _WORKERS:
                    _claims(name, database, crowd)
                _release(name, database)


if __name__ == "__main__":
    main()
