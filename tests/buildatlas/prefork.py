"""A process that has loaded the command line, and forks one that runs it whenever it is asked to.

What it forks is what a user starts, but for the second that loading takes.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

_LONGEST_ORDER = 1 << 20


class Prefork:
    """Runs one command at a time."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.buildatlas.prefork", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
            )

    def run(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, input: str
    ) -> tuple[int, str, str]:
        """Return the exit code of a command, and what it has printed on both streams."""
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as stdout,
            tempfile.TemporaryFile() as stderr,
        ):
            stdin.write(input.encode())
            stdin.seek(0)
            order = {
                "arguments": list(arguments),
                "environment": dict(environment),
                "folder": str(folder),
            }
            files = [each.fileno() for each in (stdin, stdout, stderr)]
            socket.send_fds(self._channel, [json.dumps(order).encode()], files)
            self._channel.settimeout(120)
            code = int(self._channel.recv(16))
            texts = []
            for each in (stdout, stderr):
                each.seek(0)
                texts.append(each.read().decode())
        return code, texts[0], texts[1]

    def end(self) -> None:
        """End it."""
        self._channel.close()
        self._process.wait()


@cache
def prefork() -> Prefork:
    """Return the one of this process."""
    started = Prefork()
    atexit.register(started.end)
    return started


def _serve(channel: socket.socket) -> None:
    import buildatlas.cli  # noqa: PLC0415 - loaded now, and not by each
    import buildatlas.local  # noqa: PLC0415
    import buildatlas.transfers  # noqa: F401, PLC0415

    while True:
        text, files, _, _ = socket.recv_fds(channel, _LONGEST_ORDER, 3)
        if not text:
            return
        child = os.fork()
        if child == 0:
            channel.close()
            _become(json.loads(text), files)
        for each in files:
            os.close(each)
        channel.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


def _become(order: Mapping[str, Any], files: Sequence[int]) -> None:
    from buildatlas.cli import main  # noqa: PLC0415

    for number, each in enumerate(files):
        os.dup2(each, number)
        os.close(each)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    # By which help says what it is called.
    sys.modules["__main__"].__package__ = None
    sys.argv = ["buildatlas", *order["arguments"]]
    code: object = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
        code = 1
    # Taking down all that has been loaded is what takes longest.
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
