"""What makes errors the same fault."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.fingerprints import LONGEST_MESSAGE, fingerprint, normalised


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("KeyError: 'Flux'", "KeyError: <name>"),
        ('package "Flux" does not exist', "package <name> does not exist"),
        ("`a` and \u2018b\u2019 and \u201cc\u201d", "<name> and <name> and <name>"),
        ("it doesn't fit, and won't", "it doesn't fit, and won't"),
        ("row 17 of 1,200 took 3.5 s", "row <number> of <number> took <number> s"),
        ("waited 30s for 10MB in v1.2.3rc1+local.7", "waited <number> for <number> in <number>"),
        ("no such file: /srv/atlas/data.db", "no such file: <path>"),
        (r"no such file: C:\atlas\data.db", "no such file: <path>"),
        ("src/lib/main.c failed", "<path> failed"),
        ("cannot reach https://atlas.example/graphql?x=1, twice", "cannot reach <url>, twice"),
        ("build 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone", "build <id> is gone"),
        ("commit 9f86d081884c7d65 and sha256:9f86d081884c7d65", "commit <id> and <id>"),
        ("<object at 0x7f3a>", "<object at <id>>"),
        ("refused by 10.0.0.17:5432", "refused by <address>"),
        ("at 2026-01-01T12:00:00Z or 2026-01-02", "at <time> or <time>"),
        ("lib12 on worker-7", "lib<number> on worker-<number>"),
        ("two\n  lines\t", "two lines"),
        ("password=hunter2", "password=***"),
        ("", ""),
    ],
)
def test_particulars_are_replaced_by_what_they_are(message: str, expected: str) -> None:
    assert normalised(message) == expected


@given(st.text(), st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_number_makes_no_difference(text: str, one: int, other: int) -> None:
    assert normalised(f"{text} row {one} is gone") == normalised(f"{text} row {other} is gone")


def test_a_long_message_is_cut_and_no_half_word_is_read() -> None:
    long = normalised("word " * 10_000)

    assert len(long) <= LONGEST_MESSAGE
    assert long.endswith("word…")
    assert "word" not in normalised("x" * 100_000 + "word")


@pytest.mark.parametrize("piece", ["'", "a/", "a.", "1a", "a1b", "\\", "0x", "http://", "9" * 8])
def test_long_messages_of_little_sense_are_read(piece: str) -> None:
    assert len(normalised(piece * 100_000)) <= LONGEST_MESSAGE


def test_errors_are_the_same_fault_by_code_component_and_message() -> None:
    one = fingerprint(code="A", component="api", message="m")

    assert one == fingerprint(code="A", component="api", message="m")
    others = {
        fingerprint(code="B", component="api", message="m"),
        fingerprint(code="A", component="http", message="m"),
        fingerprint(code="A", component="api", message="n"),
        fingerprint(code="Aapi", component="", message="m"),
    }
    assert len(others | {one}) == 5
