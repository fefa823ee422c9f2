"""The files that properties hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEPT = ("file", "property_file")


def upgrade() -> None:
    """Make the tables of files, and the triggers that keep them."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "store_file",
        sa.Column("id", number, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="store_file_key"),
        sa.UniqueConstraint("digest", name="store_file_digest_unique"),
    )
    op.create_table(
        "store_property_file",
        sa.Column("object_id", number, nullable=False),
        sa.Column("name", ordered, nullable=False),
        sa.Column("sheet_id", number, nullable=False),
        sa.Column("file_id", number, nullable=False),
        sa.PrimaryKeyConstraint("object_id", "name", "sheet_id", name="store_property_file_key"),
        sa.ForeignKeyConstraint(["file_id"], ["store_file.id"], name="store_property_file_file_id_reference"),
    )
    op.create_index("store_property_file_file_id_index", "store_property_file", ["file_id"])
    refuse = "BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END"
    for table in KEPT:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER store_{table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON store_{table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION store_append_only()"
            )
            continue
        op.execute(f"CREATE TRIGGER store_{table}_updated BEFORE UPDATE ON store_{table} {refuse}")
        unless = "WHEN NOT EXISTS (SELECT 1 FROM store_purge)"
        op.execute(f"CREATE TRIGGER store_{table}_deleted BEFORE DELETE ON store_{table} {unless} {refuse}")
