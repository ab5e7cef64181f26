"""What the reads that GraphQL is made of cost beside the same SQL on the bare driver, on both databases.

The driver's rows stay as it gives them; ours are typed, with moments, states and labels converted. Both read the same
rows through a connection of their own, in turns, so that a busy machine slows both.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from storage import packages, versions
from storage.database import Connection, Database
from storage.packages import PackageFilter, PackageOrder
from storage.statements import Query
from storage.tables import PackageFields, VersionFields
from tests.databases import KINDS, url_of
from tests.storage.world import NOW

_PACKAGES: Final = 5_000
_VERSIONS: Final = 200
_REPEATS: Final = 200
_ROUNDS: Final = 30


@dataclass(frozen=True, slots=True)
class Read:
    """One kind of read: by our function, and the query it runs with its parameters."""

    ours: Callable[[Connection], object]
    query: Query[Any]
    values: dict[str, object]


_PAGE = packages._page_query(PackageOrder(), frozenset(), is_after=False, is_before=False, backwards=False)
_VERSIONS_PAGE = versions._page_query(frozenset(), backwards=False)

READS: Final = {
    "a package by its name": Read(
        lambda c: packages.by_name(c, "p00777"), packages._BY_NAMES, {"names": ["p00777"]}
    ),
    "a version by its id": Read(lambda c: versions.by_ids(c, [77]), versions._BY_IDS, {"ids": [77]}),
    "a page of 100 packages": Read(
        lambda c: packages.page(c, PackageFilter(), order=PackageOrder(), limit=100), _PAGE, {"limit": 100}
    ),
    "100 packages by their ids": Read(
        lambda c: packages.by_ids(c, range(1000, 1100)), packages._BY_IDS, {"ids": range(1000, 1100)}
    ),
    "a page of 100 versions": Read(
        lambda c: versions.pages_of(c, [1], limit=100), _VERSIONS_PAGE, {"ids": [1], "limit": 100}
    ),
}


@pytest.fixture(scope="module", params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with url_of(request.param, tmp_path_factory.mktemp("reads")) as url:
        with closing(Database.open(url)) as database:
            database.write(_fill)
        yield url


def _fill(connection: Connection) -> None:
    rows = [
        (number, PackageFields(name=f"p{number:05}", description="x" * 60))
        for number in range(1, _PACKAGES + 1)
    ]
    packages.insert(connection, rows, now=NOW)
    published = [
        (
            number,
            1,
            VersionFields(version=f"{number}.0", sort_key=number.to_bytes(4, "big"), is_prerelease=False),
        )
        for number in range(1, _VERSIONS + 1)
    ]
    versions.insert(connection, published, now=NOW)


@pytest.mark.parametrize("name", READS)
def test_reads_beside_the_bare_driver(benchmark: BenchmarkFixture, place: str, name: str) -> None:
    read = READS[name]
    with closing(Database.open(place)) as database, _bare(place) as bare:
        with database.glance() as connection:
            compiled = read.query._for(connection.dialect)
        parameters = compiled.parameters(read.values)

        def ours() -> None:
            with database.glance() as connection:
                read.ours(connection)

        def theirs() -> None:
            bare.execute(compiled.text, parameters).fetchall()

        ratios = [_seconds(ours) / _seconds(theirs) for _ in range(_ROUNDS)]
        timed: Any = benchmark
        timed.extra_info["times the bare driver"] = round(median(ratios), 2)
        timed.pedantic(ours, rounds=_ROUNDS, iterations=_REPEATS)
    print(f"\n{place.partition(':')[0][:10]:10} {name:28} {median(ratios):.2f} times the bare driver")


def _seconds(read: Callable[[], None]) -> float:
    started = time.perf_counter()
    for _ in range(_REPEATS):
        read()
    return time.perf_counter() - started


@contextmanager
def _bare(url: str) -> Iterator[Any]:
    if url.startswith("postgresql"):
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection
    else:
        with closing(sqlite3.connect(Path(url))) as opened:
            yield opened
