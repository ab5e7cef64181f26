"""What a database's tables, indices, triggers and functions are, to be compared with another's."""

import re
from collections.abc import Iterator

from sqlalchemy import Connection


def fingerprint(connection: Connection) -> set[str]:
    """Return every column, constraint, index, trigger and function, in no order."""
    found = _of_sqlite(connection) if connection.dialect.name == "sqlite" else _of_postgresql(connection)
    return {line for line in found if "alembic_version" not in line}


def _of_sqlite(connection: Connection) -> Iterator[str]:
    rows = connection.exec_driver_sql(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    )
    for kind, name, table, sql in rows:
        if kind == "table":
            yield from (f"{table}: {part}" for part in _parts(sql))
        else:
            yield f"{kind} {name} of {table}: {_squeezed(sql)}"


def _parts(create_table: str) -> Iterator[str]:
    """Yield the columns and constraints of a CREATE TABLE: what commas outside of all inner parentheses part."""
    inside = create_table[create_table.index("(") + 1 : create_table.rindex(")")]
    depth, start = 0, 0
    for index, character in enumerate(inside):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            yield _squeezed(inside[start:index])
            start = index + 1
    yield _squeezed(inside[start:])


def _squeezed(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip()


# Columns say whether they may be null; what PostgreSQL 18 calls that is no matter.
_POSTGRESQL = (
    """
    SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           pg_get_expr(d.adbin, d.adrelid), o.collname
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_collation o ON o.oid = a.attcollation
    WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace = 'public'::regnamespace
    """,
    """
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    """,
    "SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT 'trigger', pg_get_triggerdef(oid), tgenabled::text FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT 'function', pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    """
    SELECT 'sequence', s.relname, d.refobjid::regclass::text, a.attname, q.seqtypid::regtype::text
    FROM pg_class s JOIN pg_sequence q ON q.seqrelid = s.oid
    LEFT JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a' AND d.classid = 'pg_class'::regclass
    LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE s.relkind = 'S'
    """,
)


def _of_postgresql(connection: Connection) -> Iterator[str]:
    for query in _POSTGRESQL:
        for row in connection.exec_driver_sql(query):
            yield " · ".join(map(str, row))
