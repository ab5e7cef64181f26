import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path

import pytest

from graph.clauses import Clauses
from graph.errors import GaveUp
from graph.problem import Problem
from graph.resolution import Question
from graph.satisfier import Clause, Stopped, cadical
from graph.solver import find
from resolvers import satisfiers
from resolvers.satisfiers import Isolated, isolated
from tests.graph.universe import pigeons, wants


def never() -> bool:
    return False


def pigeon_clauses(birds: int) -> tuple[list[Clause], list[int]]:
    """More birds than holes: what a SAT solver cannot see in any short time, once there are many."""
    problem = Problem(pigeons(birds, birds - 1), Question(wants(*(f"bird{b}" for b in range(1, birds + 1)))))
    clauses = Clauses(problem, never)
    everything = [*clauses.of_question(), *(each for p in clauses.packages for each in clauses.of_package(p))]
    return everything, list(clauses.guards)


def test_a_process_of_its_own_answers_as_one_in_this_process_does() -> None:
    with isolated(never) as there, cadical(never) as here:
        for satisfier in (there, here):
            satisfier.add([(1, 2), (-1, 3)])
            satisfier.prefer([1, -2])
        assert list(there.satisfy([]) or ()) == list(here.satisfy([]) or ()) == [1, -2, 3]
        for satisfier in (there, here):
            satisfier.add([[-3]])
        assert there.satisfy([1]) is None
        assert here.satisfy([1]) is None
        assert list(there.blamed()) == list(here.blamed()) == [1]
        assert list(there.satisfy([]) or ()) == [-1, 2, -3]


def test_a_question_is_answered_the_same_by_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.solver.MOST_CONFLICTS", 2)
    question = Question(wants(*(f"bird{b}" for b in range(1, 6))))

    assert find(pigeons(5, 5), question, new_satisfier=isolated) == find(pigeons(5, 5), question)


def test_a_call_that_takes_too_long_is_ended_with_its_process() -> None:
    clauses, guards = pigeon_clauses(40)
    started = time.monotonic()
    with isolated(lambda: time.monotonic() > started + 0.2) as satisfier:
        satisfier.add(clauses)
        with pytest.raises(Stopped):
            satisfier.satisfy(guards)


def test_other_threads_go_on_while_a_call_is_under_way() -> None:
    clauses, guards = pigeon_clauses(40)
    ticks = 0
    over = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not over.wait(0.005):
            ticks += 1

    ticker = threading.Thread(target=tick)
    ticker.start()
    started = time.monotonic()
    with isolated(lambda: time.monotonic() > started + 0.5) as satisfier:
        satisfier.add(clauses)
        with pytest.raises(Stopped):
            satisfier.satisfy(guards)
    over.set()
    ticker.join()

    assert ticks > 5


def test_the_process_ends_with_the_block() -> None:
    before = children()
    with isolated(never) as satisfier:
        satisfier.satisfy([])
        assert len(children() - before) == 1

    assert children() <= before


def children() -> set[str]:
    """The processes that this one has started."""
    return set(Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split())


def test_a_process_that_is_killed_has_no_answer() -> None:
    clauses, guards = pigeon_clauses(40)
    before = children()
    with isolated(never) as satisfier:
        satisfier.add(clauses)
        started = int(*(children() - before))
        killer = threading.Timer(0.5, lambda: os.kill(started, signal.SIGKILL))
        killer.start()
        with pytest.raises(Stopped):
            satisfier.satisfy(guards)
        killer.join()


def test_what_is_stopped_is_given_up_with_what_the_search_has_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.solver.MOST_CONFLICTS", 2)
    question = Question(wants(*(f"bird{b}" for b in range(1, 9))))
    before = children()

    with pytest.raises(GaveUp) as caught:
        find(pigeons(8, 7), question, should_stop=lambda: children() > before, new_satisfier=isolated)

    assert caught.value.conflicts == 2
    assert caught.value.decisions > 0


def test_one_waits_for_its_turn_and_can_be_told_to_stop_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(satisfiers, "_TURNS", threading.BoundedSemaphore(1))
    looks = iter([False, True])
    with isolated(never), pytest.raises(Stopped), isolated(lambda: next(looks)):
        pytest.fail("there was no turn")

    with isolated(lambda: True):
        pass


def test_a_process_ends_with_the_one_that_started_it() -> None:
    script = (
        "import os, signal; from resolvers.satisfiers import isolated\n"
        "from tests.resolvers.test_satisfiers import children, pigeon_clauses\n"
        "clauses, guards = pigeon_clauses(40)\n"
        "with isolated(lambda: os.kill(os.getpid(), signal.SIGKILL)) as satisfier:\n"
        "    satisfier.add(clauses); print(*children(), flush=True); satisfier.satisfy(guards)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert run.returncode == -signal.SIGKILL
    assert not is_alive_after_a_while(int(run.stdout))


def is_alive_after_a_while(process: int) -> bool:
    """Whether a process does not end within a minute. One that nobody has waited for yet has ended, too."""
    end = time.monotonic() + 60
    status = Path(f"/proc/{process}/status")
    with suppress(FileNotFoundError, ProcessLookupError):
        while time.monotonic() < end:
            if "\nState:\tZ" in status.read_text():
                return False
            time.sleep(0.01)
        return True
    return False


def test_a_server_ends_when_its_caller_goes_away() -> None:
    ours, theirs = Pipe()
    server = threading.Thread(target=satisfiers.serve, args=(theirs,))
    server.start()
    assert list(Isolated(ours, never).satisfy([]) or ()) == []
    ours.close()
    server.join(timeout=30)

    assert not server.is_alive()
