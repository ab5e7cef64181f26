"""Backups: one moment, whole, verified; and databases made from them."""

import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import create_engine

from storage import backup, copying, events, packages, schemas, triggers, upgrade
from storage.backup import Copied, back_up, restore
from storage.copying import Contents
from storage.database import Connection, Database
from storage.engines.urls import is_postgres
from storage.errors import FileTaken, NotEmpty, Trouble, Unavailable
from storage.events import Change
from storage.images import TABLES
from storage.tables import EventKind, PackageFields, SubjectType
from tests import postgres
from tests.databases import KINDS
from tests.storage import revision_0001, subjects
from tests.storage.forging import carry_out, forge, rows
from tests.storage.world import NOW, add_package


def fill(connection: Connection) -> None:
    """Write some of everything, with its events."""
    for write in subjects.WRITERS.values():
        if write is not subjects.event:
            write(connection)
    first = subjects.build(connection)
    # It is caused by one that comes later.
    later = subjects.build(connection)
    connection.exec_driver_sql(f"UPDATE build_status SET cause_id = {later} WHERE id = {first}")
    subjects.wait(connection, first, later)
    subjects.wait(connection, later, first)
    changes = [
        Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, number, f"p{number}") for number in range(5)
    ]
    events.append(connection, changes, at=NOW)


def contents_of(database: Database) -> dict[str, Contents]:
    with database.read() as connection:
        return copying.contents(connection)


@contextmanager
def empty(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of a database that there is not yet, or without tables."""
    if kind == "sqlite":
        yield str(folder / "restored.db")
    else:
        with postgres.new_database() as url:
            yield url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.db"


@pytest.fixture
def kept(tmp_path: Path, file: Path) -> Path:
    """A backup of some of everything."""
    with closing(Database.open(str(tmp_path / "source.db"))) as database:
        database.write(fill)
        back_up(database, file)
    return file


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 10_000])
def test_what_is_restored_is_what_was_there(
    database: Database,
    file: Path,
    tmp_path: Path,
    kind: str,
    batch: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copying, "_BATCH", batch)
    database.write(fill)
    before = contents_of(database)

    written = back_up(database, file)
    with empty(kind, tmp_path) as url:
        restored = restore(file, url)
        with closing(Database.open(url)) as other:
            expected = schemas.expected(other)
            with other.read() as connection:
                found = schemas.found(connection)
            after = contents_of(other)

    assert all(contents.rows for contents in before.values())
    assert after == before
    assert found == expected
    rows_of = {name: contents.rows for name, contents in before.items()}
    assert written == Copied(database.location, rows_of, file.stat().st_size, upgrade.HEAD)
    assert restored.rows == rows_of
    assert written.total_rows == sum(rows_of.values())


def test_a_backup_can_be_opened_as_it_is(database: Database, file: Path) -> None:
    database.write(fill)
    before = contents_of(database)
    back_up(database, file)
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(file.name)] == [file.name]

    with closing(Database.open(str(file))) as opened:
        assert contents_of(opened) == before
        cursor = opened.cursor()
        add_package(opened, "new")
        assert cursor == database.cursor()


@pytest.mark.parametrize("kind", KINDS)
def test_ids_and_positions_go_on_where_they_were(
    database: Database, database_url: str, file: Path, tmp_path: Path, kind: str
) -> None:
    database.write(fill)
    last = add_package(database, "last")
    cursor = database.cursor()
    forge(database_url, f"DELETE FROM packages WHERE id = {last}")
    forge(database_url, f"DELETE FROM state_tracking WHERE subject_type = 'PACKAGE' AND subject_id = {last}")

    back_up(database, file)
    with empty(kind, tmp_path) as url:
        restore(file, url)
        with closing(Database.open(url)) as other:
            assert other.cursor() == cursor
            assert add_package(other, "next") > last
            written = other.write(
                lambda connection: events.append(
                    connection,
                    [Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, last + 1, "next")],
                    at=NOW,
                )
            )
            assert written.cursor == cursor + 1


def test_events_without_a_position_get_the_next_ones_in_a_backup(file: Path, tmp_path: Path) -> None:
    with postgres.migrated_database() as url:
        with closing(Database.open(url)) as database:
            database.write(fill)
            newest = database.cursor()
        # Numbers that were lost with what was rolled back.
        carry_out(url, "SELECT setval('events_id_seq', 100)")
        forge(url, f"UPDATE events SET seq = NULL WHERE seq > {newest - 2}")

        with closing(Database.open(url)) as database:
            back_up(database, file)

    assert rows(str(file), "SELECT count(*), max(seq), max(id) FROM events") == [(newest, newest, newest)]
    assert rows(str(file), "SELECT seq FROM sqlite_sequence WHERE name = 'events'") == [(newest,)]


def test_a_backup_beside_a_writer_is_one_moment(database: Database, file: Path) -> None:
    ending = threading.Event()

    def operation(connection: Connection) -> None:
        id_ = next(packages.ids(connection))
        fields = PackageFields.model_validate({"name": f"p{id_}"})
        packages.insert(connection, [(id_, fields)], now=NOW)
        change = Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, id_, fields.name)
        events.append(connection, [change], at=NOW)

    def work() -> None:
        while not ending.is_set():
            database.write(operation)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        written = back_up(database, file)
    finally:
        ending.set()
        worker.join()

    assert written.rows["packages"] == written.rows["events"] == written.rows["state_tracking"]
    assert contents_of(database)["packages"].rows >= written.rows["packages"]


def test_two_backups_to_one_name_at_a_time_are_each_whole(database: Database, file: Path) -> None:
    add_package(database, "app")
    verify, turns = backup._verify, iter([True])

    def interrupted(*arguments: Any) -> None:
        if next(turns, False):
            # Before the first is verified another begins and ends.
            back_up(database, file)
        verify(*arguments)

    with patch.object(backup, "_verify", interrupted):
        back_up(database, file, force=True)

    with closing(Database.open(str(file))) as opened:
        assert contents_of(opened) == contents_of(database)
    assert [each.name for each in file.parent.iterdir() if each.name.endswith(".part")] == []


def test_a_file_that_is_there_is_replaced_only_by_force(database: Database, file: Path) -> None:
    file.write_text("precious")

    with pytest.raises(
        FileTaken, match="there is such a file already; choose another name, or replace it by"
    ):
        back_up(database, file)

    assert file.read_text() == "precious"
    back_up(database, file, force=True)
    with closing(Database.open(str(file))) as opened:
        assert opened.revision == upgrade.HEAD


def test_a_database_is_not_replaced_by_its_own_backup(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"
    with (
        closing(Database.open(str(path))) as database,
        pytest.raises(FileTaken, match="this is the database itself"),
    ):
        back_up(database, path, force=True)


@pytest.mark.parametrize("force", [True, False])
def test_a_name_beside_which_a_journal_lies_is_refused(database: Database, file: Path, force: bool) -> None:
    file.with_name(f"{file.name}-wal").write_bytes(b"\0")

    with pytest.raises(FileTaken, match=r"is in use, or was not closed, as backup\.db-wal shows"):
        back_up(database, file, force=force)


def test_a_folder_that_is_not_there_is_told_of(database: Database, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be opened") as refused:
        back_up(database, tmp_path / "nowhere" / "backup.db")

    assert refused.value.location == str(tmp_path / "nowhere" / "backup.db")


def test_a_folder_cannot_be_replaced(database: Database, file: Path) -> None:
    file.mkdir()

    with pytest.raises(Unavailable, match="Is a directory"):
        back_up(database, file, force=True)


def test_without_room_nothing_is_left_behind(database: Database, database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    database.write(fill)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(Unavailable) as refused:
            back_up(database, folder / "backup.db")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert refused.value.location == str(folder / "backup.db")
    assert list(folder.iterdir()) == []


def test_what_is_damaged_is_not_backed_up_as_if_it_were_not(
    database: Database, database_url: str, file: Path
) -> None:
    database.write(fill)
    forge(database_url, "UPDATE dependencies SET version_id = 99")

    with pytest.raises(Unavailable, match="doctor has the whole story") as refused:
        back_up(database, file)

    assert refused.value.trouble is Trouble.DAMAGED
    assert not file.exists()


def test_a_copy_that_differs_is_found_out() -> None:
    with pytest.raises(Unavailable, match="packages has 1 rows where 2 were written") as refused:
        backup._compare({"packages": Contents(1, "a")}, {"packages": Contents(2, "b")}, "here")

    assert refused.value.trouble is Trouble.DAMAGED


def test_a_database_that_holds_something_is_left_as_it_is(
    database: Database, database_url: str, kept: Path
) -> None:
    add_package(database, "mine")
    before = contents_of(database)

    with pytest.raises(NotEmpty, match="is not empty: there are rows in packages, state_tracking") as refused:
        restore(kept, database_url)

    assert refused.value.tables == ("packages", "state_tracking")
    assert contents_of(database) == before


def test_what_the_tables_refuse_leaves_the_database_empty(
    database: Database, database_url: str, kept: Path
) -> None:
    carry_out(
        str(kept),
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'CHECK (position >= 0)', 'CHECK (position >= -1)')",
    )
    carry_out(str(kept), "UPDATE dependencies SET position = -1")
    with database.read() as connection:
        before = schemas.found(connection)

    with pytest.raises(Unavailable, match="it holds what may not be stored") as refused:
        restore(kept, database_url)

    assert refused.value.trouble is Trouble.DAMAGED
    assert refused.value.location == str(kept)
    with database.read() as connection:
        assert copying.occupied(connection) == ()
        assert schemas.found(connection) == before


def test_a_row_that_no_table_allows_is_told_of_by_its_database(file: Path) -> None:
    with postgres.migrated_database() as url:
        carry_out(
            url,
            "ALTER TABLE packages DROP CONSTRAINT ck_packages_name",
            "INSERT INTO packages (name, description, status, labels, created_at, updated_at) "
            "VALUES ('', '', 'ACTIVE', '{}', now(), now())",
        )
        with (
            closing(Database.open(url)) as database,
            pytest.raises(Unavailable, match="it holds what may not be stored") as refused,
        ):
            back_up(database, file)

    assert refused.value.location == database.location
    assert not file.exists()


def test_a_restored_database_guards_itself_again(database: Database, database_url: str, kept: Path) -> None:
    restore(kept, database_url)

    with pytest.raises(Exception, match=r"state_tracking_append_only|only ever added to"):
        carry_out(database_url, "DELETE FROM state_tracking")
    if is_postgres(database_url):
        with pytest.raises(Exception, match="violates foreign key"):
            carry_out(database_url, "UPDATE dependencies SET version_id = 99")


def _text(file: Path) -> None:
    file.write_text("no database at all, but long enough to be taken for a file of some kind " * 20)


def _of_others(file: Path) -> None:
    carry_out(str(file), "CREATE TABLE bookmarks (url TEXT)")


def _empty(file: Path) -> None:
    file.touch()


def _damaged(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xff" * 8192
    file.write_bytes(content)


def _newer(file: Path) -> None:
    carry_out(str(file), "UPDATE alembic_version SET version_num = '9999'")


def _orphaned(file: Path) -> None:
    forge(str(file), "UPDATE dependencies SET version_id = 99")


def _without_a_column(file: Path) -> None:
    carry_out(str(file), "ALTER TABLE workers DROP COLUMN labels")


@pytest.mark.parametrize(
    ("break_it", "trouble", "said"),
    [
        (Path.unlink, Trouble.MISSING, "name a file that backup has written"),
        (_text, Trouble.NOT_A_DATABASE, None),
        (_of_others, Trouble.NOT_A_DATABASE, "bookmarks"),
        (_empty, Trouble.EMPTY, "name a file that backup has written"),
        (_damaged, Trouble.DAMAGED, None),
        (_newer, Trouble.NEWER, "revision 9999 is unknown here"),
        (_orphaned, Trouble.DAMAGED, "a row of dependencies refers to one that is gone"),
        (_without_a_column, Trouble.DAMAGED, "workers lacks labels"),
    ],
)
def test_what_is_no_good_backup_is_refused_before_anything_is_made(
    kept: Path, tmp_path: Path, break_it: Callable[[Path], None], trouble: Trouble, said: str | None
) -> None:
    if break_it in {_of_others, _empty}:
        kept.unlink()
    break_it(kept)

    with pytest.raises(Unavailable, match=said) as refused:
        restore(kept, str(tmp_path / "restored.db"))

    assert refused.value.trouble is trouble
    assert refused.value.location == str(kept)
    assert not (tmp_path / "restored.db").exists()


def test_an_older_backup_is_migrated_in_a_copy(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        revision_0001.make(connection)
    engine.dispose()
    before = file.read_bytes()

    restored = restore(file, database_url)

    assert restored.revision == upgrade.HEAD
    assert restored.rows["packages"] > 0
    assert file.read_bytes() == before


def test_triggers_that_a_database_has_lost_are_in_its_backup(tmp_path: Path, file: Path) -> None:
    path = str(tmp_path / "atlas.db")
    with closing(Database.open(path)) as database:
        carry_out(path, "DROP TRIGGER packages_move")
        back_up(database, file)

    made = {name for (name,) in rows(str(file), "SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    assert "packages_move" in made
    assert len(made) * 2 == len(triggers.statements("sqlite"))


def test_a_backup_of_a_database_left_in_use_is_read_with_what_is_in_its_journal(tmp_path: Path) -> None:
    source, moved = tmp_path / "source.db", tmp_path / "copy.db"
    with closing(Database.open(str(source))) as database:
        add_package(database, "app")
        for suffix in ("", "-wal"):
            shutil.copy(f"{source}{suffix}", f"{moved}{suffix}")

    restored = restore(moved, str(tmp_path / "restored.db"))

    assert restored.rows["packages"] == 1
    assert len(restored.rows) == len(TABLES)
