"""Catalogue files: imported whole or not at all, and exported as they were."""

import json
import tracemalloc
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolvers import versions
from resolvers.drafts import UpdateRequest
from resolvers.lines import MAX_LINE_BYTES
from resolvers.packages import update
from resolvers.transfer import Imported, LineError, OnError, export_catalogue, import_catalogue
from resolvers.versions import StatusRequest
from storage import counts
from storage.counts import Counts
from storage.database import Database
from storage.transitions import PackageStatus, VersionStatus
from tests.resolvers.log import told

NOW = datetime(2026, 1, 1, tzinfo=UTC)

FLUX = {
    "name": "Flux",
    "version": "0.14.1",
    "releasedAt": "2023-08-01T00:00:00Z",
    "digest": "sha256:00",
    "labels": {"b": "2", "a": "1"},
    "dependencies": [
        {"package": "Zygote", "constraint": ">=0.6,<0.7 || >=1"},
        {"package": "Test", "kinds": ["TEST", "DEV"], "optional": True, "marker": "linux"},
    ],
}
DESCRIBED = {
    "name": "Flux",
    "description": "Machine learning",
    "status": "DEPRECATED",
    "labels": {"team": "ml"},
}


def imported(database: Database, lines: Iterable[Any], *, on_error: OnError = OnError.STOP) -> Imported:
    """Import lines, each bytes or something to write as JSON."""
    packed = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    return import_catalogue(database, packed, on_error=on_error, now=NOW)


def exported(database: Database) -> list[Any]:
    return [json.loads(line) for line in export_catalogue(database)]


def counted(database: Database) -> Counts:
    with database.read() as connection:
        return counts.count(connection)


def test_a_file_is_imported_with_its_packages_versions_dependencies_and_events(database: Database) -> None:
    done = imported(
        database, [DESCRIBED, FLUX, b"", {"name": "Bare"}, {"name": "Old", "version": "1", "yanked": True}]
    )

    assert done == Imported(lines=5, packages=3, versions=2)
    assert counted(database) == Counts(packages=3, versions=2, dependencies=2)
    assert told(database) == [
        "PACKAGE_CHANGED Flux",
        "VERSION_PUBLISHED Flux 0.14.1",
        "PACKAGE_CHANGED Bare",
        "PACKAGE_CHANGED Old",
        "VERSION_PUBLISHED Old 1",
    ]


def test_the_same_file_again_changes_nothing(database: Database) -> None:
    lines = [DESCRIBED, FLUX, FLUX, {"name": "Old", "version": "1", "yanked": True}]
    first = imported(database, lines)
    cursor = database.cursor()

    again = imported(database, lines)

    assert first == Imported(lines=4, packages=2, versions=2, unchanged=1)
    assert again == Imported(lines=4, unchanged=4)
    assert database.cursor() == cursor


def test_an_export_says_everything_once_sorted_and_leaves_out_what_is_default(database: Database) -> None:
    imported(
        database,
        [
            FLUX,
            {"name": "Flux", "version": "0.9"},
            DESCRIBED,
            {"name": "Bare"},
            {"name": "Aged", "version": "1.0", "yanked": True, "statusReason": "broken"},
            {"name": "Aged", "version": "2.0", "status": "DRAFT"},
            {"name": "Aged", "statusReason": "still here"},
        ],
    )

    assert exported(database) == [
        {"name": "Aged", "statusReason": "still here"},
        {"name": "Aged", "version": "1.0", "status": "YANKED", "statusReason": "broken"},
        {"name": "Aged", "version": "2.0", "status": "DRAFT"},
        {"name": "Bare"},
        DESCRIBED,
        {"name": "Flux", "version": "0.9"},
        FLUX,
    ]


def test_a_package_line_updates_what_it_names(database: Database) -> None:
    imported(database, [DESCRIBED])

    done = imported(database, [{"name": "Flux", "status": "ARCHIVED"}, {"name": "Flux"}])

    assert done == Imported(lines=2, updated=1, unchanged=1)
    assert exported(database) == [{**DESCRIBED, "status": "ARCHIVED"}]


def test_a_package_may_be_described_after_its_versions(database: Database) -> None:
    done = imported(database, [FLUX, DESCRIBED, {**DESCRIBED, "status": "ARCHIVED"}])

    assert done == Imported(lines=3, packages=1, versions=1, updated=2)
    assert exported(database) == [{**DESCRIBED, "status": "ARCHIVED"}, FLUX]


def test_a_line_without_a_status_leaves_the_status_alone(database: Database) -> None:
    imported(database, [DESCRIBED, FLUX])
    versions.set_status(database, StatusRequest("Flux", "0.14.1", VersionStatus.QUARANTINED), now=NOW)
    update(database, UpdateRequest("Flux", status=PackageStatus.QUARANTINED), now=NOW)

    done = imported(database, [{"name": "Flux", "description": "Machine learning"}, FLUX])

    assert done == Imported(lines=2, unchanged=2)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"name":"a"', "Input data was truncated"),
        (b'{"name":"a"} {}', "JSON is malformed: trailing characters (byte "),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"name":"\xff\xfe"}', "the line is not UTF-8: invalid start byte"),
        (b"\x00\x01\x02", "JSON is malformed: invalid character (byte 0)"),
        ({"version": "1"}, "Object missing required field `name`"),
        ({"name": 1}, "Expected `str`, got `int` - at `$.name`"),
        ({"name": "a", "version": "1", "licence": "MIT"}, "Object contains unknown field `licence`"),
        (
            {"name": "a", "version": "1", "dependencies": [{"package": "b", "range": ">1"}]},
            "Object contains unknown field `range` - at `$.dependencies[0]`",
        ),
        ({"name": "a", "version": 1}, "Expected `str`, got `int` - at `$.version`"),
        (
            {"name": "a", "version": "1", "description": "x"},
            "`description` belongs to a package, and this line has a",
        ),
        (
            {"name": "a", "releasedAt": None},
            "`releasedAt` belongs to a version, and this line has no `version`",
        ),
        ({"name": "a", "dependencies": []}, "`dependencies` belongs to a version"),
        (
            {"name": "a", "status": "YANKED"},
            "status: a package cannot be YANKED, only ACTIVE, DEPRECATED, ARCHIVED",
        ),
        (
            {"name": "a", "version": "1", "status": "GONE"},
            "status: a version cannot be GONE, only DRAFT, PUBLISHED",
        ),
        (
            {"name": "a", "version": "1", "yanked": True, "status": "DRAFT"},
            "says both `yanked` and the status DRAFT",
        ),
        ({"name": "a", "version": "one"}, "'one' is not a version: at character 1"),
        ({"name": "a b", "version": "1"}, "package: 'a b' is not a package name"),
        ({"name": "a b"}, "name: 'a b' is not a package name"),
        ({"name": "a", "description": "x" * 10_001}, "description: String should have at most 10000"),
        ({"name": "a", "version": "1", "releasedAt": "2020-01-01T00:00:00"}, "with a timezone component"),
        (
            {"name": "a", "version": "1", "releasedAt": "0001-01-01T00:00:00+09:00"},
            "releasedAt: it is before the year 1",
        ),
        ({"name": "a", "version": "1", "labels": {"k": 1}}, "Expected `str`, got `int` - at `$.labels[...]`"),
        (
            {
                "name": "a",
                "version": "1",
                "dependencies": [{"package": "b"}, {"package": "c", "constraint": "=>1"}],
            },
            "the constraint on c: '=>1' is not a constraint: at character 1",
        ),
        (
            {"name": "a", "version": "1", "dependencies": [{"package": "b", "kinds": ["LINK"]}]},
            "Invalid enum value 'LINK' - at `$.dependencies[0].kinds[0]`",
        ),
        (
            {"name": "a", "version": "1", "dependencies": [{"package": "b", "kinds": []}]},
            "dependencies.0.kinds: at least one kind is needed",
        ),
        (
            {
                "name": "a",
                "version": "1",
                "dependencies": [{"package": "b"}, {"package": "b", "optional": True}],
            },
            "dependencies.1: b is declared already",
        ),
        ({"name": "Flux", "version": "0.14.1", "digest": "other"}, "Flux 0.14.1 exists already"),
        ({**FLUX, "status": "YANKED"}, "status is PUBLISHED and was sent as YANKED"),
        (
            {"name": "Flux", "status": "ACTIVE", "labels": {"k": "\0"}},
            "labels: a NUL character or a lone surrogate",
        ),
        ({"name": "Kept", "status": "DEPRECATED"}, "package Kept is ARCHIVED and cannot become DEPRECATED"),
        (b"x" * (MAX_LINE_BYTES + 1), "the line is longer than 16 MiB"),
    ],
)
def test_a_bad_line_stops_the_file_and_nothing_of_it_is_written(
    database: Database, line: Any, message: str
) -> None:
    before = [FLUX, {"name": "Kept", "status": "ARCHIVED"}]
    imported(database, before)
    cursor = database.cursor()

    done = imported(
        database, [{"name": "new", "version": "1"}, b"", line, {"name": "after", "version": "1"}, b"{"]
    )

    assert done == Imported(lines=3, failed=done.failed)
    assert [error.line for error in done.failed] == [3]
    assert message in done.failed[0].message
    assert len(done.failed[0].message) < 500
    assert database.cursor() == cursor


def test_bad_lines_are_left_out_and_all_else_is_in(database: Database) -> None:
    lines: list[Any] = [
        {"name": "a", "version": "1"},
        {"name": "a", "version": "2020.0.0-01-01+0"},
        b"{",
        {"name": "a", "version": "1", "digest": "x"},
        {"name": "b", "version": "1"},
    ]

    done = imported(database, lines, on_error=OnError.SKIP)

    assert (done.lines, done.packages, done.versions) == (5, 2, 2)
    assert [error.line for error in done.failed] == [2, 3, 4]
    assert done.failed[0] == LineError(
        2, "'2020.0.0-01-01+0' is not a version: at character 12, expected the end of the version"
    )
    assert counted(database).versions == 2


@pytest.mark.parametrize("on_error", OnError)
def test_a_stream_that_breaks_leaves_nothing_written(database: Database, on_error: OnError) -> None:
    class Broken(Exception):
        pass

    def lines() -> Iterator[bytes]:
        for number in range(10_000):
            yield b'{"name":"p%d","version":"1"}' % number
        raise Broken

    with pytest.raises(Broken):
        import_catalogue(database, lines(), on_error=on_error, now=NOW)

    assert counted(database) == Counts(0, 0, 0)
    assert database.cursor() == 0


def test_an_import_goes_on_where_a_part_of_it_ends(database: Database) -> None:
    told_lines: list[int] = []
    lines = [b'{"name":"p%d","version":"1.%d"}' % (number // 3, number % 3) for number in range(9_000)]

    done = import_catalogue(
        database, [*lines, lines[0]], on_error=OnError.STOP, now=NOW, progress=told_lines.append
    )

    assert done == Imported(lines=9_001, packages=3_000, versions=9_000, unchanged=1)
    assert told_lines == [4_000, 8_000, 9_001]
    assert counted(database) == Counts(packages=3_000, versions=9_000, dependencies=0)


def test_long_lines_are_taken_few_at_a_time(database: Database) -> None:
    def lines() -> Iterator[bytes]:
        for number in range(40):
            yield b'{"name":"p%d","version":"1"%s}' % (number, b" " * 2_000_000)

    tracemalloc.start()
    done = import_catalogue(database, lines(), on_error=OnError.STOP, now=NOW)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert done.versions == 40
    assert most < 30_000_000


def test_a_byte_order_mark_at_the_start_is_no_part_of_the_first_line(database: Database) -> None:
    assert imported(database, [b'\xef\xbb\xbf{"name":"a","version":"1"}']).versions == 1


def test_an_empty_file_is_nothing_to_do(database: Database) -> None:
    assert imported(database, []) == Imported()
    assert list(export_catalogue(database)) == []


def test_an_export_is_one_snapshot(database: Database) -> None:
    imported(database, [{"name": "a", "version": "1"}, {"name": "b", "version": "1"}])
    lines = export_catalogue(database)
    first = next(lines)

    imported(database, [{"name": "c", "version": "1"}])

    assert [first, *lines] == [b'{"name":"a","version":"1"}', b'{"name":"b","version":"1"}']


def test_an_import_in_parts_takes_few_statements_for_each(database_url: str) -> None:
    statements: list[str] = []
    lines = [
        b'{"name":"p%d","version":"1.%d","dependencies":[{"package":"x"}]}' % (n // 3, n % 3)
        for n in range(4_000)
    ]
    with closing(Database.open(database_url, trace=statements.append)) as database:
        import_catalogue(database, lines, on_error=OnError.STOP, now=NOW)
        statements.clear()

        import_catalogue(database, lines, on_error=OnError.STOP, now=NOW)

    reads = [" ".join(text.split()) for text in statements if text.startswith("SELECT")]
    assert sum(" FROM packages" in text for text in reads) == 1
    assert sum(" FROM package_versions" in text for text in reads) == 1
    assert sum(" FROM dependencies" in text for text in reads) == 1


_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
_labels = st.dictionaries(_texts.filter(bool), _texts, max_size=3)
_names = st.sampled_from(["a", "B", "b", "@x/y", "c.d"])
_needs = st.fixed_dictionaries(
    {"package": _names},
    optional={
        "constraint": st.sampled_from([">=1", "^1.2 || ==3.*", "*", ""]),
        "kinds": st.lists(
            st.sampled_from(["RUNTIME", "BUILD", "TEST", "DEV", "PEER"]), min_size=1, unique=True
        ),
        "optional": st.booleans(),
        "marker": st.none() | _texts,
    },
)
_described = st.fixed_dictionaries(
    {"name": _names},
    optional={
        "description": _texts,
        "status": st.sampled_from(list(PackageStatus)),
        "statusReason": st.none() | _texts,
        "labels": _labels,
    },
)
_versions = st.fixed_dictionaries(
    {"name": _names, "version": st.sampled_from(["1.0", "1", "1.0rc1", "2!0.1", "1.0+local.1", "v1.1"])},
    optional={
        "status": st.sampled_from(list(VersionStatus)),
        "statusReason": st.none() | _texts,
        "releasedAt": st.none() | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
        "digest": st.none() | _texts,
        "labels": _labels,
        "dependencies": st.lists(_needs, max_size=4),
    },
)


@settings(max_examples=30, deadline=None)
@given(st.lists(_described | _versions, max_size=12))
def test_import_of_an_export_is_the_same_catalogue(
    tmp_path_factory: pytest.TempPathFactory, lines: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    first, second = Database.open(str(folder / "1.db")), Database.open(str(folder / "2.db"))
    imported(first, lines, on_error=OnError.SKIP)
    whole = list(export_catalogue(first))

    done = import_catalogue(second, whole, on_error=OnError.STOP, now=NOW)

    assert done.failed == []
    assert list(export_catalogue(second)) == whole
    assert import_catalogue(first, whole, on_error=OnError.STOP, now=NOW).unchanged == len(whole)
    first.close()
    second.close()
