"""Objects, sheets, scopes and the journal; triggers that keep them as they were written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workbench.registry import Moment

revision = "0001"
down_revision = None

KEPT = ("object", "key", "scope", "scope_badge", "sheet", "property", "journal")


def upgrade() -> None:
    """Make the tables, the counters and the triggers."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    _objects(number, ordered)
    _sheets(number, ordered)
    op.create_table(
        "store_journal",
        sa.Column("id", number, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("reader", ordered, nullable=False),
        sa.Column("action", ordered, nullable=False),
        sa.Column("bucket", ordered, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("outcome", ordered, nullable=False),
        sa.PrimaryKeyConstraint("id", name="store_journal_key"),
    )
    op.create_index("store_journal_at_index", "store_journal", ["at"])
    op.create_index("store_journal_reader_at_index", "store_journal", ["reader", "at"])
    counter = op.create_table(
        "store_counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="store_counter_key"),
    )
    op.bulk_insert(counter, [{"name": name, "value": 0} for name in ("policies", "object", "sheet")])
    op.create_table(
        "store_purge", sa.Column("id", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("id", name="store_purge_key")
    )
    if op.get_bind().dialect.name == "postgresql":
        for each in ("object", "sheet"):
            op.execute(f"CREATE SEQUENCE store_{each}_numbers")
        _keep_on_postgresql()
    else:
        _keep_on_sqlite()


def _objects(number: sa.types.TypeEngine[int], ordered: sa.types.TypeEngine[str]) -> None:
    op.create_table(
        "store_object",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("bucket", ordered, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="store_object_key"),
        sa.UniqueConstraint("bucket", "digest", name="store_object_bucket_digest_unique"),
    )
    op.create_index("store_object_bucket_id_index", "store_object", ["bucket", "id"])
    op.create_table(
        "store_key",
        sa.Column("object_id", number, nullable=False),
        sa.Column("name", ordered, nullable=False),
        sa.Column("value", ordered, nullable=False),
        sa.PrimaryKeyConstraint("object_id", "name", name="store_key_key"),
    )
    op.create_index("store_key_name_value_object_id_index", "store_key", ["name", "value", "object_id"])


def _sheets(number: sa.types.TypeEngine[int], ordered: sa.types.TypeEngine[str]) -> None:
    op.create_table(
        "store_scope",
        sa.Column("id", number, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="store_scope_key"),
        sa.UniqueConstraint("digest", name="store_scope_digest_unique"),
    )
    op.create_table(
        "store_scope_badge",
        sa.Column("scope_id", number, nullable=False),
        sa.Column("badge", ordered, nullable=False),
        sa.PrimaryKeyConstraint("scope_id", "badge", name="store_scope_badge_key"),
    )
    op.create_table(
        "store_sheet",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("object_id", number, nullable=False),
        sa.Column("scope_id", number, nullable=False),
        sa.Column("publication", ordered, nullable=False),
        sa.Column("added", Moment, nullable=False),
        sa.Column("released", Moment, nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="store_sheet_key"),
        sa.ForeignKeyConstraint(["object_id"], ["store_object.id"], name="store_sheet_object_id_reference"),
        sa.ForeignKeyConstraint(["scope_id"], ["store_scope.id"], name="store_sheet_scope_id_reference"),
    )
    op.create_index("store_sheet_object_id_index", "store_sheet", ["object_id"])
    property_table = op.create_table(
        "store_property",
        sa.Column("object_id", number, nullable=False),
        sa.Column("name", ordered, nullable=False),
        sa.Column("sheet_id", number, nullable=False),
        sa.Column("scope_id", number, nullable=False),
        sa.Column("released", Moment, nullable=False),
        sa.Column("bucket", ordered, nullable=False),
        sa.Column("rank", sa.SmallInteger()),
        sa.Column("number", sa.Double(), nullable=False),
        sa.Column("text", ordered, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("object_id", "name", "sheet_id", name="store_property_key"),
    )
    ranked = property_table.c.rank.is_not(None)
    op.create_index(
        "store_property_order_index",
        "store_property",
        ["bucket", "name", "rank", "number", "text", "object_id"],
        sqlite_where=ranked,
        postgresql_where=ranked,
    )


def _keep_on_sqlite() -> None:
    refuse = "BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END"
    for table in KEPT:
        op.execute(f"CREATE TRIGGER store_{table}_updated BEFORE UPDATE ON store_{table} {refuse}")
        unless = "WHEN NOT EXISTS (SELECT 1 FROM store_purge)"
        op.execute(f"CREATE TRIGGER store_{table}_deleted BEFORE DELETE ON store_{table} {unless} {refuse}")


def _keep_on_postgresql() -> None:
    op.execute("""
        CREATE FUNCTION store_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM store_purge) THEN
                RETURN NULL;
            END IF;
            RAISE EXCEPTION 'the store is append-only';
        END $$
    """)
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER store_{table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON store_{table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION store_append_only()"
        )
