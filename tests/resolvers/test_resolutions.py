from datetime import timedelta

import pytest

from graph.dependencies import Kind
from graph.errors import GaveUp
from graph.resolution import Question, Requirement
from resolvers.atlas import Atlas
from resolvers.errors import BadConstraint, BadInput, BadVersion, LimitExceeded, Refusal
from resolvers.resolutions import Resolved, Unsolved, resolve
from storage import versions
from storage.database import Database
from tests.graph.universe import wants
from tests.resolvers.registry import stored


@pytest.fixture
def atlas(database: Database) -> Atlas:
    return stored(database, "app 1 needs lib >=1\nlib 1\nlib 2")


def test_a_solution_knows_where_its_pins_are_stored(atlas: Atlas) -> None:
    answer = resolve(atlas, Question(wants("app")))

    assert isinstance(answer, Resolved)
    with atlas.database.read() as connection:
        rows = versions.by_ids(connection, answer.version_ids.values())
    assert {name: rows[id_].version for name, id_ in answer.version_ids.items()} == {"app": "1", "lib": "2"}


def test_what_cannot_be_solved_is_explained(atlas: Atlas) -> None:
    answer = resolve(atlas, Question(wants("lib >=3")))

    assert isinstance(answer, Unsolved)
    assert "No version of lib matches >=3" in answer.conflict.message


def test_running_out_of_time_says_nothing_about_solvability(atlas: Atlas) -> None:
    with pytest.raises(GaveUp):
        resolve(atlas, Question(wants("lib >=3")), time_limit=timedelta(seconds=-1))


@pytest.mark.parametrize(
    ("question", "refusal", "path"),
    [
        (Question(wants("app", "lib 2")), BadConstraint, ("requirements", "1", "constraint")),
        (Question((), constraints=wants("lib oops")), BadConstraint, ("constraints", "0", "constraint")),
        (Question((), overrides=wants("lib oops")), BadConstraint, ("overrides", "0", "constraint")),
        (Question((Requirement("a b"),)), BadInput, ("requirements", "0", "package")),
        (Question((), locked=(("lib", "one"),)), BadVersion, ("locked", "0", "version")),
        (Question((), locked=(("", "1"),)), BadInput, ("locked", "0", "package")),
        (Question((), locked=(("lib", "1"), ("lib", "2"))), BadInput, ("locked", "1", "package")),
        (Question((), kinds=Kind(0)), BadInput, ("kinds",)),
        (Question(wants("app") * 10_001), LimitExceeded, ("requirements",)),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_the_place(
    atlas: Atlas, question: Question, refusal: type[Refusal], path: tuple[str, ...]
) -> None:
    with pytest.raises(refusal) as caught:
        resolve(atlas, question)

    assert caught.value.path == path
