"""Whatever is asked of the scheduler, and in whatever order, each build is where a small model says."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from resolvers.atlas import Atlas
from resolvers.builds import cancel_build, retry_build
from resolvers.claims import ClaimRequest, claim, heartbeat
from resolvers.drafts import DependencyRequest, PublishRequest, UpdateRequest
from resolvers.errors import Refusal
from resolvers.packages import delete, update
from resolvers.plans import PlanRequest
from resolvers.policy import DEFAULT_POLICY
from resolvers.preparation import StartRequest
from resolvers.recovery import recover
from resolvers.reports import REPORTED, ReportRequest, report
from resolvers.runs import RunChange, cancel_run, start
from resolvers.versions import publish
from storage import builds, runs
from storage.build_rows import BuildRow, RunRow
from storage.build_tables import BuildTrigger
from storage.builds import ALL
from storage.database import Database
from storage.errors import StorageError
from storage.transitions import BuildConclusion, BuildStatus, PackageStatus
from tests import postgres
from tests.resolvers.build_model import Build, Model, Need, Said, Terms
from tests.resolvers.build_world import MANY, assert_content, names_of, needs_of
from tests.resolvers.registry import NOW

NAMES: Final = tuple(f"p{number}" for number in range(5))
LATE: Final = "late"
WORKERS: Final = ("w1", "w2")
LABELS: Final[tuple[Mapping[str, str], ...]] = ({}, {"os": "linux"})
DIGESTS: Final = (None, "same", "same", "other")
ENDS: Final = (BuildConclusion.SUCCESS, *REPORTED)
PROGRESS: Final = (BuildStatus.PREPARING, BuildStatus.RUNNING, BuildStatus.FINALIZING)
MOST_RUNS: Final = 7

# No whole number of seconds after any number of doublings: the clock goes by seconds.
JITTER: Final = 0.33

Answer = TypeVar("Answer")


def needs_among(names: tuple[str, ...]) -> st.SearchStrategy[tuple[Need, ...]]:
    """Return what a version may need: mostly of these packages, so that most have no cycle."""
    package = st.sampled_from(names * 8 + NAMES + (LATE,))
    need = st.builds(Need, package, st.sampled_from((1,) * 9 + (2,)), st.sampled_from((False,) * 5 + (True,)))
    return st.lists(need, max_size=3, unique_by=lambda need: need.package).map(tuple)


def catalogues() -> st.SearchStrategy[tuple[tuple[Need, ...], ...]]:
    return st.tuples(st.just(()), *(needs_among(NAMES[:place]) for place in range(1, len(NAMES))))


def terms() -> st.SearchStrategy[Terms]:
    return st.builds(
        Terms,
        st.sampled_from((BuildTrigger.MANUAL, BuildTrigger.SOURCE_CHANGE, BuildTrigger.DEPENDENCY_CHANGE)),
        st.sampled_from((0, 0, 5)),
        st.integers(1, 3),
        st.sampled_from((3600, 3600, 30)),
        st.sampled_from((*LABELS, {})),
    )


class BuildMachine(RuleBasedStateMachine):
    """One database after the other, and for each the model of it."""

    kind: str

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        url = self._stack.enter_context(fresh(self.kind))
        self._database = Database.open(url)
        self._stack.callback(self._database.close)
        self._atlas = Atlas(self._database)
        self._model = Model()
        self._seconds = 0.0
        self._seen = (0, 0)
        """The last transition, and the last event."""
        self._keys: dict[str, int] = {}
        self._has_deleted = False

    # the catalogue

    @initialize(catalogue=catalogues(), is_built=st.booleans())
    def register(self, catalogue: tuple[tuple[Need, ...], ...], is_built: bool) -> None:
        for name, needs in zip(NAMES, catalogue, strict=True):
            self._publish(name, needs)
        if is_built:
            self._start([], Terms())
            self.work("same", MANY)

    @precondition(lambda self: LATE not in self._model.needs)
    @rule()
    def register_what_was_missing(self) -> None:
        self._publish(LATE, ())

    @rule(data=st.data())
    def publish_another_version(self, data: st.DataObject) -> None:
        package = data.draw(st.sampled_from(NAMES))
        self._publish(package, data.draw(needs_among(NAMES[: NAMES.index(package)] or NAMES[:1])))

    @rule(data=st.data(), status=st.sampled_from((PackageStatus.ARCHIVED, PackageStatus.QUARANTINED)))
    def take_out_of_use_or_back(self, data: st.DataObject, status: PackageStatus) -> None:
        package = data.draw(st.sampled_from(sorted(self._model.out_of_use or self._model.needs)))
        is_in_use = package in self._model.out_of_use
        target = PackageStatus.ACTIVE if is_in_use else status
        update(self._database, UpdateRequest(package, status=target), now=self._tick())
        self._model.set_use(package, is_in_use=is_in_use)

    @precondition(lambda self: len(self._model.runs) > 2)
    @rule(data=st.data())
    def delete_a_package(self, data: st.DataObject) -> None:
        package = data.draw(st.sampled_from(sorted(self._model.needs)))
        now = self._tick()
        _same(
            lambda: self._model.delete(package),
            lambda: delete(self._database, package, force=True, now=now),
        )
        if package not in self._model.needs:
            self._has_deleted = True
            self._publish(package, ())

    # runs

    @precondition(lambda self: len(self._model.runs) < MOST_RUNS)
    @rule(data=st.data(), dependents=st.booleans(), terms=terms(), key=st.sampled_from((None, None, "k")))
    def start(self, data: st.DataObject, dependents: bool, terms: Terms, key: str | None) -> None:
        names = st.sampled_from(sorted(self._model.needs))
        named = data.draw(st.lists(names, max_size=4, unique=True))
        self._start(named, terms, dependents=dependents, key=key)

    @precondition(lambda self: 0 < len(self._model.runs) < MOST_RUNS)
    @rule(package=st.sampled_from(NAMES), most=st.sampled_from((0, 1, 2, MANY)))
    def build_what_depends_on(self, package: str, most: int) -> None:
        """Begin what a changed package brings about, most of which comes out as it was."""
        self._start([package], Terms(BuildTrigger.SOURCE_CHANGE, priority=9), dependents=True)
        self.work("same", most)

    @precondition(lambda self: self._model.runs)
    @rule(data=st.data())
    def cancel_a_run(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(sorted(self._model.runs)))
        now = self._tick()
        _same(
            lambda: self._model.cancel_run(run),
            lambda: cancel_run(self._database, run, reason="enough", now=now),
        )

    # workers

    @precondition(lambda self: self._model.runs)
    @rule(
        worker=st.sampled_from(WORKERS),
        labels=st.sampled_from((LABELS[1], LABELS[1], LABELS[0])),
        limit=st.integers(1, 4),
        lease=st.sampled_from((1000, 1000, 10)),
        request_id=st.sampled_from((None, None, "r1", "r2")),
    )
    def claim(
        self, worker: str, labels: Mapping[str, str], limit: int, lease: int, request_id: str | None
    ) -> None:
        request = ClaimRequest(worker, limit, lease, labels, request_id)
        answer = claim(self._database, request, now=self._tick())
        given = [(each.build.id, int(each.lease)) for each in answer]
        earlier = self._model.answered(worker, request_id) if request_id else []
        if earlier:
            assert given == earlier
            return
        expected = self._model.claimable(labels, self._seconds)[:limit]
        assert [id_ for id_, _ in given] == expected
        self._model.claim(expected, worker, request_id, self._seconds + lease)

    @precondition(lambda self: self._held())
    @rule(data=st.data(), status=st.sampled_from(PROGRESS))
    def report_progress(self, data: st.DataObject, status: BuildStatus) -> None:
        build = data.draw(st.sampled_from(self._held()))
        self._report(build, len(self._model.builds[build].attempts), Said(status))

    @precondition(lambda self: self._held())
    @rule(data=st.data(), conclusion=st.sampled_from(ENDS), digest=st.sampled_from(DIGESTS))
    def report_an_end(self, data: st.DataObject, conclusion: BuildConclusion, digest: str | None) -> None:
        build = data.draw(st.sampled_from(self._held()))
        said = Said(BuildStatus.COMPLETED, conclusion, digest)
        self._report(build, len(self._model.builds[build].attempts), said)

    @precondition(lambda self: self._tried())
    @rule(data=st.data(), status=st.sampled_from((*PROGRESS, BuildStatus.COMPLETED)))
    def report_with_any_lease(self, data: st.DataObject, status: BuildStatus) -> None:
        build = data.draw(st.sampled_from(self._tried()))
        attempt = data.draw(st.sampled_from(self._model.builds[build].attempts))
        conclusion = BuildConclusion.FAILURE if status is BuildStatus.COMPLETED else None
        again = sorted(attempt.said, key=str)
        self._report(build, attempt.token, data.draw(st.sampled_from([Said(status, conclusion), *again])))

    @precondition(lambda self: self._tried())
    @rule(data=st.data(), lease=st.sampled_from((1000, 10)))
    def heartbeat(self, data: st.DataObject, lease: int) -> None:
        build = data.draw(st.sampled_from(self._tried()))
        token = data.draw(st.sampled_from((len(self._model.builds[build].attempts), 1)))
        now = self._tick()

        def beat() -> tuple[float, bool]:
            answer = heartbeat(self._database, build, str(token), lease_seconds=lease, now=now)
            return (answer.lease_expires_at - NOW).total_seconds(), answer.cancel_requested

        _same(lambda: self._model.heartbeat(build, token, self._seconds + lease), beat)

    @precondition(lambda self: self._model.claimable(LABELS[1], self._seconds + 1))
    @rule(conclusion=st.sampled_from(ENDS), digest=st.sampled_from(DIGESTS))
    def work_at_one(self, conclusion: BuildConclusion, digest: str | None) -> None:
        """Have the most urgent build end as told."""
        build = self._model.claimable(LABELS[1], self._seconds + 1)[0]
        self.claim("w3", LABELS[1], 1, 1000, None)
        said = Said(BuildStatus.COMPLETED, conclusion, digest)
        self._report(build, len(self._model.builds[build].attempts), said)

    @precondition(lambda self: self._model.claimable(LABELS[1], self._seconds + 1))
    @rule(digest=st.sampled_from(("same", "same", "other")), most=st.sampled_from((2, 4, MANY)))
    def work(self, digest: str, most: int) -> None:
        """Have builds end well one after the other, as most do."""
        for _ in range(most):
            if not self._model.claimable(LABELS[1], self._seconds + 1):
                break
            self.work_at_one(BuildConclusion.SUCCESS, digest)

    # everybody else

    @precondition(lambda self: self._model.builds)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        build = data.draw(st.sampled_from(sorted(self._model.builds)))
        now = self._tick()
        _same(
            lambda: self._model.cancel(build),
            lambda: cancel_build(self._database, build, reason=None, now=now),
        )

    @precondition(lambda self: self._failed())
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        self._retry(data.draw(st.sampled_from(self._failed())))

    @precondition(lambda self: self._model.builds)
    @rule(data=st.data())
    def retry_anything(self, data: st.DataObject) -> None:
        self._retry(data.draw(st.sampled_from(sorted(self._model.builds))))

    @precondition(lambda self: self._model.runs)
    @rule(seconds=st.sampled_from((1, 5, 12, 40, 1200)))
    def let_time_pass_and_recover(self, seconds: int) -> None:
        now = self._tick(seconds)
        assert recover(self._atlas, now=now) == self._model.recover(self._seconds)

    # what is so at any time

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        with self._database.read() as connection:
            rows = builds.page(connection, ALL, limit=MANY)
            by_run = {row.id: row for row in runs.page(connection, limit=MANY)}
        assert {id_: row.conclusion or row.status for id_, row in by_run.items()} == {
            id_: run.state for id_, run in self._model.runs.items()
        }
        needs = needs_of(self._database, [row.id for row in rows])
        names = names_of(self._database)
        found = {row.id: _facts(row, names[row.id], {need.id for need in needs[row.id]}) for row in rows}
        assert found == {id_: self._expected(build) for id_, build in self._model.builds.items()}
        for row in rows:
            self._check_cause(row)

    @invariant()
    def every_change_is_told(self) -> None:
        transitions, events = _news(self._database, *self._seen)
        last: dict[tuple[str, int], tuple[int, Any]] = {}
        for id_, subject_type, subject_id, at in transitions:
            _, before = last.get((subject_type, subject_id), (0, ""))
            assert str(at) > str(before), f"two moves of {subject_type} {subject_id} at {at}"
            last[subject_type, subject_id] = id_, at
        told = {
            (subject_type, subject_id): transition_id for subject_type, subject_id, transition_id, _ in events
        }
        assert {subject: transition for subject, (transition, _) in last.items() if subject[0] in _LIVE} == {
            subject: told.get(subject) for subject in last if subject[0] in _LIVE
        }
        for subject_type, _, transition_id, run_id in events:
            assert subject_type not in _LIVE or None not in {transition_id, run_id}
        self._seen = (
            max([self._seen[0], *(row[0] for row in transitions)]),
            self._seen[1] + len(events),
        )

    def teardown(self) -> None:
        with self._stack:
            assert_content(self._database)

    # how it is done

    def _tick(self, seconds: float = 1) -> datetime:
        self._seconds += seconds
        return NOW + timedelta(seconds=self._seconds)

    def _publish(self, package: str, needs: tuple[Need, ...]) -> None:
        number = len(self._model.needs.get(package, ())) + 1
        requests = tuple(
            DependencyRequest(need.package, f">={need.lowest}", optional=need.optional) for need in needs
        )
        publish(self._database, PublishRequest(package, str(number), requests), now=self._tick())
        self._model.publish(package, needs)

    def _start(
        self, named: list[str], terms: Terms, *, dependents: bool = False, key: str | None = None
    ) -> None:
        request = StartRequest(
            PlanRequest(named, include_dependents=dependents),
            terms.trigger,
            terms.priority,
            terms.max_attempts,
            terms.timeout,
            {},
            terms.worker_labels,
            key,
        )
        answer = start(self._atlas, request, now=self._tick())
        assert isinstance(answer, RunChange)
        assert answer.created is (key not in self._keys)
        if key is not None:
            assert self._keys.setdefault(key, answer.run.id) == answer.run.id
        if answer.created:
            self._take_in(answer.run, named, terms, dependents=dependents)

    def _take_in(self, run: RunRow, named: list[str], terms: Terms, *, dependents: bool) -> None:
        """Tell the model of a new run."""
        with self._database.read() as connection:
            rows = [row for row in builds.page(connection, ALL, limit=MANY) if row.run_id == run.id]
        names = names_of(self._database)
        assert {names[row.id] for row in rows} == self._model.planned(named, dependents=dependents)
        self._model.start(
            run.id,
            named,
            {names[row.id]: row.id for row in rows},
            [(edge.dependent, edge.dependency) for edge in run.cut_edges],
            {names[row.id]: row.remaining_seconds for row in rows},
            terms,
        )

    def _held(self) -> list[int]:
        return [id_ for id_, build in self._model.builds.items() if build.is_held]

    def _tried(self) -> list[int]:
        return [id_ for id_, build in self._model.builds.items() if build.attempts]

    def _failed(self) -> list[int]:
        return [id_ for id_, build in self._model.builds.items() if build.has_failed]

    def _report(self, build: int, token: int, said: Said) -> None:
        now = self._tick()
        request = ReportRequest(build, str(token), said.status, said.conclusion, output_digest=said.digest)
        backoff = DEFAULT_POLICY.backoff(token, jitter=JITTER).total_seconds()
        _same(
            lambda: self._model.report(build, token, said, now=self._seconds, backoff=backoff),
            lambda: report(self._database, request, policy=DEFAULT_POLICY, jitter=JITTER, now=now),
        )

    def _retry(self, build: int) -> None:
        now = self._tick()
        _same(
            lambda: self._model.retry(build),
            lambda: retry_build(self._database, build, now=now),
        )

    def _expected(self, build: Build) -> tuple[object, ...]:
        return (
            build.package,
            build.run,
            build.state,
            self._model.waiting_for(build),
            build.needs,
            len(build.attempts),
            len(build.attempts),
            build.max_attempts,
            build.trigger,
            build.priority,
            build.digest,
            build.expires if build.is_held else None,
        )

    def _check_cause(self, row: BuildRow) -> None:
        build = self._model.builds[row.id]
        if build.state is not BuildConclusion.DEP_FAILED:
            assert row.cause_id is None
        elif not self._has_deleted:
            assert row.cause_id is not None
            cause, roots = self._model.builds[row.cause_id], self._model.roots(build)
            # One that is tried again, or elsewhere, is to blame until it is known how that ends.
            is_open = not cause.has_ended or cause.state is BuildConclusion.SUPERSEDED
            assert not roots or cause.id in roots or is_open, (row, roots)


_LIVE: Final = frozenset({"BUILD", "RUN"})


def _facts(row: BuildRow, package: str, needs: set[int]) -> tuple[object, ...]:
    expires = None if row.lease_expires_at is None else (row.lease_expires_at - NOW).total_seconds()
    return (
        package,
        row.run_id,
        row.conclusion or row.status,
        row.waiting_for,
        needs,
        row.attempt,
        row.lease_token,
        row.max_attempts,
        row.trigger,
        row.priority,
        row.output_digest,
        expires,
    )


def _same(ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    """Both do it, or both refuse, for the same reason."""
    assert _outcome(ours) == _outcome(theirs)


def _outcome(call: Callable[[], Answer]) -> Answer | type[Exception] | None:
    try:
        answer = call()
    except (Refusal, StorageError) as error:
        return type(error)
    return answer if isinstance(answer, tuple) else None


def _news(database: Database, transition: int, event: int) -> tuple[list[Any], list[Any]]:
    """Return the transitions and events after these."""
    with database.read() as connection:
        moves = connection.exec_driver_sql(
            f"SELECT id, subject_type, subject_id, at FROM state_tracking WHERE id > {transition} ORDER BY id"
        ).all()
        told = connection.exec_driver_sql(
            "SELECT subject_type, subject_id, transition_id, run_id FROM events"
            f" ORDER BY id LIMIT {MANY} OFFSET {event}"
        ).all()
    return list(moves), list(told)


@contextmanager
def fresh(kind: str) -> Iterator[str]:
    """Give the URL of a database without rows, made in a moment."""
    if kind == "postgresql":
        with postgres.migrated_database() as url:
            yield url
        return
    with TemporaryDirectory() as folder:
        file = Path(folder) / "atlas.db"
        file.write_bytes(_template())
        yield str(file)


@cache
def _template() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "atlas.db"
        Database.open(str(file)).close()
        return file.read_bytes()


class SqliteBuilds(BuildMachine):
    kind = "sqlite"


class PostgresBuilds(BuildMachine):
    kind = "postgresql"


TestSqliteBuilds = SqliteBuilds.TestCase
TestPostgresBuilds = PostgresBuilds.TestCase
TestSqliteBuilds.settings = TestPostgresBuilds.settings = settings(
    max_examples=10, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.long
@pytest.mark.parametrize("machine", [SqliteBuilds, PostgresBuilds])
def test_many_more_and_longer(machine: type[BuildMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=300, stateful_step_count=100, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
