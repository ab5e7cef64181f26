"""Clients of npm, run by the Node.js that a wheel brings: installed once, for all test runs and all of their workers."""

import fcntl
import hashlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dashboard.build import node, npm

_HERE: Final = Path(__file__).parent
_LOCKED: Final = ("package.json", "package-lock.json", ".npmrc")
_CACHE: Final = Path(sys.prefix) / "clients"
_INSTALL_SECONDS: Final = 300
_SECONDS: Final = 20


def installed() -> Path:
    """Return the folder that holds `node_modules` as the lock has them, installing them when no run has done so yet."""
    content = b"".join((_HERE / name).read_bytes() for name in _LOCKED)
    folder = _CACHE / hashlib.sha256(content).hexdigest()[:16]
    _CACHE.mkdir(exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(folder)
    return folder


def _install(folder: Path) -> None:
    # Under its name there is only what is whole, as a run may be killed while it installs.
    unfinished = folder.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name in _LOCKED:
        shutil.copy(_HERE / name, unfinished)
    done = subprocess.run(
        [node(), npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=unfinished,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    unfinished.rename(folder)


def laid_out(folder: Path) -> Path:
    """Copy the scripts of this folder into `folder`, beside what they import, and return it."""
    for script in _HERE.glob("*.mjs"):
        shutil.copy(script, folder)
    (folder / "node_modules").symlink_to(installed() / "node_modules", target_is_directory=True)
    return folder


@dataclass(slots=True)
class Script:
    """A running script, which tells and is told one JSON value a line."""

    process: subprocess.Popen[str]
    _told: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)

    def tell(self, **order: object) -> None:
        """Give it an order."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """Return what it tells next."""
        return self._told.get(timeout=_SECONDS)

    def rest(self) -> list[Any]:
        """Tell it that there are no more orders, and return all else that it tells until it ends."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(_SECONDS) == 0
        return list(iter(self.hear, None))

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._told.put(json.loads(line))
        self._told.put(None)


@contextmanager
def running(script: Path, *arguments: str, options: tuple[str, ...] = ()) -> Iterator[Script]:
    """Run a script as long as the block runs; `options` are those of Node.js itself."""
    # NODE_OPTIONS and the like are meant for other programs.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("NODE_")}
    with subprocess.Popen(
        [node(), *options, script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        started = Script(process)
        listener = threading.Thread(target=started.listen)
        listener.start()
        try:
            yield started
        finally:
            process.kill()
            listener.join()
