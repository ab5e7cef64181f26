"""What Alembic runs: the migrations, on the connection that it is handed."""

from alembic import context

from storage import build_tables, monitoring_tables, tables  # noqa: F401 - each adds its tables to Base
from storage.columns import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite can change a table only by making it anew.
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
