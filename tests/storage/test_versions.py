"""Versions: found by key, listed newest first, and which of them is the latest."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import versions
from storage.database import Connection, Database
from storage.rows import CandidateRow, PackageCandidates, VersionRow
from storage.transitions import PackageStatus, VersionStatus
from tests.storage.world import LATER, NOW, add_package, add_version, key

_RELEASED = datetime(2023, 8, 1, tzinfo=UTC)


def test_a_version_comes_back_as_it_was_written(database: Database) -> None:
    package = add_package(database, "app")
    fields = {
        "released_at": _RELEASED,
        "digest": "sha256:00",
        "labels": {"a": "1"},
        "status_reason": "broken",
    }

    id_ = add_version(database, package, "1.2rc", status=VersionStatus.YANKED, **fields)

    expected = VersionRow(
        id=id_,
        package_id=package,
        version="1.2rc",
        sort_key=key("1.2rc"),
        is_prerelease=True,
        status=VersionStatus.YANKED,
        status_reason="broken",
        released_at=_RELEASED,
        digest="sha256:00",
        labels={"a": "1"},
        created_at=NOW,
        updated_at=NOW,
    )
    with database.read() as connection:
        assert versions.by_ids(connection, [id_, 99]) == {id_: expected}
        assert versions.by_key(connection, package, key("1.2rc")) == expected
        assert versions.by_key(connection, package, key("1.2")) is None


def test_versions_of_packages_are_given_between_two_keys(database: Database) -> None:
    app, lib, empty = (add_package(database, name) for name in ("app", "lib", "empty"))
    for version in ("1.10", "1.9", "2.0"):
        add_version(database, app, version)
    add_version(database, lib, "1.9")

    with database.read() as connection:
        everything = versions.of_packages(connection, [app, lib, empty])
        some = versions.of_packages(connection, [app, lib], lowest=key("1.9"), highest=key("1.10"))

    assert _texts(everything) == {app: ["1.9", "1.10", "2.0"], lib: ["1.9"], empty: []}
    assert _texts(some) == {app: ["1.9", "1.10"], lib: ["1.9"]}


def _texts(found: dict[int, dict[bytes, VersionRow]]) -> dict[int, list[str]]:
    return {id_: [row.version for row in rows.values()] for id_, rows in found.items()}


@pytest.mark.parametrize(
    ("published", "latest"),
    [
        ([("1.0", "PUBLISHED"), ("1.10", "PUBLISHED"), ("1.9", "PUBLISHED")], "1.10"),
        ([("1.0", "PUBLISHED"), ("2.0rc", "PUBLISHED")], "1.0"),
        ([("1.0rc", "PUBLISHED"), ("2.0rc", "PUBLISHED")], "2.0rc"),
        ([("1.0", "PUBLISHED"), ("2.0", "YANKED"), ("3.0", "DRAFT"), ("4.0", "DEPRECATED")], "1.0"),
        ([("1.0", "QUARANTINED")], None),
        ([], None),
    ],
)
def test_the_latest_version_is_the_newest_published_final_one_else_the_newest_published_one(
    database: Database, published: list[tuple[str, str]], latest: str | None
) -> None:
    package, other = add_package(database, "app"), add_package(database, "other")
    for version, status in published:
        add_version(database, package, version, status=VersionStatus(status))
    add_version(database, other, "9.9")

    with database.read() as connection:
        found = versions.latest_of(connection, [package])

    assert {id_: row.version for id_, row in found.items()} == ({package: latest} if latest else {})


@given(st.integers(1, 3), st.booleans())
def test_pages_of_versions_put_together_are_all_newest_first(size: int, backwards: bool) -> None:
    database, ids = _POPULATED[0]
    gathered: dict[int, list[VersionRow]] = {id_: [] for id_ in ids}
    with database.read() as connection:
        for id_ in ids:
            while page := _next_page(connection, id_, gathered[id_], size, backwards=backwards):
                gathered[id_] = page + gathered[id_] if backwards else gathered[id_] + page

    expected = [["2.0", "1.10", "1.9", "1.9rc", "1.0"], ["3.0"], []]
    assert [[row.version for row in rows] for rows in gathered.values()] == expected


def _next_page(
    connection: Connection, id_: int, have: list[VersionRow], size: int, *, backwards: bool
) -> list[VersionRow]:
    place = (have[0] if backwards else have[-1]).sort_key if have else None
    pages = versions.pages_of(
        connection,
        [id_],
        limit=size,
        after=None if backwards else place,
        before=place if backwards else None,
        backwards=backwards,
    )
    return pages[id_]


_POPULATED: list[tuple[Database, list[int]]] = []


@pytest.fixture(autouse=True, scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Three packages, with five, one and no versions."""
    database = Database.open(str(tmp_path_factory.mktemp("pages") / "atlas.db"))
    ids = [add_package(database, name) for name in ("app", "lib", "empty")]
    for version in ("1.9", "1.0", "2.0", "1.10", "1.9rc"):
        add_version(database, ids[0], version)
    add_version(database, ids[1], "3.0", status=VersionStatus.YANKED)
    _POPULATED.append((database, ids))
    yield database
    database.close()


def test_pages_and_counts_of_many_packages_take_one_statement_each(tmp_path: Path) -> None:
    statements: list[str] = []
    database = Database.open(str(tmp_path / "atlas.db"), trace=statements.append)
    ids = [add_package(database, name) for name in ("app", "lib", "empty")]
    for version in ("1", "2", "3"):
        add_version(database, ids[0], version)
    add_version(database, ids[1], "1", status=VersionStatus.YANKED)
    published = (VersionStatus.PUBLISHED,)

    with database.read() as connection:
        statements.clear()
        pages = versions.pages_of(connection, ids, limit=2, statuses=published, before=key("1"))
        counts = versions.counts_of(connection, ids, statuses=published)
        totals = versions.counts_of(connection, ids)

    assert [[row.version for row in pages[id_]] for id_ in ids] == [["3", "2"], [], []]
    assert [counts[id_] for id_ in ids] == [3, 0, 0]
    assert [totals[id_] for id_ in ids] == [3, 1, 0]
    assert sum(text.startswith("SELECT") for text in statements) == 3
    database.close()


def test_candidates_tell_a_package_without_versions_from_an_unknown_one(database: Database) -> None:
    app, empty = add_package(database, "app", status="DEPRECATED"), add_package(database, "empty")
    new = add_version(database, app, "1.10", released_at=_RELEASED)
    old = add_version(database, app, "1.9rc", status=VersionStatus.DRAFT)

    with database.read() as connection:
        found = versions.candidates_of(connection, ["empty", "unknown", "app"])

    assert found == {
        "app": PackageCandidates(
            app,
            "app",
            PackageStatus.DEPRECATED,
            [
                CandidateRow(old, "1.9rc", key("1.9rc"), True, VersionStatus.DRAFT, None),
                CandidateRow(new, "1.10", key("1.10"), False, VersionStatus.PUBLISHED, _RELEASED),
            ],
        ),
        "empty": PackageCandidates(empty, "empty", PackageStatus.ACTIVE, []),
    }


def test_a_status_moves_only_along_the_life_cycle(database: Database) -> None:
    id_ = add_version(database, add_package(database, "app"), "1")

    def move(target: VersionStatus, now: datetime) -> bool:
        return database.write(
            lambda connection: versions.set_status(connection, id_, target=target, reason="why", now=now)
        ).value

    assert not move(VersionStatus.DRAFT, LATER)
    assert move(VersionStatus.YANKED, NOW + timedelta(hours=1))
    assert move(VersionStatus.YANKED, LATER)

    with database.read() as connection:
        row = versions.by_ids(connection, [id_])[id_]
    assert (row.status, row.status_reason, row.updated_at) == (VersionStatus.YANKED, "why", LATER)
