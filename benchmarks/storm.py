"""`python -m benchmarks.storm`: how long look-ups take while many resolve at once, against how long they take alone.

The server is a process of its own with the catalogue that `benchmarks.julia` names. A client in another process looks one package
after the other up, at a steady pace whatever comes of them, so that one slow answer does not keep the next question back. The
storm is so many questions to the solver at once, and the same number again as soon as all are answered.
"""

import asyncio
import json
import multiprocessing
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import httpx

from benchmarks import julia
from tests.api.processes import server_process

_SECONDS: Final = 20
_STORM: Final = 50
_PACE: Final = 0.02
_TIMEOUT: Final = 120

_LOOK_UP: Final = (
    "query($name: String!) { package(name: $name) { name status latestVersion { version releasedAt } } }"
)
_RESOLVE: Final = "query($input: ResolveInput!) { resolve(input: $input) { __typename } }"


async def _look_up(client: httpx.AsyncClient, name: str) -> float:
    began = time.perf_counter()
    answer = await client.post("/graphql", json={"query": _LOOK_UP, "variables": {"name": name}})
    assert answer.json()["data"]["package"]["name"] == name
    return time.perf_counter() - began


async def _look_ups(address: str, names: Sequence[str]) -> list[float]:
    """Return how long each took, in seconds."""
    choice = random.Random(1)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=address, timeout=_TIMEOUT, limits=limits) as client:
        began, asked = time.perf_counter(), list[asyncio.Task[float]]()
        while (late := time.perf_counter() - began) < _SECONDS:
            asked.append(asyncio.create_task(_look_up(client, choice.choice(names))))
            await asyncio.sleep(max(0.0, len(asked) * _PACE - late))
        return await asyncio.gather(*asked)


def _look_up_apart(pipe: Connection, address: str, names: Sequence[str]) -> None:
    pipe.send(asyncio.run(_look_ups(address, names)))


async def _resolve(client: httpx.AsyncClient, package: str) -> str:
    question = {"requirements": [{"package": package}]}
    answer = await client.post("/graphql", json={"query": _RESOLVE, "variables": {"input": question}})
    body = answer.json()
    if body.get("errors"):
        return str(body["errors"][0]["extensions"]["code"])
    return str(body["data"]["resolve"]["__typename"])


async def _storm(address: str, names: Sequence[str], until: multiprocessing.Process) -> Counter[str]:
    """Ask until a process has ended; return how often which answer came."""
    choice = random.Random(2)
    told = Counter[str]()
    async with httpx.AsyncClient(
        base_url=address, timeout=_TIMEOUT, limits=httpx.Limits(max_connections=None)
    ) as client:
        while until.is_alive():
            told.update(
                await asyncio.gather(*(_resolve(client, choice.choice(names)) for _ in range(_STORM)))
            )
    return told


def _measure(address: str, names: Sequence[str], *, is_stormy: bool) -> list[float]:
    ours, theirs = multiprocessing.Pipe()
    looking = multiprocessing.Process(target=_look_up_apart, args=(theirs, address, names))
    began = time.perf_counter()
    looking.start()
    if is_stormy:
        # The pipe is read in a thread, so that the other process can end.
        told = asyncio.run(_stormy(address, names, looking, ours))
        seconds = time.perf_counter() - began
        print(f"  {sum(told[0].values()) / seconds:.0f} resolutions/s: {dict(told[0])}", flush=True)
        return told[1]
    found: list[float] = ours.recv()
    looking.join()
    return found


async def _stormy(
    address: str, names: Sequence[str], looking: multiprocessing.Process, pipe: Connection
) -> tuple[Counter[str], list[float]]:
    received = asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    return await _storm(address, names, looking), await received


def _spread(seconds: Sequence[float]) -> str:
    cut = quantiles(seconds, n=100)
    return f"median {median(seconds) * 1e3:.1f} ms, 99 % {cut[98] * 1e3:.1f} ms, most {max(seconds) * 1e3:.1f} ms"


def main() -> None:
    """Measure look-ups alone, in the storm, and alone again."""
    names = sorted({json.loads(line)["name"] for line in julia.lines()})
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "atlas.db")
        command = (sys.executable, "-m", "buildatlas.cli", "import", str(julia.CATALOGUE))
        subprocess.run(
            (*command, "--on-error", "skip", "--database", database), check=False, stdout=subprocess.DEVNULL
        )
        with server_process(database) as server:
            for name, is_stormy in (
                ("alone, cold", False),
                ("alone", False),
                ("in the storm", True),
                ("alone", False),
            ):
                found = _measure(server.address, names, is_stormy=is_stormy)
                print(f"{name}: {len(found):,} look-ups, {_spread(found)}", flush=True)


if __name__ == "__main__":
    main()
