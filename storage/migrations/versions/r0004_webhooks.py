"""What alerts need to come to their end, and their receivers to hear of it."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add when an alert's rule ceased to hold, what is to be sent, and the log of sending it."""
    op.add_column("alerts", _moment("cleared_at", nullable=True))
    _notifications()
    _deliveries()


def _notifications() -> None:
    outcome = sa.Enum(
        "DELIVERED", "ABANDONED", native_enum=False, create_constraint=True, length=32, name="outcome"
    )
    op.create_table(
        "webhook_notifications",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("alert_id", _ID, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("outcome", outcome, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("due_at"),
        _moment("claimed_until", nullable=True),
        _moment("created_at"),
        sa.CheckConstraint("attempts >= 0", name="attempts"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "webhook_notifications", ["alert_id", "id"])
    waiting = sa.text("outcome IS NULL")
    op.create_index(
        "ix_webhook_notifications_waiting",
        "webhook_notifications",
        ["due_at", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def _deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("notification_id", _ID, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        _moment("at"),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.UniqueConstraint("notification_id", "attempt"),
        sa.CheckConstraint("attempt >= 1", name="attempt"),
        sa.ForeignKeyConstraint(["notification_id"], ["webhook_notifications.id"], ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
