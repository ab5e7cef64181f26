"""What a process takes, and what it has to do."""

from datetime import timedelta

from resolvers.loaded_graphs import Selection
from resolvers.measurements import (
    CPU,
    DATABASE_SIZE,
    FILES,
    GRAPH_EDGES,
    GRAPH_NODES,
    MEASUREMENTS,
    MEMORY,
    OLDEST_QUEUED,
    POOL,
    QUEUE,
    THREADS,
    WORKERS,
)
from resolvers.resources import Resources
from storage.database import Database
from tests.resolvers.build_world import World


def test_a_process_and_its_database_are_looked_at(database: Database) -> None:
    world = World.of(database, "app 1 needs lib; lib 1; tool 1".replace("; ", "\n"))
    world.start("lib")
    world.start("tool")
    world.tick(60)
    world.claim("w1", limit=1)
    world.atlas.graphs.select(Selection())

    found = dict(Resources(world.atlas).samples(now=world.tick(30)))

    assert found.keys() <= MEASUREMENTS.keys()
    assert found[MEMORY] > 10_000_000
    assert found[CPU] >= 0
    assert found[FILES] >= 1
    assert found[THREADS] >= 1
    assert found[POOL] >= 0
    assert found[DATABASE_SIZE] > 100_000
    assert (found[GRAPH_NODES], found[GRAPH_EDGES]) == (3, 1)
    assert (found[QUEUE], found[WORKERS]) == (1, 1)
    assert found[OLDEST_QUEUED] > 90


def test_of_an_empty_queue_nothing_has_waited_and_workers_are_forgotten(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.claim("w1")

    found = dict(Resources(world.atlas).samples(now=world.now + timedelta(minutes=6)))

    assert (found[QUEUE], found[OLDEST_QUEUED], found[WORKERS]) == (0, 0, 0)
    assert (found[GRAPH_NODES], found[GRAPH_EDGES]) == (0, 0)
