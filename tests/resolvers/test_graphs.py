import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import pytest

from graph.dependencies import ALL_KINDS, DependencyGraph, Kind
from graph.impact import ImpactedPackage
from graph.resolution import Question
from resolvers import graphs, packages, versions
from resolvers.atlas import Atlas
from resolvers.drafts import DependencyRequest, PublishRequest
from resolvers.errors import NotFound, OtherContent, Refusal
from resolvers.loaded_graphs import Graphs, Selection
from resolvers.neighbourhoods import Direction, Walk, neighbourhoods
from resolvers.packages import RegisterRequest
from resolvers.resolutions import resolve
from resolvers.versions import StatusRequest
from storage import dependencies as stored_dependencies
from storage import events
from storage.database import Database
from storage.dependencies import GraphScope
from storage.transitions import VersionStatus
from tests.graph.universe import wants
from tests.resolvers.registry import NOW, add, stored

DIAMOND = """
    app 1 needs left; right; [TEST] checker; [optional] plugin; ghost
    left 1 needs base
    right 1 needs base
    base 1
    checker 1
    plugin 1
"""


EVERYTHING = Selection()


@pytest.fixture
def atlas(database: Database) -> Atlas:
    return stored(database, DIAMOND)


def dependencies(
    atlas: Atlas, name: str, selection: Selection = EVERYTHING, *, transitive: bool = True
) -> tuple[str, ...]:
    walk = Walk(name, Direction.DEPENDENCIES, transitive, selection)
    return neighbourhoods(atlas, [walk])[walk].names


def test_a_selection_tells_which_dependencies_count(atlas: Atlas) -> None:
    assert dependencies(atlas, "app", Selection(kinds=Kind.TEST)) == ("checker",)
    assert dependencies(
        atlas, "app", Selection(kinds=Kind.RUNTIME, include_optional=True), transitive=False
    ) == (
        "left",
        "plugin",
        "right",
    )


def test_a_scope_tells_whose_dependencies_count(atlas: Atlas) -> None:
    add(atlas, "left 2")

    assert dependencies(atlas, "left") == ()
    assert dependencies(atlas, "left", Selection(scope=GraphScope.ALL)) == ("base",)


def test_cycles_are_counted_all_and_described_in_part(atlas: Atlas) -> None:
    assert graphs.cycles(atlas, Selection(), first=10) == graphs.Cycles((), 0)

    add(atlas, "a 1 needs b\nb 1 needs a\nc 1 needs c")
    found = graphs.cycles(atlas, Selection(), first=1)

    assert [cycle.packages for cycle in found.nodes] == [("a", "b")]
    assert found.total_count == 2


def test_paths_and_impact_follow_the_graph(atlas: Atlas) -> None:
    assert graphs.path(atlas, "app", "base", Selection()) == ("app", "left", "base")
    assert graphs.path(atlas, "base", "app", Selection()) is None
    assert graphs.paths(atlas, "app", "base", Selection(), max_nodes=10).nodes == (
        "app",
        "left",
        "right",
        "base",
    )
    assert graphs.impact(atlas, ["ghost"], Selection(), first=5).dependents == (
        ImpactedPackage("app", 1, "ghost"),
    )


@pytest.mark.parametrize(
    "ask",
    [
        lambda atlas: graphs.path(atlas, "app", "bsae", Selection()),
        lambda atlas: graphs.paths(atlas, "bsae", "app", Selection(), max_nodes=10),
        lambda atlas: graphs.impact(atlas, ["bsae"], Selection(), first=10),
    ],
)
def test_a_package_that_nothing_is_known_of_is_refused_with_close_names(atlas: Atlas, ask: object) -> None:
    assert callable(ask)
    with pytest.raises(NotFound, match="there is no package bsae; did you mean base"):
        ask(atlas)


def test_what_cannot_be_a_name_is_not_echoed_whole(atlas: Atlas) -> None:
    with pytest.raises(NotFound) as refused:
        graphs.impact(atlas, ["base " * 200_000], Selection(), first=10)

    assert len(str(refused.value)) < 500
    assert refused.value.suggestions == ()


def test_the_graph_follows_writes_of_this_process_and_of_others(atlas: Atlas, database_url: str) -> None:
    assert dependencies(atlas, "base") == ()
    before = graphs.revision(atlas)
    another = Atlas(Database.open(database_url))

    add(another, "base 2 needs new\nnew 1")

    assert graphs.path(atlas, "base", "new", Selection()) == ("base", "new")
    assert graphs.revision(atlas) == atlas.database.cursor() > before
    another.database.close()


def test_a_graph_is_kept_as_long_as_nothing_changes(atlas: Atlas) -> None:
    first = atlas.graphs.select(Selection())
    resolve(atlas, Question(wants("app")))

    assert atlas.graphs.select(Selection()) is first
    add(atlas, "new 1")
    assert atlas.graphs.select(Selection()) is not first


def test_all_kinds_are_the_graph_of_no_kinds_in_particular(atlas: Atlas) -> None:
    assert atlas.graphs.select(Selection(kinds=ALL_KINDS)) is atlas.graphs.select(Selection())


def test_only_the_graphs_used_last_are_kept(atlas: Atlas) -> None:
    used, unused = Selection(), Selection(kinds=Kind.PEER)
    first, second = atlas.graphs.select(used), atlas.graphs.select(unused)

    for kinds in range(1, 8):
        atlas.graphs.select(Selection(kinds=Kind(kinds)))
        assert atlas.graphs.select(used) is first

    assert atlas.graphs.select(unused) is not second


def test_a_graph_that_is_read_while_the_catalogue_changes_knows_what_it_has_seen(
    atlas: Atlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = atlas.database.cursor()
    monkeypatch.setattr(atlas.database, "cursor", lambda: newest - 1)

    assert "base" in atlas.graphs.select(Selection())
    assert graphs.revision(atlas) == newest


SELECTIONS = [
    Selection(kinds, scope, include_optional)
    for kinds in (None, Kind.RUNTIME)
    for scope in GraphScope
    for include_optional in (False, True)
]


def assert_as_loaded_anew(atlas: Atlas) -> None:
    anew = Graphs(atlas.database)
    for selection in SELECTIONS:
        ours, theirs = atlas.graphs.select(selection), anew.select(selection)
        assert ours.names == theirs.names
        assert ours.edges_among(ours) == theirs.edges_among(theirs)
    assert atlas.graphs.position == anew.position == atlas.database.cursor()


def change_something(atlas: Atlas, rng: random.Random) -> None:
    """Publish, withdraw, or delete with what needs it left behind."""
    name = f"p{rng.randrange(8)}"
    version = f"{rng.randrange(4)}"
    match rng.randrange(6):
        case 0:
            with suppress(NotFound):
                packages.delete(atlas.database, name, force=True, now=NOW)
        case 1:
            status = StatusRequest(name, version, rng.choice([VersionStatus.YANKED, VersionStatus.PUBLISHED]))
            with suppress(Refusal):
                versions.set_status(atlas.database, status, now=NOW)
        case _:
            packages.register(atlas.database, RegisterRequest(name), now=NOW)
            needs = tuple(
                DependencyRequest(f"p{needed}", kinds=rng.randrange(1, 32), optional=rng.random() < 0.3)
                for needed in rng.sample(range(10), rng.randrange(4))
            )
            with suppress(OtherContent):
                versions.publish(atlas.database, PublishRequest(name, version, needs), now=NOW)


@pytest.mark.parametrize("seed", range(2))
def test_a_graph_that_follows_events_is_the_one_that_is_loaded_anew(database: Database, seed: int) -> None:
    rng = random.Random(seed)
    jobs: list[Callable[[], None]] = []
    atlas = Atlas(database)
    atlas.graphs = Graphs(database, in_background=jobs.append)
    with patch("graph.dependencies.LEAST_WORN", 3):
        for step in range(60):
            change_something(atlas, rng)
            if rng.random() < 0.5:
                assert_as_loaded_anew(atlas)
            if step % 7 == 0:
                while jobs:
                    jobs.pop()()
    assert_as_loaded_anew(atlas)


def test_only_what_has_changed_is_read_again(atlas: Atlas) -> None:
    atlas.graphs.select(EVERYTHING)

    with patch.object(stored_dependencies, "edges", side_effect=AssertionError("all edges are read")):
        add(atlas, "base 2 needs new\nnew 1")
        assert dependencies(atlas, "base") == ("new",)
        packages.delete(atlas.database, "new", force=True, now=NOW)
        add(atlas, "base 3")
        assert "new" not in atlas.graphs.select(EVERYTHING)


def test_all_is_read_again_after_too_many_events(atlas: Atlas) -> None:
    atlas.graphs.select(EVERYTHING)

    with (
        patch("resolvers.loaded_graphs._MOST_EVENTS", 2),
        patch.object(
            stored_dependencies, "edges_of", side_effect=AssertionError("no end of names is asked for")
        ),
    ):
        add(atlas, "a 1 needs b\nb 1 needs c")
        assert_as_loaded_anew(atlas)


def test_all_is_read_again_when_the_events_are_gone(atlas: Atlas) -> None:
    atlas.graphs.select(EVERYTHING)
    add(atlas, "a 1 needs b")
    add(atlas, "c 1")

    atlas.database.write(lambda connection: events.trim(connection, before=NOW, keep=1, limit=1000))

    assert_as_loaded_anew(atlas)


def test_a_graph_is_loaded_anew_when_the_log_starts_again(atlas: Atlas, tmp_path: Path) -> None:
    atlas.graphs.select(EVERYTHING)
    atlas.graphs._database = Database.open(str(tmp_path / "another.db"))

    assert len(atlas.graphs.select(EVERYTHING)) == 0
    atlas.graphs._database.close()


def test_a_graph_is_compacted_in_a_thread_and_stays_the_same(atlas: Atlas) -> None:
    atlas.graphs.select(EVERYTHING)

    with patch("graph.dependencies.LEAST_WORN", 0):
        add(atlas, "\n".join(f"new{number} 1 needs base; left" for number in range(5)))
        before = atlas.graphs.select(EVERYTHING)
        assert before.is_worn
        for thread in threading.enumerate():
            if thread.name == "compaction":
                thread.join()

    after = atlas.graphs.select(EVERYTHING)
    assert after is not before
    assert not after.is_worn
    assert after.edges_among(after) == before.edges_among(before)
    add(atlas, "new6 1 needs base")
    assert_as_loaded_anew(atlas)


def test_a_compaction_that_fails_leaves_the_graph_as_it_is_and_may_be_tried_again(atlas: Atlas) -> None:
    jobs: list[Callable[[], None]] = []
    atlas.graphs = Graphs(atlas.database, in_background=jobs.append)
    atlas.graphs.select(EVERYTHING)

    with patch("graph.dependencies.LEAST_WORN", 0):
        add(atlas, "\n".join(f"new{number} 1 needs base; left" for number in range(5)))
        atlas.graphs.select(EVERYTHING)
        with patch.object(DependencyGraph, "compacted", side_effect=MemoryError), pytest.raises(MemoryError):
            jobs.pop()()
        assert_as_loaded_anew(atlas)
        add(atlas, "new6 1 needs base")
        atlas.graphs.select(EVERYTHING)
        jobs.pop()()

    assert not atlas.graphs.select(EVERYTHING).is_worn
    assert_as_loaded_anew(atlas)


def test_many_threads_never_see_a_graph_older_than_what_was_written(atlas: Atlas) -> None:
    def publish_and_look(number: int) -> bool:
        add(atlas, f"t{number} 1 needs base; u{number}")
        graph = atlas.graphs.select(EVERYTHING)
        return graph.dependencies(f"t{number}").nodes == ("base", f"u{number}")

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(publish_and_look, range(40)))
    assert_as_loaded_anew(atlas)
