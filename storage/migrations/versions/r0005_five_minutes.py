"""Roll-ups of five minutes."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NAME = "ck_performance_stats_bucket_seconds"


def upgrade() -> None:
    """Let the check of the table, which SQLite can change only by making the table anew, have them."""
    with op.batch_alter_table("performance_stats", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(op.f(_NAME), type_="check")
        table.create_check_constraint(op.f(_NAME), "bucket_seconds IN (0, 60, 300, 3600, 86400)")
