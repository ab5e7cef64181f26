"""A supposed catalogue answers as the same catalogue would if it were so."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.catalogue import Candidates, Declaration, Mention, Status
from graph.constraints import parse_constraint
from graph.dependencies import Kind
from graph.resolution import Conflict, Question
from graph.solver import solve
from graph.supposition import Supposed, Supposition, is_supposed
from graph.versions import parse_version, sort_key
from tests.graph.strategies import questions, universes
from tests.graph.suppositions import changed, changes
from tests.graph.universe import Universe, universe, wants


def needs(package: str, constraint: str = "", kinds: Kind = Kind.RUNTIME) -> Declaration:
    return Declaration(package, parse_constraint(constraint), kinds, optional=False)


def key(version: str) -> bytes:
    return sort_key(parse_version(version))


def answered(supposition: Supposition, *requirements: str) -> dict[str, str] | None:
    result = solve(supposition, Question(wants(*requirements)))
    return None if isinstance(result, Conflict) else {pin.package: pin.version for pin in result.pins}


@settings(max_examples=400, deadline=None)
@given(universes(), questions(), st.data())
def test_what_is_supposed_answers_as_if_it_were_so(
    index: Universe, question: Question, data: st.DataObject
) -> None:
    change = data.draw(changes(index))

    supposed = solve(Supposition(index, change.publish, change.yanked), question)

    assert supposed == solve(changed(index, change), question)


@settings(max_examples=100, deadline=None)
@given(universes(), questions())
def test_nothing_supposed_changes_nothing(index: Universe, question: Question) -> None:
    assert solve(Supposition(index, [], []), question) == solve(index, question)


def test_a_new_version_is_picked_and_what_it_needs_with_it() -> None:
    index = universe("app 1 needs lib\nlib 1")

    supposition = Supposition(index, [Supposed("lib", "2", [needs("base")]), Supposed("base", "1")], [])

    assert answered(supposition, "app") == {"app": "1", "lib": "2", "base": "1"}
    assert answered(supposition, "app", "lib <2") == {"app": "1", "lib": "1"}


def test_a_yanked_version_is_passed_over_unless_something_supposed_pins_it() -> None:
    index = universe("lib 1\nlib 2")
    yanked = [("lib", key("2.0"))]

    assert answered(Supposition(index, [], yanked), "lib") == {"lib": "1"}
    assert answered(Supposition(index, [], yanked), "lib >1") is None
    pinning = [Supposed("app", "1", [needs("lib", "==2")])]
    assert answered(Supposition(index, pinning, yanked), "lib >1") == {"lib": "2"}


def test_yanking_what_is_not_there_makes_up_no_package() -> None:
    supposition = Supposition(universe("lib 1"), [], [("lib", key("2")), ("bil", key("1"))])

    assert supposition.candidates(["bil"]) == {}
    assert answered(supposition, "lib") == {"lib": "1"}


def test_a_pre_release_is_let_in_by_a_supposed_version_that_names_it_if_that_can_be_picked() -> None:
    index = universe("package held quarantined\nlib 1\nlib 2rc1")
    naming = [needs("lib", "==2rc1")]

    assert answered(Supposition(index, [Supposed("app", "1", naming)], []), "lib >1") == {"lib": "2rc1"}
    for unheard in (
        Supposed("app", "1", naming, Status.DRAFT),
        Supposed("app", "1", naming, Status.QUARANTINED),
        Supposed("held", "1", naming),
        Supposed("app", "1", [needs("lib", "==2rc1", Kind.TEST)]),
    ):
        assert answered(Supposition(index, [unheard], []), "lib >1") is None


def test_a_supposed_draft_is_never_picked() -> None:
    supposition = Supposition(universe("lib 1"), [Supposed("lib", "2", status=Status.DRAFT)], [])

    assert answered(supposition, "lib") == {"lib": "1"}
    assert answered(supposition, "lib ==2") is None


def test_what_several_versions_say_is_mentioned_once() -> None:
    index = universe("app 1 needs lib ==2rc1\nlib 2rc1")
    said = needs("lib", "==2rc1")

    supposition = Supposition(index, [Supposed("app", "2", [said]), Supposed("tool", "1", [said])], [])

    assert supposition.mentions(["lib", "app"])["lib"] == [
        Mention(said.constraint, Kind.RUNTIME, optional=False, since=None)
    ]


def test_the_moment_of_a_supposed_release_counts() -> None:
    released = datetime(2025, 1, 1, tzinfo=UTC)
    supposition = Supposition(universe("lib 1"), [Supposed("lib", "2", released_at=released)], [])
    earlier = Question(wants("lib"), as_of=datetime(2024, 1, 1, tzinfo=UTC))

    result = solve(supposition, earlier)

    assert not isinstance(result, Conflict)
    assert [pin.version for pin in result.pins] == ["1"]


def test_supposed_names_are_suggested_too() -> None:
    supposition = Supposition(universe("zlib 1"), [Supposed("library", "1")], [])

    assert supposition.close_names("libary") == ["library"]
    assert supposition.close_names("zlbi") == ["zlib"]


def test_only_what_is_touched_is_put_together_anew_and_only_once() -> None:
    index = universe("app 1 needs lib; other\nlib 1\nother 1")
    supposition = Supposition(index, [Supposed("lib", "2", [needs("other")])], [])

    first = supposition.candidates(["lib", "other"])
    again = supposition.candidates(["lib", "other"])

    assert first["lib"] is again["lib"]
    assert [each.text for each in first["lib"].versions] == ["1", "2"]
    assert [is_supposed(each) for each in first["lib"].versions] == [False, True]
    assert first["other"].versions == index.candidates(["other"])["other"].versions
    assert isinstance(first["other"], Candidates)


def test_a_catalogue_is_asked_no_more_often_for_what_is_supposed_of_it() -> None:
    names = [f"p{number}" for number in range(50)]
    text = f"app 1 needs {'; '.join(names)}\n" + "\n".join(f"{name} 1" for name in names)
    supposed = [Supposed(name, "2", [needs("leaf")]) for name in names]
    plain, layered = universe(text), universe(text)

    solve(plain, Question(wants("app")))
    solve(Supposition(layered, [*supposed, Supposed("leaf", "1")], []), Question(wants("app")))

    assert layered.calls <= plain.calls + 2
