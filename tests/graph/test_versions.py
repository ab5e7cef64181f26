import pytest
from hypothesis import given
from packaging.version import Version

from graph.errors import InvalidVersion
from graph.versions import Side, after_locals, after_posts, just_after, locate, parse_version, sort_key
from tests.graph.strategies import version_texts


@given(version_texts(), version_texts())
def test_sort_keys_compare_as_versions_do(one: str, other: str) -> None:
    a, b = Version(one), Version(other)

    assert (sort_key(a) < sort_key(b)) == (a < b)
    assert (sort_key(a) == sort_key(b)) == (a == b)


@given(version_texts())
def test_a_key_leads_back_to_its_version(text: str) -> None:
    assert locate(sort_key(Version(text))) == (Version(text), Side.AT)
    assert locate(just_after(sort_key(Version(text)))) == (Version(text), Side.JUST_AFTER)


@given(version_texts(local=False))
def test_bounds_between_versions_lead_back_to_the_version_they_follow(text: str) -> None:
    version = Version(text)

    assert locate(after_locals(version)) == (version, Side.AFTER_LOCALS)
    assert locate(after_posts(version))[1] is Side.AFTER_POSTS


def test_local_versions_lie_below_the_bound_after_them_and_post_releases_above() -> None:
    bound = after_locals(Version("1.0"))

    assert (
        sort_key(Version("1.0")) < sort_key(Version("1.0+zz.9")) < bound < sort_key(Version("1.0.post0.dev0"))
    )


def test_post_releases_lie_below_the_bound_after_them() -> None:
    bound = after_posts(Version("1.0"))

    assert sort_key(Version("1.0.post999")) < bound < sort_key(Version("1.0.1.dev0"))


def test_an_absurdly_large_number_still_orders() -> None:
    assert sort_key(Version("9" * 250)) > sort_key(Version("9" * 249))


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 0, "a number such as 1.4.0"),
        ("banana", 0, "a number such as 1.4.0"),
        ("1.2.x", 3, "the end of the version"),
        ("1.0 beta 2 x", 3, "the end of the version"),
        ("1.0.0-rc.1.2", 10, "the end of the version"),
        ("1" * 300, 256, "at most 256 characters"),
    ],
)
def test_a_text_that_is_no_version_is_refused_with_the_place(text: str, position: int, expected: str) -> None:
    with pytest.raises(InvalidVersion) as caught:
        parse_version(text)

    assert (caught.value.position, caught.value.expected) == (position, expected)
    assert len(str(caught.value)) < 200
