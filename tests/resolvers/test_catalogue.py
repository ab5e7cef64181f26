import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

import resolvers.catalogue
from graph.catalogue import Candidate, Candidates, Status
from graph.resolution import Conflict, Question, Resolution
from graph.solver import solve
from resolvers.atlas import Atlas
from resolvers.catalogue import _Holding
from resolvers.drafts import UpdateRequest
from resolvers.packages import delete, update
from resolvers.trimming import Retention, trim_events
from resolvers.versions import StatusRequest, set_status
from storage.database import Database
from storage.transitions import PackageStatus, VersionStatus
from tests.graph.strategies import questions, universes
from tests.graph.universe import Universe, universe, wants
from tests.resolvers.registry import NOW, add, fill

CHAIN = """
    app 1 needs lib >=1
    lib 1 needs base
    lib 2 yanked
    base 1
"""


def answered(atlas: Atlas, *requirements: str) -> dict[str, str] | None:
    with atlas.registry.snapshot() as snapshot:
        result = solve(snapshot, Question(wants(*requirements)))
    return None if isinstance(result, Conflict) else {pin.package: pin.version for pin in result.pins}


@settings(max_examples=40, deadline=None)
@given(universes(), questions())
def test_a_stored_catalogue_answers_as_the_same_catalogue_in_memory(
    index: Universe, question: Question
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(f"{folder}/registry.db")
        fill(database, index)
        with Atlas(database).registry.snapshot() as snapshot:
            from_storage = solve(snapshot, question)
        database.close()

    in_memory = solve(index, question)
    assert from_storage == in_memory


@pytest.fixture
def atlas(database: Database) -> Atlas:
    fill(database, universe(CHAIN))
    return Atlas(database)


def test_a_question_reads_in_batches_and_the_next_one_reads_nothing(database_url: str) -> None:
    statements: list[str] = []
    names = [f"p{number}" for number in range(50)]
    text = f"app 1 needs {'; '.join(names)}\n" + "\n".join(f"{n} 1 needs leaf" for n in names) + "\nleaf 1"
    with closing(Database.open(database_url, trace=statements.append)) as database:
        fill(database, universe(text))
        atlas = Atlas(database)
        first, second = _asked(atlas, statements), _asked(atlas, statements)

    assert 0 < len(first) <= 8
    assert second == []


def _asked(atlas: Atlas, statements: list[str]) -> list[str]:
    """Return what is read of packages and dependencies to answer a question."""
    statements.clear()
    answered(atlas, "app")
    return [text for text in statements if "FROM packages" in text or "FROM dependencies" in text]


def test_what_is_asked_for_is_read_however_little_is_read_ahead(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolvers.catalogue, "_MOST_AHEAD", 2)
    names = [f"p{number}" for number in range(10)]
    fill(database, universe("\n".join(f"{name} 1 needs leaf" for name in names) + "\nleaf 1"))
    atlas = Atlas(database)

    assert answered(atlas, *names) == dict.fromkeys([*names, "leaf"], "1")


def test_what_is_published_is_seen_by_the_next_question(atlas: Atlas) -> None:
    assert answered(atlas, "app") == {"app": "1", "lib": "1", "base": "1"}

    add(atlas, "base 2 needs extra\nextra 1")

    assert answered(atlas, "app") == {"app": "1", "lib": "1", "base": "2", "extra": "1"}


def test_what_was_published_is_seen_though_the_events_that_told_of_it_are_trimmed(atlas: Atlas) -> None:
    assert answered(atlas, "app") == {"app": "1", "lib": "1", "base": "1"}

    add(atlas, "base 2 needs extra\nextra 1")
    trim_events(atlas.database, Retention(events=1, age=timedelta(days=1)), now=NOW)

    assert answered(atlas, "app") == {"app": "1", "lib": "1", "base": "2", "extra": "1"}


def test_a_change_of_status_is_seen_by_the_next_question(atlas: Atlas) -> None:
    assert answered(atlas, "lib ==1") is not None

    set_status(atlas.database, StatusRequest("lib", "1", VersionStatus.QUARANTINED), now=NOW)

    assert answered(atlas, "lib") is None
    assert answered(atlas, "lib ==2") == {"lib": "2"}


def test_a_quarantined_package_is_seen_by_the_next_question(atlas: Atlas) -> None:
    assert answered(atlas, "base") is not None

    update(atlas.database, UpdateRequest("base", status=PackageStatus.QUARANTINED), now=NOW)

    assert answered(atlas, "base") is None


def test_a_deleted_package_is_unknown_to_the_next_question(atlas: Atlas) -> None:
    assert answered(atlas, "base") is not None

    delete(atlas.database, "base", force=True, now=NOW)

    assert answered(atlas, "base") is None


def test_a_pin_declared_by_a_new_version_lets_a_yanked_one_in(atlas: Atlas) -> None:
    assert answered(atlas, "lib >1") is None

    add(atlas, "other 1 needs lib ==2")

    assert answered(atlas, "lib >1") == {"lib": "2"}


def test_a_snapshot_does_not_see_what_is_written_after_it_was_taken(atlas: Atlas) -> None:
    with atlas.registry.snapshot() as snapshot:
        before = solve(snapshot, Question(wants("base")))
        add(atlas, "base 9")
        assert answered(atlas, "base") == {"base": "9"}
        after = solve(snapshot, Question(wants("base", "lib")))

    assert isinstance(before, Resolution)
    assert isinstance(after, Resolution)
    assert {pin.package: pin.version for pin in after.pins} == {"base": "1", "lib": "1"}


def test_a_reader_behind_what_others_have_seen_answers_from_its_own_past(atlas: Atlas) -> None:
    with atlas.database.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM packages")
        add(atlas, "base 9")
        assert answered(atlas, "base") == {"base": "9"}

        result = solve(atlas.registry.snapshot_of(connection), Question(wants("base")))

    assert isinstance(result, Resolution)
    assert [pin.version for pin in result.pins] == ["1"]


def test_after_very_many_changes_everything_is_read_again(
    atlas: Atlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolvers.catalogue, "MOST_EVENTS", 1)
    assert answered(atlas, "base") == {"base": "1"}

    add(atlas, "base 2\nbase 3")

    assert answered(atlas, "base") == {"base": "3"}


def test_what_a_question_adds_while_a_holding_is_carried_over_does_not_outlive_it() -> None:
    """A question under way adds what it reads of the past to the holding that is being copied."""
    holding = _Holding(1)
    app = Candidates("app", Status.ACTIVE, (Candidate(7, "1", b"1", False, Status.PUBLISHED, None),))

    class Interrupted(dict[str, Candidates]):
        def keys(self) -> Any:
            names = list(super().keys())
            holding.candidates["app"] = app
            holding.declared[7] = ()
            return names

        def __iter__(self) -> Iterator[str]:
            return iter(self.keys())

    holding.candidates = Interrupted()

    assert 7 not in holding.without({"app"}, 2).declared
