"""What the scheduler keeps: which dependencies a run follows, what workers have asked and reported, who may build what."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_QUEUE = "ix_build_status_queue"


def upgrade() -> None:
    """Add the columns, and have the queue sorted by what builds want of a worker."""
    op.add_column("build_runs", _column("kinds", sa.Integer(), "31"))
    op.add_column("build_runs", _column("include_optional", sa.Boolean(), "false"))
    op.add_column("build_attempts", sa.Column("request_id", sa.Text(), nullable=True))
    op.add_column("build_attempts", _column("reports", sa.Text(), "''"))
    op.add_column("build_attempts", _column("log_size", sa.BigInteger(), "0"))
    _index("ix_build_attempts_request", "build_attempts", "request_id", where="request_id IS NOT NULL")
    idle = "status = 'BLOCKED' AND waiting_for = 0"
    _index("ix_build_status_idle", "build_status", "status", "waiting_for", "id", where=idle)
    op.drop_index(_QUEUE, "build_status")
    urgency = (sa.text("priority DESC"), sa.text("remaining_seconds DESC"))
    _index(_QUEUE, "build_status", "status", "worker_labels", *urgency, "id", where="status = 'QUEUED'")


def _column(name: str, kind: sa.types.TypeEngine[Any], value: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=sa.text(value))


def _index(name: str, table: str, *columns: str | sa.TextClause, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, list(columns), sqlite_where=condition, postgresql_where=condition)
