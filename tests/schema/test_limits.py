"""Limits on documents: what is counted, and that counting is cheap."""

import time

import pytest
from graphql import parse

from schema.limits import Limits, check_limits

SMALL = Limits(depth=3, introspection_depth=4, fields=5, aliases=2, directives=2)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{ a { b { c } } }", None),
        ("{ a { b { c { d } } } }", "levels of fields: 4, and at most 3"),
        ("{ a { ...F } } fragment F on T { b { ...G } } fragment G on T { c { d } }", "levels of fields: 4"),
        ("{ a { ... on T { b { ... { c { d } } } } } }", "levels of fields: 4"),
        ("{ a b c d e }", None),
        ("{ a b c d e f }", "fields: 6, and at most 5"),
        ("{ ...F ...F ...F } fragment F on T { a b }", "fields: 6"),
        ("{ x: a y: b z: c }", "aliases: 3"),
        (
            "{ a @skip(if: true) b @skip(if: true) ...F @skip(if: true) } fragment F on T { a }",
            "directives: 3",
        ),
        ("{ ... @include(if: true) { a @skip(if: true) b @skip(if: true) } }", "directives: 3"),
        ("query @x @y @z { a }", "directives: 3"),
        ("{ __schema { a { b { c } } } }", None),
        ("{ __schema { a { b { c { d } } } } }", "levels of introspection: 5"),
        ('{ a { b { __type(name: "T") { c { d } } } } }', None),
        ("query A { a } query B { a b c d e f }", "fields: 6"),
        ("{ ...F } fragment F on T { a ...F }", None),
        ("{ ...Missing }", None),
    ],
)
def test_a_document_past_a_limit_is_told_which(document: str, message: str | None) -> None:
    broken = check_limits(parse(document), SMALL)

    assert (broken is None) if message is None else message in str(broken)


def test_fragments_that_double_forty_times_are_measured_at_once() -> None:
    chain = " ".join(f"fragment F{i} on T {{ ...F{i + 1} ...F{i + 1} }}" for i in range(40))
    document = parse(f"{{ ...F0 }} {chain} fragment F40 on T {{ a }}")
    started = time.perf_counter()

    broken = check_limits(document, Limits())

    assert broken is not None
    assert broken.found == 2**40
    assert time.perf_counter() - started < 1
