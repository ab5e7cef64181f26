from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.dependencies import ALL_KINDS, Kind
from graph.impact import ImpactedPackage
from graph.resolution import Question
from resolvers import graphs
from resolvers.atlas import Atlas
from resolvers.errors import NotFound
from resolvers.loaded_graphs import Selection
from resolvers.neighbourhoods import Direction, Walk, neighbourhoods
from resolvers.resolutions import resolve
from storage.database import Database
from storage.dependencies import GraphScope
from tests.graph.universe import wants
from tests.resolvers.registry import add, stored

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
def atlas(tmp_path: Path) -> Iterator[Atlas]:
    built = stored(tmp_path, DIAMOND)
    yield built
    built.database.close()


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


def test_the_graph_follows_writes_of_this_process_and_of_others(atlas: Atlas, tmp_path: Path) -> None:
    assert dependencies(atlas, "base") == ()
    before = graphs.revision(atlas)
    another = Atlas(Database.open(str(tmp_path / "registry.db")))

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
