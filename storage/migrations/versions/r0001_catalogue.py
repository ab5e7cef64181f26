"""The catalogue: packages, versions, dependencies, and the event log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _choice(name: str, *choices: str) -> sa.Enum:
    return sa.Enum(*choices, native_enum=False, create_constraint=True, length=32, name=name)


def upgrade() -> None:
    """Make the first tables."""
    _events()
    _packages()
    _package_versions()
    _dependencies()


def _packages() -> None:
    op.create_table(
        "packages",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "status", _choice("status", "ACTIVE", "DEPRECATED", "ARCHIVED", "QUARANTINED"), nullable=False
        ),
        sa.Column("status_reason", sa.Text()),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packages")),
        sa.UniqueConstraint("name", name=op.f("uq_packages_name")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 214", name=op.f("ck_packages_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_packages_created_at_id"), "packages", ["created_at", "id"])
    op.create_index(op.f("ix_packages_updated_at_id"), "packages", ["updated_at", "id"])


def _package_versions() -> None:
    statuses = ("DRAFT", "PUBLISHED", "DEPRECATED", "YANKED", "QUARANTINED")
    op.create_table(
        "package_versions",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("sort_key", sa.LargeBinary(), nullable=False),
        sa.Column("is_prerelease", sa.Boolean(), nullable=False),
        sa.Column("status", _choice("status", *statuses), nullable=False),
        sa.Column("status_reason", sa.Text()),
        sa.Column("released_at", sa.DateTime(timezone=True)),
        sa.Column("digest", sa.Text()),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("package_id", _ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package_versions")),
        sa.UniqueConstraint("package_id", "sort_key", name=op.f("uq_package_versions_package_id_sort_key")),
        sa.ForeignKeyConstraint(
            ["package_id"], ["packages.id"], name=op.f("fk_package_versions_package_id"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_package_versions_package_id_status_is_prerelease_sort_key"),
        "package_versions",
        ["package_id", "status", "is_prerelease", "sort_key"],
    )


def _dependencies() -> None:
    op.create_table(
        "dependencies",
        sa.Column("package_name", _NAME, nullable=False),
        sa.Column("constraint", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Integer(), nullable=False),
        sa.Column("optional", sa.Boolean(), nullable=False),
        sa.Column("marker", sa.Text()),
        sa.Column("id", _ID, nullable=False),
        sa.Column("version_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dependencies")),
        sa.UniqueConstraint(
            "version_id",
            "package_name",
            "constraint",
            name=op.f("uq_dependencies_version_id_package_name_constraint"),
        ),
        sa.CheckConstraint("kinds BETWEEN 1 AND 31", name=op.f("ck_dependencies_kinds")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_dependencies_position")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["package_versions.id"],
            name=op.f("fk_dependencies_version_id"),
            ondelete="CASCADE",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_dependencies_package_name"), "dependencies", ["package_name"])


def _events() -> None:
    kinds = (
        "PACKAGE_CHANGED",
        "PACKAGE_DELETED",
        "VERSION_PUBLISHED",
        "VERSION_CHANGED",
        "DEPENDENCIES_CHANGED",
    )
    op.create_table(
        "events",
        sa.Column("seq", _ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", _choice("kind", *kinds), nullable=False),
        sa.Column("subject_type", _choice("subject_type", "PACKAGE", "VERSION"), nullable=False),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("package", _NAME, nullable=False),
        sa.Column("version", sa.Text()),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_package_seq"), "events", ["package", "seq"])
