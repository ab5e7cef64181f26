"""A simulation answers as the stored catalogue would after the change, and writes nothing."""

import tempfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import resolvers.simulations
from graph.errors import GaveUp
from graph.resolution import Conflict, Question, Resolution
from graph.supposition import Supposed
from resolvers.atlas import Atlas
from resolvers.drafts import DependencyRequest, PublishRequest
from resolvers.errors import (
    BadConstraint,
    BadInput,
    BadVersion,
    ClosesCycle,
    LimitExceeded,
    NotFound,
    OtherContent,
    Refusal,
)
from resolvers.resolutions import Resolved, Unsolved, answer, resolve
from resolvers.simulations import Simulated, SimulateRequest, simulate
from resolvers.versions import StatusRequest, publish, set_status
from storage import counts
from storage.database import Database
from storage.errors import IllegalTransition
from storage.tables import Kind
from storage.transitions import VersionStatus
from tests.graph.strategies import questions, universes
from tests.graph.suppositions import Change, changes
from tests.graph.universe import Universe, wants
from tests.resolvers.registry import NOW, fill, stored

APP = Question(wants("app"))
CHAIN = """
    app 1 needs lib >=1
    lib 1
    lib 2
    lib 3 draft
    lib 4 quarantined
"""


@pytest.fixture
def atlas(database: Database) -> Atlas:
    return stored(database, CHAIN)


def version(package: str, version: str, *needs: str, **more: Any) -> PublishRequest:
    """A version to publish; each need is `name constraint`."""
    parts = [need.partition(" ") for need in needs]
    declared = tuple(DependencyRequest(name, constraint) for name, _, constraint in parts)
    return PublishRequest(package, version, declared, **more)


def pins(answer: Resolved | Unsolved) -> dict[str, str]:
    assert isinstance(answer, Resolved), answer
    return {pin.package: pin.version for pin in answer.resolution.pins}


def found(answer: Resolved | Unsolved) -> Resolution | Conflict:
    return answer.resolution if isinstance(answer, Resolved) else answer.conflict


@settings(max_examples=30, deadline=None)
@given(universes(), questions(), st.data())
def test_a_simulation_answers_as_the_database_does_once_it_is_so(
    index: Universe, question: Question, data: st.DataObject
) -> None:
    change = data.draw(changes(index))
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(f"{folder}/registry.db")
        fill(database, index)
        atlas = Atlas(database)
        before = resolve(atlas, question)
        simulated = simulate(atlas, request(question, change))
        really(database, change)
        after = resolve(atlas, question)
        database.close()

    assert found(simulated.before) == found(before)
    assert found(simulated.after) == found(after)
    assert (simulated.diff is None) == isinstance(before, Unsolved) | isinstance(after, Unsolved)


def request(question: Question, change: Change) -> SimulateRequest:
    return SimulateRequest(question, [published(each) for each in change.publish], change.yank)


def published(supposed: Supposed) -> PublishRequest:
    needs = tuple(
        DependencyRequest(need.package, need.constraint.text, int(need.kinds), need.optional)
        for need in supposed.declared
    )
    return PublishRequest(
        supposed.package, supposed.version, needs, status=VersionStatus(supposed.status.name)
    )


def really(database: Database, change: Change) -> None:
    for supposed in change.publish:
        publish(database, published(supposed), now=NOW)
    for package, text in change.yank:
        set_status(database, StatusRequest(package, text, VersionStatus.YANKED), now=NOW)


def test_nothing_is_written_and_the_next_question_knows_nothing_of_it(atlas: Atlas) -> None:
    cursor = atlas.database.cursor()
    with atlas.database.read() as connection:
        held = counts.count(connection)

    simulated = simulate(
        atlas, SimulateRequest(APP, [version("lib", "5", "new"), version("new", "1")], [("lib", "2")])
    )

    assert pins(simulated.after) == {"app": "1", "lib": "5", "new": "1"}
    assert pins(resolve(atlas, APP)) == {"app": "1", "lib": "2"}
    assert atlas.database.cursor() == cursor
    with atlas.database.read() as connection:
        assert counts.count(connection) == held


def test_the_difference_is_told_and_only_what_is_stored_has_a_place(atlas: Atlas) -> None:
    simulated = simulate(atlas, SimulateRequest(APP, [version("lib", "5", "new"), version("new", "1")]))

    assert simulated.diff is not None
    assert simulated.diff.added == ("new",)
    assert [(each.package, each.before, each.after) for each in simulated.diff.changed] == [("lib", "2", "5")]
    assert isinstance(simulated.before, Resolved)
    assert isinstance(simulated.after, Resolved)
    assert set(simulated.before.version_ids) == {"app", "lib"}
    assert set(simulated.after.version_ids) == {"app"}


def test_a_version_that_is_supposed_can_be_yanked_too_however_it_is_spelled(atlas: Atlas) -> None:
    def lib(*yank: tuple[str, str]) -> str:
        return pins(simulate(atlas, SimulateRequest(APP, [version("lib", "5")], yank)).after)["lib"]

    assert lib() == "5"
    assert lib(("lib", "5.0")) == "2"
    assert lib(("lib", "5"), ("lib", "v5"), ("lib", "2")) == "1"


def test_yanking_all_that_would_do_is_a_conflict_without_a_difference(atlas: Atlas) -> None:
    simulated = simulate(atlas, SimulateRequest(APP, yank=[("lib", "1"), ("lib", "2")]))

    assert isinstance(simulated.before, Resolved)
    assert isinstance(simulated.after, Unsolved)
    assert "yanked" in simulated.after.conflict.message
    assert simulated.diff is None


def test_publishing_can_solve_what_cannot_be_solved(atlas: Atlas) -> None:
    simulated = simulate(atlas, SimulateRequest(Question(wants("lib >=5")), [version("lib", "5")]))

    assert isinstance(simulated.before, Unsolved)
    assert pins(simulated.after) == {"lib": "5"}
    assert simulated.diff is None


def test_equal_content_changes_nothing_and_other_content_is_refused(atlas: Atlas) -> None:
    equal = simulate(atlas, SimulateRequest(APP, [version("lib", "2.0"), version("new", "1")] * 2))
    assert found(equal.after) == found(equal.before)

    with pytest.raises(OtherContent) as stored_already:
        simulate(atlas, SimulateRequest(APP, [version("new", "1"), version("lib", "2.0", "new")]))
    with pytest.raises(OtherContent) as supposed_already:
        simulate(atlas, SimulateRequest(APP, [version("new", "1"), version("new", "1.0", digest="x")]))

    assert stored_already.value.path == ("publish", "1", "version")
    assert supposed_already.value.path == ("publish", "1", "version")


def test_a_supposed_status_counts(atlas: Atlas) -> None:
    def lib(status: VersionStatus) -> str:
        supposed = version("lib", "5", status=status)
        return pins(simulate(atlas, SimulateRequest(APP, [supposed])).after)["lib"]

    assert lib(VersionStatus.PUBLISHED) == "5"
    assert {lib(status) for status in VersionStatus if status is not VersionStatus.PUBLISHED} == {"2"}


@pytest.mark.parametrize(
    ("publish", "yank", "refusal", "path"),
    [
        ([version("a b", "1")], [], BadInput, "publish.0.package"),
        ([version("new", "1"), version("lib", "one")], [], BadVersion, "publish.1.version"),
        (
            [version("new", "1", "lib", "lib oops")],
            [],
            BadConstraint,
            "publish.0.dependencies.1.constraint",
        ),
        ([version("new", "1", "lib", "lib")], [], BadInput, "publish.0.dependencies.1"),
        ([version("lib", "5", "app", forbid_cycles=Kind.RUNTIME)], [], ClosesCycle, "publish.0.dependencies"),
        ([], [("a b", "1")], BadInput, "yank.0.package"),
        ([], [("lib", "1"), ("lib", "one")], BadVersion, "yank.1.version"),
        ([], [("bil", "1")], NotFound, "yank.0.package"),
        ([], [("lib", "2.7")], NotFound, "yank.0.version"),
    ],
)
def test_what_cannot_be_supposed_is_refused_with_the_place(
    atlas: Atlas,
    publish: list[PublishRequest],
    yank: list[tuple[str, str]],
    refusal: type[Refusal],
    path: str,
) -> None:
    with pytest.raises(refusal) as caught:
        simulate(atlas, SimulateRequest(APP, publish, yank))

    assert ".".join(caught.value.path) == path


def test_what_is_to_be_yanked_and_is_not_there_is_answered_with_what_is_close_to_it(atlas: Atlas) -> None:
    new = [version("library", "1.10.1"), version("library", "1.10.2")]

    with pytest.raises(NotFound) as package:
        simulate(atlas, SimulateRequest(APP, new, [("libary", "1")]))
    with pytest.raises(NotFound) as text:
        simulate(atlas, SimulateRequest(APP, new, [("library", "1.10.3")]))

    assert str(package.value) == "there is no package libary; did you mean library?"
    assert text.value.suggestions == ("1.10.1", "1.10.2")


@pytest.mark.parametrize("text", ["3", "4", "5"])
def test_a_version_that_cannot_be_yanked_is_refused(atlas: Atlas, text: str) -> None:
    draft = version("lib", "5", status=VersionStatus.DRAFT)

    with pytest.raises(IllegalTransition, match=f"version lib {text}"):
        simulate(atlas, SimulateRequest(APP, [draft], [("lib", text)]))


def test_the_question_itself_is_checked(atlas: Atlas) -> None:
    with pytest.raises(BadConstraint) as caught:
        simulate(atlas, SimulateRequest(Question(wants("app oops"))))

    assert caught.value.path == ("requirements", "0", "constraint")


def test_more_than_can_be_supposed_at_once_is_refused(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolvers.simulations, "MAX_SUPPOSED", 2)
    asked = SimulateRequest(APP, [version("new", "1")], [("lib", "1")])

    assert isinstance(simulate(atlas, asked), Simulated)
    with pytest.raises(LimitExceeded, match="3 supposed changes, at most 2"):
        simulate(atlas, replace(asked, yank=[*asked.yank, ("lib", "2")]))


def test_running_out_of_time_says_nothing_about_either_answer(atlas: Atlas) -> None:
    with pytest.raises(GaveUp):
        simulate(atlas, SimulateRequest(Question(wants("lib >=9"))), time_limit=timedelta(seconds=-1))


def test_both_answers_are_from_one_moment(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: Any, **options: Any) -> Resolved | Unsolved:
        given = answer(*arguments, **options)
        publish(atlas.database, version("lib", "9"), now=NOW)
        return given

    monkeypatch.setattr("resolvers.simulations.answer", interrupted)

    simulated = simulate(atlas, SimulateRequest(APP))

    assert pins(simulated.before) == pins(simulated.after) == {"app": "1", "lib": "2"}
