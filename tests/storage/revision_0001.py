"""A database as the first release left it, with rows. What it says is frozen: it must not follow the code."""

from typing import Final

from sqlalchemy import Connection

_TYPES: Final = {
    "sqlite": {
        "id": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
        "reference": "INTEGER",
        "moment": "DATETIME",
        "bytes": "BLOB",
        "name": "TEXT",
        "key": "x'01'",
        "yes": "1",
    },
    "postgresql": {
        "id": "BIGSERIAL NOT NULL CONSTRAINT pk_{table} PRIMARY KEY",
        "reference": "BIGINT",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "bytes": "BYTEA",
        "name": 'TEXT COLLATE "C"',
        "key": r"'\x01'",
        "yes": "true",
    },
}

_TABLES: Final = {
    "alembic_version": """
        version_num VARCHAR(32) NOT NULL,
        CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
    """,
    "events": """
        seq {id},
        at {moment} NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject_type VARCHAR(32) NOT NULL,
        subject_id {reference} NOT NULL,
        package {name} NOT NULL,
        version TEXT,
        CONSTRAINT ck_events_kind CHECK (kind IN ('PACKAGE_CHANGED', 'PACKAGE_DELETED', 'VERSION_PUBLISHED',
                                                  'VERSION_CHANGED', 'DEPENDENCIES_CHANGED')),
        CONSTRAINT ck_events_subject_type CHECK (subject_type IN ('PACKAGE', 'VERSION'))
    """,
    "packages": """
        name {name} NOT NULL,
        description TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        status_reason TEXT,
        labels TEXT NOT NULL,
        id {id},
        created_at {moment} NOT NULL,
        updated_at {moment} NOT NULL,
        CONSTRAINT uq_packages_name UNIQUE (name),
        CONSTRAINT ck_packages_name CHECK (length(name) BETWEEN 1 AND 214),
        CONSTRAINT ck_packages_status CHECK (status IN ('ACTIVE', 'DEPRECATED', 'ARCHIVED', 'QUARANTINED'))
    """,
    "package_versions": """
        version TEXT NOT NULL,
        sort_key {bytes} NOT NULL,
        is_prerelease BOOLEAN NOT NULL,
        status VARCHAR(32) NOT NULL,
        status_reason TEXT,
        released_at {moment},
        digest TEXT,
        labels TEXT NOT NULL,
        id {id},
        package_id {reference} NOT NULL,
        created_at {moment} NOT NULL,
        updated_at {moment} NOT NULL,
        CONSTRAINT uq_package_versions_package_id_sort_key UNIQUE (package_id, sort_key),
        CONSTRAINT fk_package_versions_package_id FOREIGN KEY(package_id) REFERENCES packages (id) ON DELETE CASCADE,
        CONSTRAINT ck_package_versions_status
            CHECK (status IN ('DRAFT', 'PUBLISHED', 'DEPRECATED', 'YANKED', 'QUARANTINED'))
    """,
    "dependencies": """
        package_name {name} NOT NULL,
        "constraint" TEXT NOT NULL,
        kinds INTEGER NOT NULL,
        optional BOOLEAN NOT NULL,
        marker TEXT,
        id {id},
        version_id {reference} NOT NULL,
        position INTEGER NOT NULL,
        CONSTRAINT uq_dependencies_version_id_package_name_constraint UNIQUE (version_id, package_name, "constraint"),
        CONSTRAINT ck_dependencies_kinds CHECK (kinds BETWEEN 1 AND 31),
        CONSTRAINT ck_dependencies_position CHECK (position >= 0),
        CONSTRAINT fk_dependencies_version_id
            FOREIGN KEY(version_id) REFERENCES package_versions (id) ON DELETE CASCADE
    """,
}

_INDICES: Final = (
    "CREATE INDEX ix_events_package_seq ON events (package, seq)",
    "CREATE INDEX ix_packages_created_at_id ON packages (created_at, id)",
    "CREATE INDEX ix_packages_updated_at_id ON packages (updated_at, id)",
    "CREATE INDEX ix_package_versions_package_id_status_is_prerelease_sort_key "
    "ON package_versions (package_id, status, is_prerelease, sort_key)",
    "CREATE INDEX ix_dependencies_package_name ON dependencies (package_name)",
)

_TRIGGERS: Final = {
    "sqlite": (
        "CREATE TRIGGER {table}_touch AFTER UPDATE ON {table} FOR EACH ROW WHEN NEW.updated_at IS OLD.updated_at "
        "BEGIN UPDATE {table} SET updated_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') WHERE id = NEW.id; END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$",
        "CREATE OR REPLACE TRIGGER {table}_touch BEFORE UPDATE ON {table} FOR EACH ROW "
        "WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION touch_updated_at()",
    ),
}

_DAYS: Final = "'2026-01-01 00:00:00.000000', '2026-01-02 00:00:00.000000'"

_ROWS: Final = (
    "INSERT INTO alembic_version VALUES ('0001')",
    "INSERT INTO packages VALUES ('app', 'An app', 'ACTIVE', NULL, '{{\"a\":\"b\"}}', 2, " + _DAYS + ")",
    "INSERT INTO packages VALUES ('old', '', 'ARCHIVED', 'replaced', '{{}}', 5, " + _DAYS + ")",
    "INSERT INTO package_versions VALUES "
    "('1.0', {key}, {yes}, 'YANKED', 'broken', NULL, 'sha256:1', '{{}}', 7, 2, " + _DAYS + ")",
    "INSERT INTO dependencies VALUES ('lib', '>=1', 1, {yes}, NULL, 11, 7, 0)",
    "INSERT INTO events VALUES (3, '2026-01-01 00:00:00.000000', 'PACKAGE_CHANGED', 'PACKAGE', 2, 'app', NULL)",
    "INSERT INTO events VALUES (5, '2026-01-02 00:00:00.000000', 'VERSION_PUBLISHED', 'VERSION', 7, 'app', '1.0')",
)

LAST_EVENT: Final = 9
"""Events after 5 were written and trimmed."""

_LAST_IDS: Final = {
    "sqlite": f"UPDATE sqlite_sequence SET seq = {LAST_EVENT} WHERE name = 'events'",
    "postgresql": f"SELECT setval('events_seq_seq', {LAST_EVENT})",
}


def make(connection: Connection) -> None:
    """Make the tables and the rows of revision 0001 in an empty database."""
    dialect = connection.dialect.name
    types = _TYPES[dialect]
    for table, parts in _TABLES.items():
        columns = parts.format(**{**types, "id": types["id"].format(table=table)})
        connection.exec_driver_sql(f"CREATE TABLE {table} ({columns})")
    for statement in _INDICES:
        connection.exec_driver_sql(statement)
    for table in ("packages", "package_versions"):
        for trigger in _TRIGGERS[dialect]:
            connection.exec_driver_sql(trigger.format(table=table))
    for row in _ROWS:
        connection.exec_driver_sql(row.format(**types))
    connection.exec_driver_sql(_LAST_IDS[dialect])
