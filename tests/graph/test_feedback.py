"""Cut edges are few, also where there are too many to check them at once."""

from itertools import permutations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

import graph.feedback
import graph.sequence
from graph.csr import Csr
from graph.feedback import feedback_edges
from tests.graph.worlds import World, worlds


def cut_of(csr: Csr) -> int:
    return int(feedback_edges(csr, np.zeros(len(csr.flags), dtype=np.uint8)).sum())


def fewest_cuts(world: World) -> int:
    """Count the cuts of the best order, by trying all orders."""
    edges = set(world.twin.edges)
    orders = ({name: place for place, name in enumerate(order)} for order in permutations(world.names))
    return min(sum(place[tail] >= place[head] for tail, head in edges) for place in orders)


@settings(max_examples=60)
@given(worlds(largest=6))
def test_cuts_are_close_to_the_fewest_possible(world: World) -> None:
    assert fewest_cuts(world) <= cut_of(world.graph.csr) <= fewest_cuts(world) + 2


def tangle(size: int) -> Csr:
    rng = np.random.default_rng(7)
    ends = rng.integers(0, size, (2, 4 * size), dtype=np.int32)
    return Csr.build(size, ends[0], ends[1], np.ones(4 * size, dtype=np.uint8))


def test_cuts_checked_in_small_batches_are_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    csr = tangle(60)
    at_once = cut_of(csr)
    monkeypatch.setattr(graph.feedback, "_BATCH", 5)
    monkeypatch.setattr(graph.feedback, "_PASSES", 1000)

    assert abs(cut_of(csr) - at_once) <= 5


def test_more_rounds_of_sifting_cut_less(monkeypatch: pytest.MonkeyPatch) -> None:
    csr = tangle(300)
    monkeypatch.setattr(graph.feedback, "_PASSES", 0)
    cuts = []
    for rounds in (0, 1, 4):
        monkeypatch.setattr(graph.sequence, "_ROUNDS", rounds)
        cuts.append(cut_of(csr))

    assert cuts[0] > cuts[1] > cuts[2]


def test_cuts_beyond_the_last_pass_stay_and_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    csr = tangle(60)
    monkeypatch.setattr(graph.feedback, "_BATCH", 5)
    monkeypatch.setattr(graph.feedback, "_PASSES", 1)

    kept = csr.keep(~feedback_edges(csr, np.zeros(len(csr.flags), dtype=np.uint8)))

    assert nx.is_directed_acyclic_graph(
        nx.DiGraph(list(zip(*map(np.ndarray.tolist, kept.edges()), strict=True)))
    )
