"""A run that is built while its workers and servers are killed ends, with every build explained and none held twice."""

from pathlib import Path

import pytest

from tests import build_chaos
from tests.api.test_crashes import durable
from tests.build_chaos import Chaos, Findings
from tests.databases import KINDS


def check(found: Findings, builds: int) -> None:
    assert found.is_completed
    assert (found.lost, found.held_twice, found.out_of_order) == ([], [], [])
    assert sum(found.ends.values()) == builds
    assert found.ends.keys() <= {"SUCCESS", "FAILURE", "DEP_FAILED"}
    assert found.is_content


def story(kind: str, folder: Path, *, builds: int, pause: tuple[float, float]) -> Chaos:
    with durable(kind, folder) as (url, _):
        run_id = build_chaos.begin(url, builds)
        chaos = Chaos(url, folder, servers=2, workers=3)
        chaos.run(run_id, pause=pause, patience=1_200)
        check(build_chaos.look(url, run_id), builds)
    return chaos


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_ends_though_workers_and_servers_are_killed(kind: str, tmp_path: Path) -> None:
    chaos = story(kind, tmp_path, builds=120, pause=(0.3, 1.0))

    assert chaos.kills["workers"]
    assert chaos.kills["servers"]


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_long_run_ends_though_workers_and_servers_are_killed(kind: str, tmp_path: Path) -> None:
    chaos = story(kind, tmp_path, builds=2_000, pause=(0.5, 2.0))

    assert chaos.kills["workers"]
    assert chaos.kills["servers"]
