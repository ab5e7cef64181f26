"""Equal questions have equal answers in every process, whatever the seed of its hashes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.resolution import Question
from graph.solver import solve
from tests.graph.registries import random_case
from tests.graph.universe import Universe, pigeons, wants

_ROOT = Path(__file__).parents[2]


def transcript() -> Iterator[str]:
    """Yield all that there is to say about the answers to a few dozen questions, also where the search hands over."""
    yield from map(_told, _asked(range(5_000, 5_060)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graph.solver.MOST_CONFLICTS", 2)
        yield from map(_told, _asked(range(5_060, 5_100)))


def _told(asked: tuple[Universe, Question]) -> str:
    result = solve(*asked)
    facts = [f"{name}: {getattr(result, name)!r}" for name in type(result).__annotations__]
    return "\n".join((type(result).__name__, *facts))


def _asked(seeds: range) -> Iterator[tuple[Universe, Question]]:
    yield pigeons(5, 4), Question(wants(*(f"bird{bird}" for bird in range(1, 6))))
    for seed in seeds:
        registry, question = random_case(seed)
        yield registry.built(), question


def in_a_process_of_its_own(hash_seed: str) -> str:
    program = "from tests.graph.test_determinism import transcript; print(*transcript(), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=_ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_processes_with_different_hash_seeds_answer_alike_to_the_letter() -> None:
    here = "\n".join(transcript()) + "\n"

    assert here.count("\nResolution\n") > 10
    assert here.count("\nConflict\n") > 10
    assert "fingerprint: " in here
    assert "steps: " in here
    for hash_seed in ("0", "1", "4294967295"):
        assert in_a_process_of_its_own(hash_seed) == here
