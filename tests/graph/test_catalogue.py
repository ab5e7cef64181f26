import pytest

import graph.catalogue
from graph.constraints import parse_constraint
from tests.graph.universe import universe


def test_constraints_that_are_made_up_one_after_the_other_do_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(graph.catalogue, "MOST_MASKS", 10)
    candidates = universe("lib 1\nlib 2").candidates(["lib"])["lib"]

    masks = {candidates.mask(parse_constraint(f"!=3.{number}")) for number in range(100)}

    assert masks == {candidates.everything}
    assert len(candidates._masks) <= 10
