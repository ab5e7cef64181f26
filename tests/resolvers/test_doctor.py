"""The doctor: each fault is found, what can be mended is, and then the doctor is content."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from resolvers import doctor
from resolvers.transfer import OnError, import_catalogue
from storage import history, packages, versions
from storage.checks import everything as checks
from storage.checks.findings import MOST_SHOWN, Finding
from storage.database import Connection, Database
from storage.engines.urls import is_postgres
from storage.errors import MendRefused
from storage.events import after
from storage.tables import EventKind, SubjectType
from storage.transitions import BuildStatus
from tests import postgres
from tests.storage import subjects as written
from tests.storage.build_world import add_build, add_run
from tests.storage.forging import carry_out, forge, rows

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CATALOGUE = (
    b'{"name":"lib","version":"1.0"}',
    b'{"name":"lib","version":"2.0rc1"}',
    b'{"name":"app","version":"1.0","dependencies":[{"package":"lib","constraint":">=1"}]}',
)


@dataclass(frozen=True)
class World:
    """A database with one of everything that can be wrong."""

    url: str
    database: Database
    names: dict[str, int]

    def forge(self, *statements: str) -> None:
        forge(self.url, *(statement.format(**self.names) for statement in statements))

    def carry_out(self, *statements: str) -> None:
        carry_out(self.url, *(statement.format(**self.names) for statement in statements))

    def one(self, query: str) -> object:
        return rows(self.url, query.format(**self.names))[0][0]

    def found(self) -> dict[str, tuple[Finding, ...]]:
        """Return what is wrong, by check."""
        looks = doctor.examine(self.database).looks
        assert all(look.found.total == len(look.found.findings) for look in looks)
        return {look.check: look.found.findings for look in looks if look.found.total}

    def repair(self) -> doctor.Mended:
        return doctor.repair(self.database, now=NOW)


@pytest.fixture
def world(database_url: str, database: Database) -> World:
    return built(database_url, database)


def built(url: str, database: Database) -> World:
    """Fill a database with one of everything."""
    import_catalogue(database, CATALOGUE, on_error=OnError.STOP, now=NOW)
    names = _names(database)
    run = add_run(database)
    first = add_build(database, run, (names["lib"], names["lib1"]))
    blocked = BuildStatus.BLOCKED
    second = add_build(
        database, run, (names["app"], names["app1"]), needs=(first,), status=blocked, waiting_for=1
    )
    alert = database.write(written.alert).value
    return World(url, database, {**names, "run": run, "a": first, "b": second, "alert": alert})


def _names(database: Database) -> dict[str, int]:
    with database.read() as connection:
        by_name = {row.name: row.id for row in packages.by_names(connection, ("app", "lib")).values()}
        pages = versions.pages_of(connection, by_name.values(), limit=2)
    (app,), (newest, oldest) = pages[by_name["app"]], pages[by_name["lib"]]
    return {**by_name, "app1": app.id, "lib1": oldest.id, "lib2": newest.id}


def test_a_database_that_nobody_has_tampered_with_is_content(world: World) -> None:
    examination = doctor.examine(world.database)

    assert world.found() == {}
    assert examination.is_content
    looked_at = {look.check: look.found.looked_at for look in examination.looks}
    assert looked_at["references"] > looked_at["versions"] == 3
    assert doctor.repair(world.database, now=NOW).mended == {}


MENDED = {
    # references
    "a cause that is gone": (
        ["UPDATE build_status SET cause_id = 99 WHERE id = {a}"],
        "references",
        "build {a} refers by cause_id to build 99, which is gone",
        "SELECT count(*) FROM build_status WHERE cause_id IS NULL",
        2,
    ),
    "a package that is gone": (
        ["DELETE FROM packages WHERE id = {app}"],
        "references",
        "version {app1} refers by package_id to package {app}, which is gone",
        "SELECT count(*) FROM build_status",
        1,
    ),
    # builds
    "a build without a conclusion": (
        ["UPDATE build_status SET status = 'COMPLETED', completed_at = '2026-01-01' WHERE id = {a}"],
        "builds",
        "build {a} is COMPLETED without a conclusion",
        "SELECT conclusion FROM build_status WHERE id = {a}",
        "INFRA_ERROR",
    ),
    "a build whose last attempt knows better": (
        [
            "UPDATE build_status SET status = 'COMPLETED', completed_at = '2026-01-01', attempt = 1 WHERE id = {a}",
            "INSERT INTO build_attempts (build_id, number, worker, lease_token, conclusion) "
            "VALUES ({a}, 1, 'w', 1, 'FAILURE')",
        ],
        "builds",
        "build {a} is COMPLETED without a conclusion",
        "SELECT conclusion FROM build_status WHERE id = {a}",
        "FAILURE",
    ),
    "a conclusion too early": (
        ["UPDATE build_status SET conclusion = 'SUCCESS' WHERE id = {a}"],
        "builds",
        "build {a} is QUEUED, and yet has the conclusion SUCCESS",
        "SELECT conclusion FROM build_status WHERE id = {a}",
        None,
    ),
    "a completion without its moment": (
        ["UPDATE build_status SET status = 'COMPLETED', conclusion = 'FAILURE' WHERE id = {a}"],
        "builds",
        "build {a} is COMPLETED, and not known since when",
        "SELECT completed_at IS NULL FROM build_status WHERE id = {a}",
        0,
    ),
    "a moment of completion too early": (
        ["UPDATE build_status SET completed_at = '2026-01-01 00:00:00.000000' WHERE id = {a}"],
        "builds",
        "build {a} is QUEUED, and yet has a moment at which it was completed",
        "SELECT completed_at FROM build_status WHERE id = {a}",
        None,
    ),
    "a held build without a lease": (
        ["UPDATE build_status SET status = 'RUNNING', attempt = 0 WHERE id = {a}"],
        "builds",
        "build {a} is RUNNING without a lease or a worker",
        "SELECT worker FROM build_status WHERE id = {a}",
        "doctor",
    ),
    "a lease that nobody holds": (
        ["UPDATE build_status SET lease_expires_at = '2026-01-01 00:00:00.000000' WHERE id = {a}"],
        "builds",
        "build {a} is QUEUED, and yet leased",
        "SELECT lease_expires_at FROM build_status WHERE id = {a}",
        None,
    ),
    "a build of another package": (
        ["UPDATE build_status SET package_id = {app} WHERE id = {a}"],
        "builds",
        "build {a} is of a version of another package, {lib}",
        "SELECT package_id = {lib} FROM build_status WHERE id = {a}",
        1,
    ),
    # waits
    "a wait for an older run": (
        ["INSERT INTO build_dependencies VALUES ({newer}, {a})"],
        "waits",
        "build {newer} waits for build {a}, which is of an older run and has not ended well",
        "SELECT count(*) FROM build_dependencies",
        1,
    ),
    "a counter too high": (
        ["UPDATE build_status SET waiting_for = 2 WHERE id = {b}"],
        "waits",
        "build {b} has 2 builds to wait for by its counter, and 1 in truth",
        "SELECT status FROM build_status WHERE id = {b}",
        "BLOCKED",
    ),
    "a counter that nothing would count down": (
        ["DELETE FROM build_dependencies"],
        "waits",
        "build {b} has 1 builds to wait for by its counter, and 0 in truth",
        "SELECT status FROM build_status WHERE id = {b}",
        "QUEUED",
    ),
    "a counter of a build that may not go on": (
        ["DELETE FROM build_dependencies", "UPDATE packages SET status = 'QUARANTINED' WHERE id = {app}"],
        "waits",
        "build {b} has 1 builds to wait for by its counter, and 0 in truth",
        "SELECT status FROM build_status WHERE id = {b}",
        "BLOCKED",
    ),
    # attempts
    "an attempt of which only the artifact is left": (
        ["INSERT INTO artifacts (name, uri, build_id, attempt) VALUES ('a', 'file:///a', {a}, 2)"],
        "attempts",
        "build {a} was tried a 2. time, of which there is no attempt",
        "SELECT attempt FROM build_status WHERE id = {a}",
        2,
    ),
    # runs
    "a run without a conclusion": (
        [
            "UPDATE build_status SET status = 'COMPLETED', conclusion = 'FAILURE', completed_at = '2026-01-01', "
            "waiting_for = 0",
            "UPDATE build_runs SET status = 'COMPLETED', completed_at = '2026-01-01' WHERE id = {run}",
        ],
        "runs",
        "run {run} is COMPLETED without a conclusion",
        "SELECT conclusion FROM build_runs WHERE id = {run}",
        "FAILURE",
    ),
    "a run that ended too early": (
        [
            "UPDATE build_runs SET status = 'COMPLETED', conclusion = 'SUCCESS', completed_at = '2026-01-01' "
            "WHERE id = {run}"
        ],
        "runs",
        "run {run} is COMPLETED, and yet has builds that are not",
        "SELECT status FROM build_runs WHERE id = {run}",
        "RUNNING",
    ),
    "a run that nobody has completed": (
        [
            "UPDATE build_status SET status = 'COMPLETED', conclusion = 'SUCCESS', completed_at = '2026-01-01', "
            "waiting_for = 0",
        ],
        "runs",
        "run {run} is RUNNING, and yet each of its builds is COMPLETED",
        "SELECT conclusion FROM build_runs WHERE id = {run}",
        "SUCCESS",
    ),
    # alerts
    "an alert resolved at no time": (
        ["UPDATE alerts SET status = 'RESOLVED'"],
        "alerts",
        "alert {alert} is RESOLVED, and not known since when",
        "SELECT resolved_at IS NULL FROM alerts",
        0,
    ),
    "an alert resolved too early": (
        ["UPDATE alerts SET resolved_at = '2026-01-01 00:00:00.000000'"],
        "alerts",
        "alert {alert} is PENDING, and yet has a moment at which it was resolved",
        "SELECT resolved_at FROM alerts",
        None,
    ),
    "an alert acknowledged at no time": (
        ["UPDATE alerts SET status = 'ACKNOWLEDGED'"],
        "alerts",
        "alert {alert} is ACKNOWLEDGED, and not known since when",
        "SELECT acknowledged_at IS NULL FROM alerts",
        0,
    ),
    # events
    "an event of no kind": (
        ["UPDATE events SET kind = 'FOO' WHERE seq = 1"],
        "events.subjects",
        "event 1 is of the kind FOO and tells of a PACKAGE",
        "SELECT kind FROM events WHERE seq = 1",
        "PACKAGE_CHANGED",
    ),
    "an event of nothing": (
        ["UPDATE events SET subject_type = 'FOO' WHERE seq = 1"],
        "events.subjects",
        "event 1 is of the kind PACKAGE_CHANGED and tells of a FOO",
        "SELECT subject_type FROM events WHERE seq = 1",
        "PACKAGE",
    ),
    "an event of a transition that is gone": (
        ["UPDATE events SET transition_id = 999 WHERE seq = 1"],
        "events.subjects",
        "event 1 refers to transition 999, which is not there",
        "SELECT transition_id FROM events WHERE seq = 1",
        None,
    ),
    "a gap in the log": (
        ["DELETE FROM events WHERE seq = 3"],
        "events.gaps",
        "event 4 has position 4, and the one before it 2: what was between is lost",
        "SELECT min(seq) FROM events",
        4,
    ),
    # history
    "a state without a history": (
        ["DELETE FROM state_tracking WHERE subject_type = 'PACKAGE' AND subject_id = {app}"],
        "history.missing",
        "package app is ACTIVE, and its history does not say since when",
        "SELECT actor FROM state_tracking WHERE subject_type = 'PACKAGE' AND subject_id = {app}",
        "doctor",
    ),
    "a state that the history does not know": (
        ["UPDATE packages SET status = 'ARCHIVED' WHERE id = {app}"],
        "history.behind",
        "package app is ARCHIVED, and its history ends with ACTIVE",
        "SELECT max(target) FROM state_tracking WHERE subject_type = 'PACKAGE' AND subject_id = {app}",
        "ARCHIVED",
    ),
    "a history that begins in the middle": (
        [
            "UPDATE state_tracking SET origin = 'DEPRECATED' WHERE subject_type = 'PACKAGE' AND subject_id = {app}"
        ],
        "history.moves",
        "package app has in its history, as transition",
        "SELECT count(*) FROM state_tracking WHERE subject_type = 'PACKAGE' AND subject_id = {app}",
        2,
    ),
    "a move that no life cycle knows": (
        ["INSERT INTO state_tracking (subject_type, subject_id, origin, target, at) "
         "VALUES ('VERSION', {app1}, 'PUBLISHED', 'DRAFT', '2026-01-01 00:00:00.000000')",
         "UPDATE package_versions SET status = 'DRAFT' WHERE id = {app1}"],
        "history.moves",
        "a move from PUBLISHED to DRAFT, which no version makes",
        "SELECT max(actor) FROM state_tracking WHERE subject_type = 'VERSION' AND subject_id = {app1}",
        "doctor",
    ),
    "a beginning that no life cycle knows": (
        [
            "UPDATE state_tracking SET target = 'RUNNING' WHERE subject_type = 'BUILD' AND subject_id = {a}",
            "INSERT INTO state_tracking (subject_type, subject_id, origin, target, at) "
            "VALUES ('BUILD', {a}, 'RUNNING', 'QUEUED', '2026-01-01 00:00:00.000000')",
        ],
        "history.moves",
        "a move from None to RUNNING, which no build makes",
        "SELECT count(*) FROM state_tracking WHERE subject_type = 'BUILD' AND subject_id = {a} AND actor = 'doctor'",
        1,
    ),
    # versions
    "a key that sorts wrongly": (
        ["UPDATE package_versions SET is_prerelease = false WHERE id = {lib2}"],
        "versions",
        "version lib 2.0rc1 is not sorted as what it is",
        "SELECT is_prerelease FROM package_versions WHERE id = {lib2}",
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MENDED)
def test_a_fault_that_can_be_mended_is_found_and_mended(world: World, case: str) -> None:
    statements, check, problem, query, expected = MENDED[case]
    if case == "a wait for an older run":
        newer = add_build(world.database, add_run(world.database), (world.names["lib"], world.names["lib2"]))
        world = World(world.url, world.database, {**world.names, "newer": newer})
    world.forge(*statements)

    found = world.found()
    result = world.repair()

    said = [f"{finding.subject} {finding.problem}" for finding in found[check]]
    assert any(problem.format(**world.names) in line for line in said), said
    assert all(finding.is_mendable for finding in found[check])
    assert result.mended[check] >= 1
    assert result.refused == {}
    assert result.left.is_content, result.left
    assert world.one(query) == expected


LEFT = {
    "a state that there is not": (
        ["UPDATE packages SET status = 'FOO' WHERE id = {app}"],
        "values",
        "package app has FOO for status, which is not allowed",
    ),
    "a build that waits for itself": (
        ["INSERT INTO build_dependencies VALUES ({a}, {a})"],
        "values",
        "build {a} breaks the constraint itself",
    ),
    "an event of nothing at all": (
        ["UPDATE events SET kind = 'FOO', subject_type = 'BAR' WHERE seq = 1"],
        "events.subjects",
        "event 1 is of the kind FOO and tells of a BAR",
    ),
    "a version that is none": (
        ["UPDATE package_versions SET version = 'one' WHERE id = {app1}"],
        "versions",
        "version {app1} 'one' is not a version",
    ),
    "two equal versions": (
        ["UPDATE package_versions SET version = '1.0.0' WHERE id = {lib2}"],
        "versions",
        "version lib 1.0.0 is not sorted as what it is",
    ),
    "a name that is none": (
        ["UPDATE packages SET name = 'a b' WHERE id = {app}"],
        "packages",
        "package {app} 'a b' is not a package name",
    ),
    "a dependency on a name that is none": (
        ["UPDATE dependencies SET package_name = 'a b'"],
        "dependencies",
        "dependency of app 1.0 on a b 'a b' is not a package name",
    ),
    "a constraint that is none": (
        [
            "UPDATE dependencies SET \"constraint\" = '>>1'",
            'INSERT INTO dependencies (package_name, "constraint", kinds, optional, version_id, position) '
            "VALUES ('app', '>>1', 1, false, {lib1}, 0)",
        ],
        "dependencies",
        "dependency of app 1.0 on lib, and 1 more say it '>>1' is not a constraint",
    ),
}


@pytest.mark.parametrize("case", LEFT)
def test_a_fault_that_cannot_be_mended_is_found_and_left_as_it_is(world: World, case: str) -> None:
    statements, check, problem = LEFT[case]
    world.forge(*statements)

    found = world.found()
    result = world.repair()

    said = [f"{finding.subject} {finding.problem}" for finding in found[check]]
    assert any(problem.format(**world.names) in line for line in said), said
    assert not any(finding.is_mendable for finding in found[check])
    assert set(world.found()) == {check}
    assert not result.left.is_content


def test_keys_that_two_versions_have_taken_from_each_other_are_given_back(world: World) -> None:
    keys = "SELECT version, sort_key FROM package_versions ORDER BY id"
    before = rows(world.url, keys)
    _swap(world)

    assert world.repair().left.is_content

    assert rows(world.url, keys) == before


def _swap(world: World) -> None:
    one, other = (
        world.one(f"SELECT sort_key FROM package_versions WHERE id = {{{n}}}") for n in ("lib1", "lib2")
    )
    form = "'\\x{}'" if is_postgres(world.url) else "x'{}'"
    first, second = (form.format(bytes(key).hex()) for key in (one, other))  # type: ignore[call-overload]
    world.forge(
        f"UPDATE package_versions SET sort_key = {form.format('00')} WHERE id = {{lib1}}",
        f"UPDATE package_versions SET sort_key = {first} WHERE id = {{lib2}}",
        f"UPDATE package_versions SET sort_key = {second} WHERE id = {{lib1}}",
    )


def test_whoever_watches_is_told_of_what_was_mended(world: World) -> None:
    before = world.database.cursor()
    world.forge(
        "UPDATE build_status SET conclusion = 'SUCCESS' WHERE id = {a}",
        "UPDATE build_runs SET conclusion = 'SUCCESS' WHERE id = {run}",
        "UPDATE alerts SET resolved_at = '2026-01-01'",
        "UPDATE package_versions SET is_prerelease = true WHERE id = {app1}",
    )

    world.repair()

    with world.database.read() as connection:
        told = after(connection, before, limit=10)
    assert [(row.kind, row.subject_id, row.package, row.version, row.run_id) for row in told] == [
        (EventKind.BUILD_CHANGED, world.names["a"], "lib", "1.0", world.names["run"]),
        (EventKind.RUN_CHANGED, world.names["run"], None, None, world.names["run"]),
        (EventKind.ALERT_CHANGED, world.names["alert"], None, None, None),
        (EventKind.VERSION_CHANGED, world.names["app1"], "app", "1.0", None),
    ]


def test_the_history_says_that_doctor_moved_a_run(world: World) -> None:
    world.forge(
        "UPDATE build_runs SET status = 'COMPLETED', conclusion = 'SUCCESS', completed_at = '2026-01-01'"
    )

    world.repair()

    with world.database.read() as connection:
        page = history.page(connection, SubjectType.RUN, world.names["run"], limit=10)
    assert [(row.origin, row.target, row.actor) for row in page] == [
        (None, "RUNNING", None),
        ("COMPLETED", "RUNNING", "doctor"),
        ("RUNNING", "RUNNING", "doctor"),
    ]


def test_an_event_that_never_got_a_position_gets_the_next(database_url: str) -> None:
    with closing(Database.open(database_url)) as database:
        import_catalogue(database, CATALOGUE, on_error=OnError.STOP, now=NOW)
        newest = database.cursor()
    forge(
        database_url,
        f"UPDATE events SET seq = NULL, at = '2020-01-01 00:00:00.000000' WHERE seq = {newest}",
    )

    # Whoever only reads does not number events.
    with closing(Database.open(database_url)) as database:
        world = World(database_url, database, {})
        (finding,) = world.found()["events.positions"]
        result = world.repair()

        assert "has no position, so nobody is told of it" in finding.problem
        assert result.left.is_content
        assert database.cursor() == newest


@pytest.mark.parametrize("table", ["packages", "events"])
def test_an_id_that_would_be_given_again_is_not(world: World, table: str) -> None:
    world.carry_out(
        f"SELECT setval('{table}_id_seq', 1)"
        if is_postgres(world.url)
        else f"UPDATE sqlite_sequence SET seq = 1 WHERE name = '{table}'"
    )

    (finding,) = world.found()["ids"]
    result = world.repair()

    assert str(finding.subject) == f"table {table}"
    assert result.mended == {"ids": 1}
    assert result.left.is_content


def test_only_so_many_findings_are_shown_of_very_many(world: World) -> None:
    many = MOST_SHOWN + 5
    import_catalogue(
        world.database, (b'{"name":"p%d"}' % n for n in range(many)), on_error=OnError.STOP, now=NOW
    )
    world.forge("UPDATE packages SET status = 'ARCHIVED' WHERE name LIKE 'p%'")

    look = next(look for look in doctor.examine(world.database).looks if look.check == "history.behind")
    result = world.repair()

    assert (look.found.total, len(look.found.findings)) == (many, MOST_SHOWN)
    assert result.mended == {"history.behind": many}
    assert result.left.is_content


def test_missing_triggers_and_indices_are_made_anew(world: World) -> None:
    on = " ON packages" if is_postgres(world.url) else ""
    world.carry_out(
        f"DROP TRIGGER packages_move{on}",
        "DROP INDEX ix_packages_created_at_id",
        "DROP INDEX ix_alerts_open",
        "CREATE INDEX ix_alerts_open ON alerts (rule_id)",
        "CREATE INDEX ix_mine ON packages (description)",
    )

    found = world.found()
    result = world.repair()

    assert [str(finding.subject) for finding in found["schema.triggers"]] == [
        "trigger packages_move of packages"
    ]
    assert sorted(f"{finding.subject} {finding.problem}" for finding in found["schema.indices"]) == [
        "index ix_alerts_open of alerts is not as it should be",
        "index ix_packages_created_at_id of packages is missing",
    ]
    assert result.mended == {"schema.triggers": 1, "schema.indices": 2}
    assert result.left.is_content


def test_an_index_that_the_rows_do_not_allow_is_left_out(world: World) -> None:
    world.carry_out("DROP INDEX ix_alerts_open")
    world.database.write(lambda connection: _two_alerts(connection, world.names["alert"]))

    result = world.repair()

    assert result.mended == {"schema.indices": 0}
    assert [look.check for look in result.left.looks if look.found.total] == ["schema.indices"]


def _two_alerts(connection: Connection, alert: int) -> None:
    rule = connection.exec_driver_sql(f"SELECT rule_id FROM alerts WHERE id = {alert}").scalar_one()
    written.alert(connection, rule_id=rule)


def test_a_trigger_of_somebody_else_is_told_of_and_left(world: World) -> None:
    world.carry_out(
        "CREATE TRIGGER mine BEFORE UPDATE ON packages FOR EACH ROW EXECUTE FUNCTION touch_updated_at()"
        if is_postgres(world.url)
        else "CREATE TRIGGER mine AFTER UPDATE ON packages BEGIN SELECT 1; END"
    )

    result = world.repair()

    (finding,) = next(look.found.findings for look in result.left.looks if look.found.total)
    assert finding.problem == "is not part of Buildatlas"
    assert not finding.is_mendable


def test_a_lost_column_is_told_of_and_nothing_else_is_tried(world: World) -> None:
    world.carry_out("ALTER TABLE workers DROP COLUMN labels")

    examination = doctor.examine(world.database)

    assert [look.check for look in examination.looks] == [
        "integrity",
        "schema.triggers",
        "schema.indices",
        "schema.tables",
    ]
    (finding,) = examination.looks[-1].found.findings
    assert (finding.subject, finding.problem) == ("column labels of workers", "is missing")
    assert not finding.is_mendable


def test_constraints_and_disabled_triggers_are_mended_on_postgresql() -> None:
    with postgres.migrated_database() as url, closing(Database.open(url)) as database:
        carry_out(
            url,
            "ALTER TABLE packages DROP CONSTRAINT uq_packages_name",
            "ALTER TABLE packages DROP CONSTRAINT ck_packages_name",
            "ALTER TABLE build_status DROP CONSTRAINT fk_build_status_cause_id",
            "ALTER TABLE packages DISABLE TRIGGER packages_touch",
        )

        result = doctor.repair(database, now=NOW)

    assert result.mended == {"schema.triggers": 1, "schema.tables": 3}
    assert result.left.is_content


def test_mending_what_is_whole_changes_nothing(world: World) -> None:
    before = world.database.cursor()

    for check in checks.all_checks(world.database, *doctor._OURS):
        assert checks.mend(world.database, check, now=NOW) == 0, check.name

    assert world.database.cursor() == before
    assert world.found() == {}


def test_mending_ends_after_some_rounds_though_more_could_be_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_ROUNDS", 1)
    # Without its package the one build is gone too, and the other has nothing to wait for any more.
    world.forge(
        "DELETE FROM packages WHERE id = {lib}", "UPDATE build_status SET package_id = {app} WHERE id = {a}"
    )

    assert world.repair().mended["references"] > 0


def test_a_table_of_sqlite_without_a_constraint_is_told_of(tmp_path: Path) -> None:
    path = str(tmp_path / "atlas.db")
    with closing(Database.open(path)) as database:
        world = World(path, database, {})
        carry_out(
            path,
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = replace(sql, 'CHECK (position >= 0)', 'CHECK (position >= -1)')",
        )

        (finding,) = world.found()["schema.tables"]

    assert finding.subject == "constraint ck_dependencies_position of dependencies"
    assert finding.remedy == "back up, and restore that into a new database, whose tables will have it"


def test_an_index_that_disagrees_with_its_table_is_made_anew(tmp_path: Path) -> None:
    path = str(tmp_path / "atlas.db")
    Database.open(path).close()
    _hide_index(path)
    with closing(Database.open(path)) as database:
        found = World(path, database, {}).found()
        result = doctor.repair(database, now=NOW)

    assert found["integrity"][0].is_mendable
    assert result.left.is_content


def _hide_index(path: str) -> None:
    """Have a row written while its table seems to have no such index."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        index = connection.execute(
            "SELECT * FROM sqlite_master WHERE name = 'ix_workers_last_seen_at'"
        ).fetchone()
        connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_workers_last_seen_at'")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO workers (name, labels, last_seen_at, created_at, updated_at) VALUES ('w', '{}', "
            "'2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000')"
        )
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", index)


def test_a_damaged_page_is_told_of(tmp_path: Path) -> None:
    path = str(tmp_path / "atlas.db")
    Database.open(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'alerts')"
            " WHERE name = 'api_tokens'"
        )
    with closing(Database.open(path)) as database:
        findings = World(path, database, {}).found()["integrity"]

    assert not any(finding.is_mendable for finding in findings)
    assert findings[0].remedy == "restore a backup"


def test_a_refusal_to_mend_says_which_check_met_it_and_why() -> None:
    assert str(MendRefused("ids", "permission denied")) == "ids could not be mended: permission denied"
