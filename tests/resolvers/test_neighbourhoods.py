"""What lies around many packages at once."""

from datetime import UTC, datetime

import pytest

from resolvers.atlas import Atlas
from resolvers.drafts import DependencyRequest, PublishRequest
from resolvers.loaded_graphs import Selection
from resolvers.neighbourhoods import Direction, Neighbours, Walk, neighbourhoods
from resolvers.versions import publish
from storage.database import Database


@pytest.fixture
def atlas(database: Database) -> Atlas:
    """Package a needs b and something unregistered, b needs c."""
    for name, needs in {"c": (), "b": ("c",), "a": ("b", "ghost")}.items():
        dependencies = tuple(map(DependencyRequest, needs))
        publish(database, PublishRequest(name, "1", dependencies), now=datetime(2026, 1, 1, tzinfo=UTC))
    return Atlas(database)


def test_each_walk_has_its_own_answer_and_only_registered_packages_are_met(atlas: Atlas) -> None:
    near = Walk("a", Direction.DEPENDENCIES, transitive=False, selection=Selection())
    far = Walk("a", Direction.DEPENDENCIES, transitive=True, selection=Selection())
    back = Walk("c", Direction.DEPENDENTS, transitive=True, selection=Selection())
    nowhere = Walk("nothing", Direction.DEPENDENTS, transitive=True, selection=Selection())

    assert neighbourhoods(atlas, [near, far, back, nowhere]) == {
        near: Neighbours(("b",), truncated=False),
        far: Neighbours(("b", "c"), truncated=False),
        back: Neighbours(("b", "a"), truncated=False),
        nowhere: Neighbours((), truncated=False),
    }


def test_no_walks_have_no_answers(atlas: Atlas) -> None:
    assert neighbourhoods(atlas, []) == {}
