"""Which builds wait for which, seen from both sides."""

from storage import waits
from storage.build_rows import BuildRow
from storage.database import Database
from storage.waits import Side
from tests.storage.build_world import add_build, add_run, add_versions


def test_what_a_build_waits_for_and_what_waits_for_it_is_read_for_many_at_once(database: Database) -> None:
    versions = add_versions(database, "app", "lib", "zip", "cli")
    run = add_run(database)
    zip_ = add_build(database, run, versions["zip"])
    lib = add_build(database, run, versions["lib"], needs=(zip_,))
    app = add_build(database, run, versions["app"], needs=(zip_, lib))
    cli = add_build(database, run, versions["cli"], needs=(lib,))

    with database.read() as connection:
        needed = waits.pages_of(connection, Side.DEPENDENCIES, [app, zip_], limit=9)
        needing = waits.pages_of(connection, Side.DEPENDENTS, [lib, zip_, app], limit=1)
        others = waits.pages_of(connection, Side.DEPENDENTS, [lib, zip_], limit=1, after=app)
        counts = waits.counts_of(connection, Side.DEPENDENTS, [lib, zip_, app])
        totals = waits.counts_of(connection, Side.DEPENDENCIES, [app, zip_])

    assert _ids(needed) == {app: [zip_, lib], zip_: []}
    assert _ids(needing) == {lib: [app], zip_: [lib], app: []}
    assert _ids(others) == {lib: [cli], zip_: []}
    assert counts == {lib: 2, zip_: 2, app: 0}
    assert totals == {app: 2, zip_: 0}


def _ids(pages: dict[int, list[BuildRow]]) -> dict[int, list[int]]:
    return {owner: [row.id for row in rows] for owner, rows in pages.items()}
