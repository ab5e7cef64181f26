import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from graph.constraints import parse_constraint
from graph.errors import InvalidConstraint
from graph.ranges import EVERYTHING, NOTHING
from graph.versions import parse_version, sort_key
from tests.graph.strategies import range_texts, set_texts, version_texts


def admitted(constraint: str, *versions: str) -> list[str]:
    parsed = parse_constraint(constraint)
    return [version for version in versions if parsed.admits(sort_key(parse_version(version)), version)]


@given(set_texts(), st.lists(version_texts(), max_size=12))
def test_a_specifier_set_admits_what_packaging_admits(text: str, versions: list[str]) -> None:
    assert admitted(text, *versions) == list(SpecifierSet(text).filter(versions, prereleases=True))


@given(set_texts(), st.lists(version_texts(), max_size=8))
def test_prereleases_are_named_by_the_sets_for_which_packaging_lets_them_in(
    text: str, versions: list[str]
) -> None:
    assert parse_constraint(text).names_prerelease == bool(SpecifierSet(text).prereleases)


@given(range_texts(), range_texts(), version_texts())
def test_the_algebra_is_that_of_sets(one: str, other: str, version: str) -> None:
    a, b, key = parse_constraint(one).ranges, parse_constraint(other).ranges, sort_key(Version(version))

    assert (key in (a | b)) == (key in a or key in b)
    assert (key in (a & b)) == (key in a and key in b)
    assert (key in (a - b)) == (key in a and key not in b)
    assert (key in ~a) == (key not in a)
    assert ~~a == a
    assert a | ~a == EVERYTHING
    assert a & ~a == NOTHING
    assert ~(a | b) == ~a & ~b
    assert (a <= b) == (a | b == b)


@given(range_texts())
def test_the_normal_form_means_the_same_and_is_its_own_normal_form(text: str) -> None:
    constraint = parse_constraint(text)
    again = parse_constraint(constraint.normalised)

    assert again.ranges == constraint.ranges
    assert again.normalised == constraint.normalised


@given(range_texts())
def test_a_complement_is_spelled_exactly_or_not_at_all(text: str) -> None:
    complement = ~parse_constraint(text).ranges
    spelled = complement.text()

    assert spelled is None or parse_constraint(spelled).ranges == complement


@given(range_texts(), range_texts())
def test_a_union_of_texts_is_the_union_of_sets(one: str, other: str) -> None:
    joined = parse_constraint(f"{one} || {other}")

    assert joined.ranges == parse_constraint(one).ranges | parse_constraint(other).ranges


@pytest.mark.parametrize(
    ("sugar", "meaning"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2", ">=0.2,<0.3"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("^0.0.0.1", ">=0.0.0.1,<0.0.1"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("^1!2.3", ">=1!2.3,<1!3"),
        ("~=1.4.2", ">=1.4.2,==1.4.*"),
        ("*", ""),
        (" >=1 , ", ">=1"),
    ],
)
def test_sugar_means_what_npm_and_cargo_mean_by_it(sugar: str, meaning: str) -> None:
    assert parse_constraint(sugar).ranges == parse_constraint(meaning).ranges


@pytest.mark.parametrize(
    ("declared", "normal"),
    [
        (">=1.2,<2 || >=1.5,<3", ">=1.2,<3"),
        ("<1 || >=1.post0", "<1 || >=1.post0"),
        (">=1,!=1.5,<2", ">=1,<2,!=1.5"),
        ("!=1.*", "!=1.*"),
        ("==1.0", "==1"),
        (">=2,<1", "<0.dev0"),
        (">=0.dev0", "*"),
        ("<1 || >=1.dev0", "*"),
        (">1.0.post2", ">1.post2"),
        ("<=2a3", "<=2a3"),
        (">=2a1.dev0,<2a2.dev0", ">2a0,<2a2.dev0"),
        ("===1.0", "===1.0"),
        ("!=1.0+local", "!=1+local"),
        ("==0.*", "<1"),
        ("!=0.dev0", ">0.dev0"),
        ("===nonsense", "===nonsense"),
        ("==1!1.*", "==1!1.*"),
    ],
)
def test_normal_forms_read_well(declared: str, normal: str) -> None:
    assert parse_constraint(declared).normalised == normal


def test_a_set_that_has_no_words_is_said_to_have_none() -> None:
    assert (~parse_constraint(">1.0").ranges).text() is None


def test_the_text_after_three_equals_signs_is_compared_with_the_published_text() -> None:
    assert admitted("===1.0.0", "1.0", "1.0.0") == ["1.0.0"]
    assert admitted("===1.0.0,===1.0", "1.0", "1.0.0") == []
    assert admitted("===1.0 || >=2", "1.0", "1.5", "2.0") == ["1.0", "2.0"]


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("1.2", 0, "an operator before the version, as in ==1.2 or ^1.2"),
        ("v0.6.2", 0, "as in ==0.6.2 or ^0.6.2"),
        (">=1, 1.4.*", 5, "as in ==1.4.*"),
        ("=1.2", 0, "one of =="),
        ("1.2 or 3", 0, "one of =="),
        ("foo", 0, "one of =="),
        (">=1.2.x", 5, "the end of the version"),
        (">=1,<", 5, "a version"),
        (">=1,  <banana", 7, "a number"),
        (">=1 || ", 6, "one of =="),
        ("|| >=1", 0, "one of =="),
        ("~=1", 3, "at least two numbers"),
        (">=1+local", 9, "without a local part"),
        (">=1.*", 3, "the end of the version"),
        ("==1a1.*", 7, "a final release before"),
        ("^1+local", 8, "without a local part"),
        ("=== a b", 4, "without spaces"),
        (">=1," * 2000, 4096, "at most 4096"),
        (",".join(f"!={i}" for i in range(101)), 0, "at most 100 specifiers"),
    ],
)
def test_a_text_that_is_no_constraint_is_refused_with_the_place(
    text: str, position: int, expected: str
) -> None:
    with pytest.raises(InvalidConstraint) as caught:
        parse_constraint(text)

    assert caught.value.position == position
    assert expected in caught.value.expected


def test_a_version_alone_is_asked_for_with_an_operator_only_where_that_would_do() -> None:
    with pytest.raises(InvalidConstraint) as caught:
        parse_constraint("1.4+cuda")

    assert caught.value.expected == "an operator before the version, as in ==1.4+cuda"


def test_people_are_told_of_characters_from_the_first_on() -> None:
    with pytest.raises(InvalidConstraint, match=r"at character 6, expected a version$"):
        parse_constraint(">=1,<")
