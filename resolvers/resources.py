"""What a server process takes, and what it has to do: sampled from time to time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import psutil

from resolvers.atlas import Atlas
from resolvers.measurements import (
    CPU,
    DATABASE_SIZE,
    FILES,
    GRAPH_EDGES,
    GRAPH_NODES,
    MEMORY,
    OLDEST_QUEUED,
    POOL,
    QUEUE,
    THREADS,
    WORKERS,
)
from storage import queue, workers
from storage.database import Connection

Sample = tuple[str, float]
"""A name of `measurements`, and the value."""

# After which a worker is taken for gone.
_HEARD_OF: Final = timedelta(minutes=5)


class Resources:
    """Looks at one process and its database."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._process = psutil.Process()
        # The first answer is 0: it tells of the time since the last.
        self._process.cpu_percent()

    def samples(self, *, now: datetime) -> Iterator[Sample]:
        """Yield what there is to see. It reads the database, with a few statements."""
        yield from self._of_process()
        yield from self._of_graph()
        database = self._atlas.database
        yield POOL, database.in_use()
        yield DATABASE_SIZE, database.size()
        with database.read() as connection:
            yield from _of_builds(connection, now)

    def _of_process(self) -> Iterator[Sample]:
        with self._process.oneshot():
            yield CPU, self._process.cpu_percent() / 100
            yield MEMORY, self._process.memory_info().rss
            yield FILES, self._process.num_fds()
            yield THREADS, self._process.num_threads()

    def _of_graph(self) -> Iterator[Sample]:
        nodes, edges = self._atlas.graphs.size
        yield GRAPH_NODES, nodes
        yield GRAPH_EDGES, edges


def _of_builds(connection: Connection, now: datetime) -> Iterator[Sample]:
    depth, oldest = queue.depth(connection)
    yield QUEUE, depth
    yield OLDEST_QUEUED, 0 if oldest is None else max((now - oldest).total_seconds(), 0)
    yield WORKERS, len(workers.seen_since(connection, now - _HEARD_OF))
