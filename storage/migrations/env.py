"""What Alembic runs: the migrations, on the connection that it is handed."""

from alembic import context

from storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite can change a table only by making it anew.
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
