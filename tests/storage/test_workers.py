"""Workers: added when first seen, and known by name from then on."""

from storage import workers
from storage.build_rows import WorkerRow
from storage.build_tables import WorkerFields
from storage.database import Connection, Database
from tests.storage.world import LATER, NOW


def test_a_worker_is_as_it_was_last_seen(database: Database) -> None:
    def operation(connection: Connection) -> None:
        workers.seen(connection, WorkerFields(name="w 1", labels={"arch": "arm64"}), now=NOW)
        workers.seen(connection, WorkerFields(name="w 2"), now=NOW)
        workers.seen(connection, WorkerFields(name="w 1", labels={"arch": "amd64"}), now=LATER)

    database.write(operation)

    with database.read() as connection:
        found = workers.by_names(connection, ["w 1", "w 2", "w"])
        late = workers.seen_since(connection, LATER)
        everybody = workers.seen_since(connection, NOW)
    first, second = found["w 1"], found["w 2"]
    assert found.keys() == {"w 1", "w 2"}
    assert first == WorkerRow(first.id, "w 1", {"arch": "amd64"}, LATER, NOW, LATER)
    assert second == WorkerRow(second.id, "w 2", {}, NOW, NOW, NOW)
    assert (late, everybody) == ([first], [first, second])
