"""Versions that would close a cycle: refused whoever publishes at the same time, and by the graph of this process."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from unittest.mock import patch

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.dependencies import Kind
from resolvers.acyclic import LatestNeeds
from resolvers.atlas import Atlas
from resolvers.drafts import DependencyRequest, PublishRequest, draft_of
from resolvers.errors import ClosesCycle
from resolvers.loaded_graphs import Graphs, Selection
from resolvers.versions import publish
from storage import dependencies
from storage.database import Connection, Database
from storage.dependencies import GraphScope
from storage.engines import follower
from storage.errors import Unavailable
from storage.transitions import VersionStatus
from tests.postgres import migrated_database
from tests.resolvers.registry import NOW

RUNTIME = Selection(kinds=Kind.RUNTIME)


def request(name: str, version: str, *needs: str, forbid: int = Kind.RUNTIME) -> PublishRequest:
    return PublishRequest(name, version, tuple(map(DependencyRequest, needs)), forbid_cycles=forbid)


@pytest.fixture
def atlas(database: Database) -> Atlas:
    return Atlas(database)


def test_of_those_who_close_a_cycle_together_one_is_refused(atlas: Atlas) -> None:
    def add(number: int) -> bool:
        try:
            publish(
                atlas.database,
                request(f"p{number}", "1", f"p{(number + 1) % 8}"),
                now=NOW,
                graphs=atlas.graphs,
            )
        except ClosesCycle:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(add, range(8))) == [False, *[True] * 7]


def test_a_second_process_sees_what_the_first_has_closed(database_url: str) -> None:
    with closing(Database.open(database_url)) as first, closing(Database.open(database_url)) as second:
        graphs = Graphs(second)
        publish(first, request("a", "1", "b"), now=NOW)
        publish(second, request("b", "1", "c"), now=NOW, graphs=graphs)
        publish(first, request("a", "2"), now=NOW)
        publish(second, request("c", "1", "a"), now=NOW, graphs=graphs)
        publish(first, request("c", "2", "d"), now=NOW)

        with pytest.raises(ClosesCycle, match="d → b → c → d"):
            publish(second, request("d", "1", "b"), now=NOW, graphs=graphs)


def test_a_catalogue_that_is_in_memory_is_not_read_again(atlas: Atlas) -> None:
    publish(atlas.database, request("a", "1", "b"), now=NOW, graphs=atlas.graphs)

    with patch.object(dependencies, "edges", side_effect=AssertionError("all edges are read")):
        publish(atlas.database, request("b", "1", "c"), now=NOW, graphs=atlas.graphs)
        with pytest.raises(ClosesCycle):
            publish(atlas.database, request("c", "1", "a"), now=NOW, graphs=atlas.graphs)


def test_what_has_no_position_yet_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "_PATIENCE_SECONDS", 0.01)
    with migrated_database() as url, psycopg.connect(url, autocommit=True) as holder:
        # Nobody else can give positions now.
        holder.execute("SELECT pg_advisory_lock(%s)", (follower._LOCK,))
        with closing(Database.open(url)) as database:
            graphs = Graphs(database)
            assert len(graphs.select(RUNTIME)) == 0
            with pytest.raises(Unavailable, match="has written what was asked"):
                publish(database, request("b", "1", "a"), now=NOW)

            with pytest.raises(ClosesCycle):
                publish(database, request("a", "1", "b"), now=NOW, graphs=graphs)


def test_a_snapshot_that_others_have_left_behind_is_answered_from_what_they_did(atlas: Atlas) -> None:
    publish(atlas.database, request("a", "1", "b"), now=NOW, graphs=atlas.graphs)
    with atlas.database.read() as connection:
        assert LatestNeeds(connection, atlas.graphs).cycle("b", [], Kind.RUNTIME) is None
        publish(atlas.database, request("b", "1", "c"), now=NOW)
        newest = atlas.graphs.select(RUNTIME)

        assert atlas.graphs.within(connection, RUNTIME) is newest
        assert "c" not in atlas.graphs.within(connection, Selection(scope=GraphScope.ALL))
        assert "c" in atlas.graphs.select(Selection(scope=GraphScope.ALL))


_NAMES = st.sampled_from("abcde")


@dataclass(slots=True)
class Latest:
    """An oracle: the latest versions as a plain mapping."""

    needs: dict[str, tuple[tuple[bool, int], frozenset[str]]] = field(default_factory=dict)

    def closes(self, name: str, needs: frozenset[str]) -> bool:
        seen: set[str] = set()
        stack = list(needs)
        while stack:
            each = stack.pop()
            if each == name:
                return True
            if each not in seen:
                seen.add(each)
                stack.extend(self.needs.get(each, ((False, 0), frozenset()))[1])
        return False

    def add(self, name: str, rank: tuple[bool, int], needs: frozenset[str]) -> None:
        if name not in self.needs or self.needs[name][0] < rank:
            self.needs[name] = rank, needs


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with closing(Database.open(str(tmp_path_factory.mktemp("acyclic") / "atlas.db"))) as opened:
        yield opened


@settings(deadline=None)
@given(st.lists(st.tuples(_NAMES, st.integers(1, 9), st.booleans(), st.frozensets(_NAMES))))
def test_versions_that_are_about_to_be_written_count_as_if_they_were(
    empty: Database, drafts: list[tuple[str, int, bool, frozenset[str]]]
) -> None:
    oracle = Latest()

    def operation(connection: Connection) -> None:
        latest = LatestNeeds(connection, Graphs(empty))
        for name, number, is_final, needs in drafts:
            draft = draft_of(request(name, f"{number}" if is_final else f"{number}rc1", *sorted(needs)))
            cycle = latest.cycle(name, draft.dependencies, Kind.RUNTIME)
            assert (cycle is not None) == oracle.closes(name, needs)
            if cycle is not None:
                assert cycle[0] == cycle[-1] == name
                assert len(set(cycle)) == len(cycle) - 1
            latest.add(draft)
            oracle.add(name, (is_final, number), needs)

    empty.write(operation, alone=True)


def test_a_draft_counts_for_nothing(atlas: Atlas) -> None:
    def operation(connection: Connection) -> None:
        latest = LatestNeeds(connection, atlas.graphs)
        draft = PublishRequest("a", "1", (DependencyRequest("b"),), status=VersionStatus.DRAFT)
        latest.add(draft_of(draft))
        needed = draft_of(request("b", "1", "a")).dependencies
        assert latest.cycle("b", needed, Kind.RUNTIME) is None

    atlas.database.write(operation, alone=True)
