"""A server with a catalogue in it, of each kind of database, for all that is asked by one process of tests."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.api.processes import ServerProcess, server_process
from tests.clients.catalogue import Api, asking
from tests.databases import KINDS, url_of
from tests.fuzzing.answers import check_log
from tests.fuzzing.known import Known, grow


@dataclass
class Fuzzed:
    """A running server, and a client of it."""

    process: ServerProcess
    api: Api
    grown: int = field(default=0)

    @property
    def address(self) -> str:
        """Where it answers, without a slash at the end."""
        return self.process.address

    def grow(self) -> Known:
        """Add to its catalogue: what a test before has deleted or ended is not missed."""
        self.grown += 1
        return grow(self.api, f"p{self.grown}")

    def check(self) -> None:
        """Fail when the server has gone, or logged a fault of its own."""
        assert self.process.process.poll() is None
        check_log(self.process.said)
        assert self.api.ask("{ server { packages } }")["server"]["packages"] > 0


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """A server of its own process."""
    with (
        url_of(request.param, tmp_path_factory.mktemp("fuzzing")) as url,
        # Nothing that is asked here is refused for its size alone.
        server_process(url, BUILDATLAS_COST_LIMIT="10000000") as process,
        asking(process.address) as api,
    ):
        yield Fuzzed(process, api)
