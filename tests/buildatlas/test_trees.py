"""Pins as a tree."""

from typing import Any

from buildatlas.trees import pin_tree


def edges(text: str) -> list[dict[str, Any]]:
    """Read lines such as `app > lib >=1`; the question itself is `?`."""
    found = []
    for line in text.strip().splitlines():
        dependent, _, needed = line.strip().partition(" > ")
        name, _, constraint = needed.partition(" ")
        found.append(
            {
                "dependent": None if dependent == "?" else dependent,
                "dependency": name,
                "constraint": constraint,
            }
        )
    return found


def shown(text: str) -> list[str]:
    required = edges(text)
    tree, _ = pin_tree(required, {edge["dependency"]: "1" for edge in required})
    return [line.plain for line in tree.lines()]


def test_every_requirement_has_a_line_and_what_a_pin_requires_stands_where_it_is_nearest() -> None:
    assert shown("""
        ? > app
        ? > tool
        app > far
        far > lib >=1
        lib > base
        tool > lib <3
    """) == [
        "requirements",
        "├── app 1",
        "│   └── far 1",
        "│       └── lib 1  >=1 (*)",
        "└── tool 1",
        "    └── lib 1  <3",
        "        └── base 1",
    ]


def test_a_pin_that_requires_nothing_is_complete_wherever_it_stands() -> None:
    assert shown("""
        ? > app
        ? > lib
        app > lib
    """) == ["requirements", "├── app 1", "│   └── lib 1", "└── lib 1"]


def test_several_constraints_of_one_dependent_are_one_requirement() -> None:
    assert shown("""
        ? > lib
        ? > lib >=1
        ? > lib <3
    """) == ["requirements", "└── lib 1  >=1 and <3"]


def test_a_cycle_ends_where_it_comes_back() -> None:
    assert shown("""
        ? > a
        a > a
        a > b
        b > a
    """) == ["requirements", "└── a 1", "    ├── a 1 (*)", "    └── b 1", "        └── a 1 (*)"]


def test_whether_anything_is_repeated_is_told() -> None:
    assert pin_tree(edges("? > a\n? > b\na > b"), {"a": "1", "b": "1"})[1] is False
    assert pin_tree(edges("? > a\na > a"), {"a": "1"})[1] is True


def test_a_chain_longer_than_the_stack_is_deep_is_shown_whole() -> None:
    chain = [f"p{number} > p{number + 1}" for number in range(2000)]

    lines = shown("\n".join(["? > p0", *chain]))

    assert len(lines) == 2002
    assert lines[-1].endswith(" └── p2000 1")
