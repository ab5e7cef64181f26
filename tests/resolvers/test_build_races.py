"""Many who claim, report, cancel and recover at the same moment: no build is held twice, lost, or begun too early."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, cycle
from typing import Any, Final

import pytest

from resolvers import build_changes
from resolvers.announcements import announce
from resolvers.atlas import Atlas
from resolvers.builds import cancel_build, retry_build
from resolvers.claims import Claim, ClaimRequest, claim
from resolvers.drafts import UpdateRequest
from resolvers.errors import Refusal
from resolvers.packages import update
from resolvers.plans import PlanRequest
from resolvers.policy import Policy
from resolvers.preparation import StartRequest
from resolvers.recovery import recover
from resolvers.reports import ReportRequest, report
from resolvers.runs import RunChange, cancel_run, start
from resolvers.transfer import OnError, import_catalogue
from storage import builds, runs
from storage.builds import ALL
from storage.database import Database
from storage.errors import IllegalTransition, StorageError
from storage.transitions import (
    RELEASING,
    BuildConclusion,
    BuildStatus,
    PackageStatus,
    RunStatus,
)
from tests.resolvers.build_world import MANY, World, assert_content, assert_sound, needs_of
from tests.resolvers.registry import NOW

WORKERS: Final = 16
SUCCESS, FAILURE = BuildConclusion.SUCCESS, BuildConclusion.FAILURE

# Nobody waits for long.
POLICY: Final = Policy(timedelta(milliseconds=5), timedelta(milliseconds=20))


def at_once(calls: Sequence[Callable[[], object]]) -> list[Any]:
    """Make all of these calls at the same moment, and return what each returns or refuses with."""
    together = threading.Barrier(len(calls))

    def carry_out(call: Callable[[], object]) -> object:
        together.wait(30)
        try:
            return call()
        except (Refusal, StorageError) as error:
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(carry_out, calls))


@pytest.fixture(params=[1, 4])
def databases(request: pytest.FixtureRequest, database_url: str) -> Iterator[list[Database]]:
    """One database, opened once or as several processes would."""
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(Database.open(database_url))) for _ in range(request.param)]
        yield opened


def layered(packages: int, *, seed: int) -> str:
    """Return a catalogue in which each package needs a few of those before it."""
    chance = random.Random(seed)
    lines = []
    for number in range(packages):
        before = range(max(0, number - 40), number)
        needed = chance.sample(before, min(len(before), chance.choice((0, 1, 2, 3))))
        declared = ", ".join(f'{{"package": "p{each}"}}' for each in needed)
        lines.append(f'{{"name": "p{number}", "version": "1", "dependencies": [{declared}]}}')
    return "\n".join(lines)


def stored(database: Database, catalogue: str) -> Atlas:
    import_catalogue(database, catalogue.encode().splitlines(), on_error=OnError.STOP, now=NOW)
    return Atlas(database)


def started(atlas: Atlas, *packages: str, **asked: Any) -> int:
    answer = start(atlas, StartRequest(PlanRequest(packages), **asked), now=datetime.now(UTC))
    assert isinstance(answer, RunChange)
    return answer.run.id


def claimed(
    database: Database, worker: str, *, limit: int = 100, request_id: str | None = None
) -> list[Claim]:
    request = ClaimRequest(worker, limit, request_id=request_id)
    return claim(database, request, now=datetime.now(UTC))


def given_to(
    database: Database, worker: str, *, limit: int, request_id: str | None = None
) -> list[tuple[int, str]]:
    """Have a worker claim, and return the builds that it was given and their leases."""
    given = claimed(database, worker, limit=limit, request_id=request_id)
    return sorted((held.build.id, held.lease) for held in given)


def said(
    database: Database, held: Claim, status: BuildStatus, conclusion: BuildConclusion | None = None
) -> None:
    request = ReportRequest(held.build.id, held.lease, status, conclusion)
    report(database, request, policy=POLICY, jitter=random.random(), now=datetime.now(UTC))


def ended(database: Database, held: Claim, conclusion: BuildConclusion = SUCCESS) -> None:
    said(database, held, BuildStatus.COMPLETED, conclusion)


def canceled(database: Database, build: int) -> None:
    cancel_build(database, build, reason=None, now=datetime.now(UTC))


def run_of(database: Database, run: int) -> str:
    with database.read() as connection:
        row = runs.by_ids(connection, [run])[run]
    return row.conclusion or row.status


def states_of(database: Database, run: int) -> Counter[str]:
    with database.read() as connection:
        rows = [row for row in builds.page(connection, ALL, limit=MANY) if row.run_id == run]
    return Counter(row.conclusion or row.status for row in rows)


class Crowd:
    """Workers that build whatever there is until a run is over."""

    def __init__(self, databases: Sequence[Database], run: int, *, trouble: float) -> None:
        self._databases = databases
        self._run = run
        self._trouble = trouble
        self._is_over = threading.Event()
        self.leases: list[tuple[int, str]] = []
        """Everything that was given out."""

    def work(self) -> None:
        with ThreadPoolExecutor(WORKERS) as threads:
            databases = zip(range(WORKERS), cycle(self._databases), strict=False)
            for future in [threads.submit(self._one, *each) for each in databases]:
                future.result()

    def _one(self, number: int, database: Database) -> None:
        # Nobody waits for the builds of one who has gone away.
        try:
            self._work(number, database)
        finally:
            self._is_over.set()

    def _work(self, number: int, database: Database) -> None:
        chance = random.Random(number)
        for turn in count():
            limit, request_id = chance.randint(1, 3), chance.choice((None, f"r{turn}"))
            given = claimed(database, f"w{number}", limit=limit, request_id=request_id)
            if not given and (self._is_over.wait(0.01) or run_of(database, self._run) != RunStatus.RUNNING):
                return
            if request_id is not None and given:
                again = claimed(database, f"w{number}", limit=limit, request_id=request_id)
                assert [(each.build.id, each.lease) for each in again] == sorted(
                    (each.build.id, each.lease) for each in given
                )
            for held in given:
                self.leases.append((held.build.id, held.lease))
                self._build(database, held, chance)

    def _build(self, database: Database, held: Claim, chance: random.Random) -> None:
        if chance.random() < 0.5:
            said(database, held, BuildStatus.RUNNING)
        if chance.random() < self._trouble:
            ended(database, held, BuildConclusion.INFRA_ERROR)
        else:
            ended(database, held)


def assert_in_order(database: Database) -> None:
    """No build was given to a worker before all that it waits for had ended well."""
    with database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT id, subject_id, target, conclusion FROM state_tracking"
            " WHERE subject_type = 'BUILD' ORDER BY id"
        ).all()
    good = {build: id_ for id_, build, _, conclusion in rows if conclusion in RELEASING}
    given = [(id_, build) for id_, build, target, _ in rows if target == BuildStatus.ASSIGNED]
    needs = needs_of(database, [build for _, build in given])
    assert given
    for id_, build in given:
        assert all(good[need.id] < id_ for need in needs[build])


def test_many_workers_build_a_run_together(databases: list[Database]) -> None:
    atlas = stored(databases[0], layered(300, seed=1))
    run = started(atlas, max_attempts=50)
    crowd = Crowd(databases, run, trouble=0.05)

    crowd.work()

    assert run_of(databases[0], run) == "SUCCESS"
    assert states_of(databases[0], run) == {"SUCCESS": 300}
    assert len(crowd.leases) == len(set(crowd.leases)) > 300
    with databases[0].read() as connection:
        rows = builds.page(connection, ALL, limit=MANY)
    leases = Counter(build for build, _ in crowd.leases)
    assert {row.id: (row.attempt, row.lease_token) for row in rows} == {
        build: (many, many) for build, many in leases.items()
    }
    assert_in_order(databases[0])
    assert_sound(databases[0])
    assert_content(databases[0])


def test_of_what_two_builds_let_go_at_once_nothing_is_forgotten(databases: list[Database]) -> None:
    pairs = 8
    catalogue = "\n".join(
        f"left{each} 1\nright{each} 1\ntop{each} 1 needs left{each}; right{each}" for each in range(pairs)
    )
    world = World.of(databases[0], catalogue)
    for _ in range(3):
        run = started(world.atlas)
        given = claimed(databases[0], "w")
        assert len(given) == 2 * pairs
        answers = at_once(
            [partial(ended, database, held) for held, database in zip(given, cycle(databases), strict=False)]
        )
        assert answers == [None] * 2 * pairs

        assert states_of(databases[0], run) == {"SUCCESS": 2 * pairs, "QUEUED": pairs}
        assert_sound(databases[0])


def test_of_what_one_fails_and_one_lets_go_at_once_nothing_is_forgotten(databases: list[Database]) -> None:
    pairs = 8
    catalogue = "\n".join(
        f"left{each} 1\nright{each} 1\ntop{each} 1 needs left{each}; right{each}\nsite{each} 1 needs top{each}"
        for each in range(pairs)
    )
    world = World.of(databases[0], catalogue)
    for _ in range(3):
        run = started(world.atlas)
        given = claimed(databases[0], "w")
        conclusions = [FAILURE] * pairs + [SUCCESS] * pairs
        at_once(
            [
                partial(ended, database, held, conclusion)
                for held, database, conclusion in zip(given, cycle(databases), conclusions, strict=False)
            ]
        )

        assert states_of(databases[0], run) == {"SUCCESS": pairs, "FAILURE": pairs, "DEP_FAILED": 2 * pairs}
        assert run_of(databases[0], run) == "FAILURE"
        assert_sound(databases[0])


def test_who_end_the_last_builds_of_a_run_at_once_end_the_run(databases: list[Database]) -> None:
    world = World.of(databases[0], "\n".join(f"p{number} 1" for number in range(WORKERS)))
    for _ in range(5):
        run = started(world.atlas)
        given = claimed(databases[0], "w")
        at_once(
            [partial(ended, database, held) for held, database in zip(given, cycle(databases), strict=False)]
        )

        assert run_of(databases[0], run) == "SUCCESS"


def test_who_ends_one_while_another_fails_very_many_ends_the_run(
    databases: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the two sees what the other has ended as something that has not."""
    leaves = "\n".join(f"leaf{number} 1 needs root" for number in range(100))
    world = World.of(databases[0], f"root 1\nalone 1\n{leaves}")
    run = started(world.atlas)
    root, alone = claimed(databases[0], "w")
    both = threading.Barrier(2)

    def announce_together(*arguments: Any, **options: Any) -> None:
        # Or one waits for the other to be done.
        with suppress(threading.BrokenBarrierError):
            both.wait(1)
        announce(*arguments, **options)

    monkeypatch.setattr(build_changes, "announce", announce_together)
    at_once([partial(ended, databases[0], root, FAILURE), partial(ended, databases[-1], alone)])

    assert states_of(databases[0], run) == {"FAILURE": 1, "DEP_FAILED": 100, "SUCCESS": 1}
    assert run_of(databases[0], run) == "FAILURE"


def test_the_same_request_at_once_is_answered_once(databases: list[Database]) -> None:
    world = World.of(databases[0], "\n".join(f"p{number} 1" for number in range(40)))
    started(world.atlas)
    for turn in range(4):
        answers = at_once(
            [
                partial(given_to, database, "w", limit=5, request_id=f"r{turn}")
                for database, _ in zip(cycle(databases), range(WORKERS), strict=False)
            ]
        )

        assert answers == [answers[0]] * WORKERS
        assert isinstance(answers[0], list)
        assert len(answers[0]) == 5
    assert states_of(databases[0], 1) == {"ASSIGNED": 20, "QUEUED": 20}


def test_who_ask_at_once_get_different_builds(databases: list[Database]) -> None:
    world = World.of(databases[0], "\n".join(f"p{number} 1" for number in range(40)))
    started(world.atlas)

    answers = at_once(
        [
            partial(given_to, database, f"w{number}", limit=3)
            for database, number in zip(cycle(databases), range(WORKERS), strict=False)
        ]
    )

    given = [each for answer in answers if isinstance(answer, list) for each in answer]
    assert len(given) == len(set(given)) == 40


@pytest.mark.parametrize("conclusion", [SUCCESS, FAILURE, BuildConclusion.INFRA_ERROR])
def test_what_is_canceled_while_it_ends_ends_in_one_way(
    databases: list[Database], conclusion: BuildConclusion
) -> None:
    many = WORKERS // 2
    catalogue = "\n".join(f"p{number} 1\ntop{number} 1 needs p{number}" for number in range(many))
    world = World.of(databases[0], catalogue)
    run = started(world.atlas)
    given = claimed(databases[0], "w")

    answers = at_once(
        [
            *[
                partial(ended, database, held, conclusion)
                for held, database in zip(given, cycle(databases), strict=False)
            ],
            *[
                partial(canceled, database, held.build.id)
                for held, database in zip(given, cycle(databases[::-1]), strict=False)
            ],
        ]
    )

    assert answers[:many] == [None] * many
    assert all(answer is None or isinstance(answer, IllegalTransition) for answer in answers[many:])
    with databases[0].read() as connection:
        rows = builds.by_ids(connection, [held.build.id for held in given])
    assert {row.conclusion for row in rows.values()} <= {conclusion, BuildConclusion.CANCELED}
    assert_sound(databases[0])
    assert run_of(databases[0], run) == ("RUNNING" if conclusion is SUCCESS else run_of(databases[0], run))


def test_a_run_that_is_canceled_while_it_is_built_ends(databases: list[Database]) -> None:
    atlas = stored(databases[0], layered(60, seed=2))
    for _ in range(3):
        run = started(atlas)
        given = claimed(databases[0], "w", limit=WORKERS - 1)
        calls = [
            partial(ended, database, held) for held, database in zip(given, cycle(databases), strict=False)
        ]
        at_once([*calls, partial(cancel_run, databases[0], run, reason=None, now=datetime.now(UTC))])

        assert claimed(databases[0], "late") == []
        assert run_of(databases[0], run) == "CANCELED"
        assert_sound(databases[0])


def test_who_recover_at_once_take_each_build_back_once(databases: list[Database]) -> None:
    world = World.of(databases[0], "\n".join(f"p{number} 1" for number in range(30)))
    started(world.atlas, max_attempts=3)
    atlases = [Atlas(database) for database in databases]
    for attempt in range(1, 4):
        given = claimed(databases[0], "w")
        assert len(given) == 30
        later = datetime.now(UTC) + timedelta(minutes=2)

        taken = at_once(
            [partial(recover, atlas, now=later) for atlas, _ in zip(cycle(atlases), range(8), strict=False)]
        )

        assert sum(each for each in taken if isinstance(each, int)) == 30, taken
        with databases[0].read() as connection:
            rows = builds.page(connection, ALL, limit=MANY)
        assert {row.attempt for row in rows} == {attempt}
    assert states_of(databases[0], 1) == {"INFRA_ERROR": 30}
    assert run_of(databases[0], 1) == "FAILURE"
    assert_sound(databases[0])


def test_runs_of_the_same_that_start_at_once_build_it_once(databases: list[Database]) -> None:
    atlas = stored(databases[0], layered(20, seed=3))
    atlases = [Atlas(database) for database in databases] if len(databases) > 1 else [atlas]
    answers = at_once([partial(started, atlas) for atlas, _ in zip(cycle(atlases), range(8), strict=False)])

    newest = max(each for each in answers if isinstance(each, int))
    for run in answers:
        assert isinstance(run, int)
        assert run_of(databases[0], run) == ("RUNNING" if run == newest else "SUPERSEDED")
    assert_sound(databases[0])


def test_runs_of_the_same_key_that_start_at_once_are_one(databases: list[Database]) -> None:
    atlas = stored(databases[0], layered(20, seed=3))
    atlases = [Atlas(database) for database in databases] if len(databases) > 1 else [atlas]
    answers = at_once(
        [
            partial(started, atlas, idempotency_key="nightly")
            for atlas, _ in zip(cycle(atlases), range(8), strict=False)
        ]
    )

    assert answers == [1] * 8 or len({str(each) for each in answers}) == 1
    with databases[0].read() as connection:
        assert runs.count(connection) == 1


def test_what_is_claimed_while_it_is_replaced_is_one_or_the_other(databases: list[Database]) -> None:
    atlas = stored(databases[0], layered(60, seed=4))
    for _ in range(3):
        old = started(atlas)
        calls = [
            partial(given_to, database, f"w{number}", limit=2)
            for database, number in zip(cycle(databases), range(8), strict=False)
        ]
        answers = at_once([partial(started, atlas), *calls])

        assert not any(isinstance(each, Exception) for each in answers)
        found = states_of(databases[0], old)
        assert found["SUPERSEDED"] + found["ASSIGNED"] == 60
        assert_sound(databases[0])


def test_who_retry_at_once_retry_once(databases: list[Database]) -> None:
    world = World.of(databases[0], "lib 1\napp 1 needs lib")
    run = started(world.atlas, max_attempts=2)
    (held,) = claimed(databases[0], "w")
    ended(databases[0], held, FAILURE)

    answers = at_once(
        [
            partial(retry_build, database, held.build.id, now=datetime.now(UTC))
            for database, _ in zip(cycle(databases), range(8), strict=False)
        ]
    )

    assert sum(isinstance(each, IllegalTransition) for each in answers) == 7
    assert world.build("lib").max_attempts == 4
    assert run_of(databases[0], run) == "RUNNING"


class Chaos:
    """Threads that do whatever comes to their mind."""

    def __init__(self, databases: Sequence[Database], packages: int) -> None:
        self._atlases = [Atlas(database) for database in databases]
        self._packages = packages
        self._held: list[Claim] = []
        self.refused: Counter[str] = Counter()

    def go_on(self, steps: int) -> None:
        with ThreadPoolExecutor(WORKERS) as threads:
            for future in [threads.submit(self._one, number, steps) for number in range(WORKERS)]:
                future.result()

    def _one(self, number: int, steps: int) -> None:
        chance = random.Random(number)
        atlas = self._atlases[number % len(self._atlases)]
        acts = [self._work] * 8 + [self._start, self._cancel, self._cancel, self._retry, self._retry]
        acts += [self._cancel_run, self._recover, self._recover, self._set_status, self._set_status]
        for _ in range(steps):
            try:
                chance.choice(acts)(atlas, chance)
            except (Refusal, IllegalTransition) as error:
                self.refused[type(error).__name__] += 1

    def _work(self, atlas: Atlas, chance: random.Random) -> None:
        self._held += claimed(atlas.database, f"w{chance.randrange(4)}", limit=chance.randint(1, 4))
        for held in chance.sample(self._held, min(3, len(self._held))):
            conclusion = chance.choice((SUCCESS, SUCCESS, SUCCESS, FAILURE, BuildConclusion.INFRA_ERROR))
            ended(atlas.database, held, conclusion)

    def _package(self, chance: random.Random) -> str:
        return f"p{chance.randrange(self._packages)}"

    def _start(self, atlas: Atlas, chance: random.Random) -> None:
        plan = PlanRequest([self._package(chance)], include_dependents=chance.random() < 0.8)
        start(atlas, StartRequest(plan), now=datetime.now(UTC))

    def _some(self, atlas: Atlas, chance: random.Random) -> int:
        with atlas.database.read() as connection:
            return chance.choice(builds.page(connection, ALL, limit=MANY)).id

    def _cancel(self, atlas: Atlas, chance: random.Random) -> None:
        cancel_build(atlas.database, self._some(atlas, chance), reason=None, now=datetime.now(UTC))

    def _retry(self, atlas: Atlas, chance: random.Random) -> None:
        retry_build(atlas.database, self._some(atlas, chance), now=datetime.now(UTC))

    def _cancel_run(self, atlas: Atlas, chance: random.Random) -> None:
        with atlas.database.read() as connection:
            newest = runs.count(connection)
        cancel_run(atlas.database, chance.randint(1, newest), reason=None, now=datetime.now(UTC))

    def _recover(self, atlas: Atlas, chance: random.Random) -> None:
        recover(atlas, now=datetime.now(UTC) + timedelta(seconds=chance.choice((0, 0, 120))))

    def _set_status(self, atlas: Atlas, chance: random.Random) -> None:
        status = chance.choice((PackageStatus.ARCHIVED, PackageStatus.ACTIVE, PackageStatus.ACTIVE))
        update(atlas.database, UpdateRequest(self._package(chance), status=status), now=datetime.now(UTC))


def test_whatever_many_do_at_once_all_of_it_comes_to_an_end(databases: list[Database]) -> None:
    packages = 25
    atlas = stored(databases[0], layered(packages, seed=5))
    started(atlas)

    Chaos(databases, packages).go_on(25)

    for number in range(packages):
        update(databases[0], UpdateRequest(f"p{number}", status=PackageStatus.ACTIVE), now=datetime.now(UTC))
    recover(atlas, now=datetime.now(UTC) + timedelta(minutes=2))
    recover(atlas, now=datetime.now(UTC) + timedelta(minutes=2))
    assert_sound(databases[0])
    while given := claim(
        databases[0], ClaimRequest("last", 100), now=datetime.now(UTC) + timedelta(minutes=2)
    ):
        for held in given:
            ended(databases[0], held)
    assert_sound(databases[0])
    assert_content(databases[0])
    with databases[0].read() as connection:
        assert runs.unfinished(connection) == []
        assert not [row for row in builds.page(connection, ALL, limit=MANY) if row.status in _LIVE]


_LIVE: Final = frozenset(BuildStatus) - {BuildStatus.COMPLETED}
