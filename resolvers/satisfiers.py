"""The SAT solver in a process of its own, which the solver takes its hardest questions to.

In this process it would hold the interpreter's lock for as long as it works, and
the whole server with it, and nothing could stop it. The process is started when
a question needs it and ended with it: a tenth of a second beside the seconds
that such a question takes.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from typing import Final

import msgspec

from graph.satisfier import Cadical, Clause, Stopped, cadical

# How long a call waits between two looks at whether to go on, in seconds.
_LOOK_EVERY: Final = 0.05
# How long a process that is not needed any more may take to end, in seconds: it has some hundred megabytes to free.
_LAST_WAIT: Final = 2.0

# More of them at once would only take the processors from everything else.
_TURNS: Final = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) - 1))

# Linux's prctl(PR_SET_PDEATHSIG).
_SIGNAL_AT_PARENTS_DEATH: Final = 1


class _Request(msgspec.Struct):
    """What is new since the last call, as literals with a 0 after each clause, and what to assume."""

    clauses: bytes
    preferred: bytes
    assumptions: bytes


class _Reply(msgspec.Struct):
    """The literals that hold, or without a solution the assumptions to blame."""

    solution: bytes | None
    blamed: bytes


@contextmanager
def isolated(should_stop: Callable[[], bool]) -> Iterator["Isolated"]:
    """Open a SAT solver in a process of its own; it is killed when a call is told to stop, and at the end.

    Waits while as many are open as there are processors to spare. Raises Stopped when told to stop meanwhile.
    """
    while not _TURNS.acquire(timeout=_LOOK_EVERY):
        if should_stop():
            raise Stopped
    try:
        ours, theirs = Pipe()
        with closing(ours):
            process = _started(theirs)
            satisfier = Isolated(ours, should_stop)
            try:
                yield satisfier
            finally:
                _end(process, satisfier, ours)
    finally:
        _TURNS.release()


def _started(connection: Connection) -> "subprocess.Popen[bytes]":
    with closing(connection):
        command = [sys.executable, "-P", "-m", __name__, str(connection.fileno()), str(os.getpid())]
        return subprocess.Popen(  # noqa: S603 - ourselves
            command,
            pass_fds=[connection.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # Ctrl-C is for us, who end it then.
            start_new_session=True,
        )


def _end(process: "subprocess.Popen[bytes]", satisfier: "Isolated", ours: Connection) -> None:
    if satisfier.is_idle:
        # It ends by itself once there is nobody to ask it anything.
        ours.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_WAIT)
    process.kill()
    process.wait()


class Isolated:
    """A `graph.satisfier.Satisfier` at the other end of a pipe."""

    def __init__(self, connection: Connection, should_stop: Callable[[], bool]) -> None:
        self._connection = connection
        self._should_stop = should_stop
        self._clauses = array("i")
        self._preferred = array("i")
        self._blamed: Sequence[int] = ()
        self.is_idle = True
        """Whether the other end waits to be asked."""

    def add(self, clauses: Iterable[Clause]) -> None:
        for clause in clauses:
            self._clauses.extend(clause)
            self._clauses.append(0)

    def prefer(self, literals: Sequence[int]) -> None:
        self._preferred = array("i", literals)

    def satisfy(self, assumptions: Sequence[int]) -> Sequence[int] | None:
        request = _Request(
            self._clauses.tobytes(), self._preferred.tobytes(), array("i", assumptions).tobytes()
        )
        self._clauses, self._preferred = array("i"), array("i")
        self.is_idle = False
        reply = msgspec.msgpack.decode(self._asked(msgspec.msgpack.encode(request)), type=_Reply)
        self.is_idle = True
        self._blamed = _literals(reply.blamed)
        return None if reply.solution is None else _literals(reply.solution)

    def _asked(self, request: bytes) -> bytes:
        try:
            self._connection.send_bytes(request)
            while not self._connection.poll(_LOOK_EVERY):
                if self._should_stop():
                    raise Stopped
            return self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            # Whoever is short of memory kills what uses most of it.
            raise Stopped from error

    def blamed(self) -> Sequence[int]:
        return self._blamed


def _literals(packed: bytes) -> "array[int]":
    literals = array("i")
    literals.frombytes(packed)
    return literals


def _die_with(parent: int) -> None:
    """Have the system end this process when the one that started it is gone: it may be deep in a call then."""
    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(_SIGNAL_AT_PARENTS_DEATH, signal.SIGKILL)
    if os.getppid() != parent:
        # It was gone before the system was asked.
        sys.exit()


def serve(connection: Connection) -> None:
    """Answer calls of an `Isolated` until it goes away."""
    with cadical(lambda: False) as satisfier:
        while True:
            try:
                request = msgspec.msgpack.decode(connection.recv_bytes(), type=_Request)
            except (EOFError, ConnectionError):
                return
            connection.send_bytes(msgspec.msgpack.encode(_answer(satisfier, request)))


def _answer(satisfier: Cadical, request: _Request) -> _Reply:
    satisfier.add(_clauses(_literals(request.clauses)))
    if request.preferred:
        satisfier.prefer(_literals(request.preferred).tolist())
    solution = satisfier.satisfy(_literals(request.assumptions))
    if solution is None:
        return _Reply(None, array("i", satisfier.blamed()).tobytes())
    return _Reply(array("i", solution).tobytes(), b"")


def _clauses(literals: Iterable[int]) -> Iterator[Clause]:
    clause: list[int] = []
    for literal in literals:
        if literal:
            clause.append(literal)
        else:
            yield clause
            clause = []


if __name__ == "__main__":
    _die_with(parent=int(sys.argv[2]))
    serve(Connection(int(sys.argv[1])))
