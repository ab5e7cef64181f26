"""Packages: found, listed page by page, changed."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import packages
from storage.columns import MAX_NAME
from storage.database import Database
from storage.packages import PackageFilter, PackageOrder, PackageOrderField
from storage.rows import PackageRow
from storage.tables import PackageFields
from storage.transitions import PackageStatus
from tests.storage.world import LATER, NOW, add_package

_EVERYTHING = PackageFilter()
_BY_NAME = PackageOrder()


def test_a_package_comes_back_as_it_was_written(database: Database) -> None:
    labels = {"team": "compilers", "ring": "0"}

    id_ = add_package(
        database, "@babel/core", description="Ünïcode", status="ARCHIVED", status_reason="done", labels=labels
    )

    with database.read() as connection:
        row = packages.by_name(connection, "@babel/core")
        assert packages.by_ids(connection, [id_, 99]) == {id_: row}
    assert row == PackageRow(
        id_, "@babel/core", "Ünïcode", PackageStatus.ARCHIVED, "done", labels, created_at=NOW, updated_at=NOW
    )


def test_names_are_told_apart_by_case(database: Database) -> None:
    lower, upper = add_package(database, "flux"), add_package(database, "Flux")

    with database.read() as connection:
        found = packages.by_names(connection, ["flux", "Flux", "FLUX"])

    assert {name: row.id for name, row in found.items()} == {"flux": lower, "Flux": upper}


@pytest.mark.parametrize("name", ["nobody", "", "app\0", "app\ud800", "'; DROP TABLE packages; --"])
def test_a_name_that_nobody_has_finds_nothing(database: Database, name: str) -> None:
    add_package(database, "app")

    with database.read() as connection:
        assert packages.by_name(connection, name) is None


def test_an_id_of_any_size_may_be_asked_for(database: Database) -> None:
    with database.read() as connection:
        assert packages.by_ids(connection, [-1, 0, 2**63, 2**200]) == {}


def test_thousands_of_names_are_looked_up_in_one_statement(tmp_path: Path) -> None:
    statements: list[str] = []
    database = Database.open(str(tmp_path / "atlas.db"), trace=statements.append)
    add_package(database, "app")
    with database.read() as connection:
        statements.clear()

        found = packages.by_names(connection, ["app", *(f"p{number}" for number in range(40_000))])

    assert list(found) == ["app"]
    assert sum(text.startswith("SELECT") for text in statements) == 1
    database.close()


def test_names_are_sorted_by_their_bytes(database: Database) -> None:
    ids = {name: add_package(database, name) for name in ["b", "B", "a-1", "a.1", "@z"]}

    with database.read() as connection:
        assert packages.names(connection) == ["@z", "B", "a-1", "a.1", "b"]
        assert packages.ids_and_names(connection) == [
            (ids[name], name) for name in packages.names(connection)
        ]


def test_names_of_one_status_are_listed(database: Database) -> None:
    add_package(database, "b")
    add_package(database, "a")
    add_package(database, "old", status="ARCHIVED")

    with database.read() as connection:
        assert packages.names_in(connection, PackageStatus.ACTIVE) == ["a", "b"]


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (PackageFilter(), ["50%_off", "50x_off", "Flux", "FluxML", "NNflux"]),
        (PackageFilter(name_contains="FLUX"), ["Flux", "FluxML", "NNflux"]),
        (PackageFilter(name_starts_with="flux"), ["Flux", "FluxML"]),
        (PackageFilter(name_starts_with="flux", name_contains="ml"), ["FluxML"]),
        (PackageFilter(name_contains="%"), ["50%_off"]),
        (PackageFilter(name_contains="x_"), ["50x_off"]),
        (PackageFilter(name_contains="\\"), []),
        (PackageFilter(name_contains="\0"), []),
        (PackageFilter(name_contains="f" * 60_000), []),
        (PackageFilter(name_starts_with="%" * 60_000), []),
        (PackageFilter(name_starts_with="\ud800"), []),
        (PackageFilter(statuses=(PackageStatus.DEPRECATED, PackageStatus.ARCHIVED)), ["NNflux"]),
        (PackageFilter(statuses=()), []),
    ],
)
def test_a_filter_lets_through_what_it_says(
    database: Database, filter: PackageFilter, expected: list[str]
) -> None:
    for name in ["50%_off", "50x_off", "Flux", "FluxML"]:
        add_package(database, name)
    add_package(database, "NNflux", status="DEPRECATED")

    with database.read() as connection:
        page = packages.page(connection, filter, order=_BY_NAME, limit=10)
        assert packages.count(connection, filter) == len(expected)
    assert [row.name for row in page] == expected


def test_the_longest_name_is_found_by_all_of_it(database: Database) -> None:
    id_ = add_package(database, "_" * MAX_NAME)
    whole = PackageFilter(name_contains="_" * MAX_NAME, name_starts_with="_" * MAX_NAME)

    with database.read() as connection:
        assert [row.id for row in packages.page(connection, whole, order=_BY_NAME, limit=2)] == [id_]


@given(st.data())
def test_pages_put_together_are_the_list_in_either_direction(data: st.DataObject) -> None:
    order = PackageOrder(data.draw(st.sampled_from(PackageOrderField)), data.draw(st.booleans()))
    size = data.draw(st.integers(1, 4))
    database = _populated()
    with database.read() as connection:
        whole = packages.page(connection, _EVERYTHING, order=order, limit=100)
        forwards: list[PackageRow] = []
        while page := packages.page(
            connection,
            _EVERYTHING,
            order=order,
            limit=size,
            after=packages.position_of(forwards[-1], order) if forwards else None,
        ):
            forwards += page
        backwards: list[PackageRow] = []
        while page := packages.page(
            connection,
            _EVERYTHING,
            order=order,
            limit=size,
            before=packages.position_of(backwards[0], order) if backwards else None,
            backwards=True,
        ):
            backwards = page + backwards

    names = [row.name for row in whole]
    assert [row.name for row in forwards] == names
    assert [row.name for row in backwards] == names
    key = order.field.value.lower()
    assert whole == sorted(whole, key=lambda row: (getattr(row, key), row.id), reverse=order.descending)


_POPULATED: list[Database] = []


def _populated() -> Database:
    return _POPULATED[0]


@pytest.fixture(autouse=True, scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Seven packages, three of them made at the same moment."""
    database = Database.open(str(tmp_path_factory.mktemp("pages") / "atlas.db"))
    for number, name in enumerate("gcaebdf"):
        add_package(database, name, at=NOW + timedelta(seconds=max(0, number - 2)))
    _POPULATED.append(database)
    yield database
    database.close()


def test_a_page_between_two_places_holds_what_lies_between(database: Database) -> None:
    for name in "abcdef":
        add_package(database, name)

    with database.read() as connection:
        rows = packages.by_names(connection, "abcdef")
        page = packages.page(
            connection,
            _EVERYTHING,
            order=_BY_NAME,
            limit=10,
            after=packages.position_of(rows["b"], _BY_NAME),
            before=packages.position_of(rows["e"], _BY_NAME),
        )

    assert [row.name for row in page] == ["c", "d"]


def test_a_change_sets_all_but_the_name(database: Database) -> None:
    id_ = add_package(database, "app", description="old", labels={"a": "1"})
    fields = PackageFields(
        name="other",
        description="new",
        status=PackageStatus.DEPRECATED,
        status_reason="why",
        labels={"b": "2"},
    )

    assert database.write(lambda connection: packages.update(connection, id_, fields, now=LATER)).value

    with database.read() as connection:
        row = packages.by_ids(connection, [id_])[id_]
    assert row == PackageRow(
        id_, "app", "new", PackageStatus.DEPRECATED, "why", {"b": "2"}, created_at=NOW, updated_at=LATER
    )


def test_a_move_that_the_life_cycle_does_not_know_changes_nothing(database: Database) -> None:
    id_ = add_package(database, "app", status="ARCHIVED")
    fields = PackageFields(name="app", description="new", status=PackageStatus.DEPRECATED)

    assert not database.write(lambda connection: packages.update(connection, id_, fields, now=LATER)).value

    with database.read() as connection:
        assert packages.by_ids(connection, [id_])[id_].description == ""
