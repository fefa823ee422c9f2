"""The texts by which objects are found, and what changes in each bucket."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workbench.registry import Moment

revision = "0004"
down_revision = "0003"

KEPT = ("text", "change")


def upgrade() -> None:
    """Make both tables, the index of words that each database has, and the triggers that keep them."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "store_text",
        sa.Column("sheet_id", number, autoincrement=False, nullable=False),
        sa.Column("object_id", number, nullable=False),
        sa.Column("scope_id", number, nullable=False),
        sa.Column("released", Moment, nullable=False),
        sa.Column("bucket", ordered, nullable=False),
        sa.Column("words", ordered, nullable=False),
        sa.PrimaryKeyConstraint("sheet_id", name="store_text_key"),
    )
    op.create_index("store_text_object_id_sheet_id_index", "store_text", ["object_id", "sheet_id"])
    op.create_index("store_text_bucket_words_sheet_id_index", "store_text", ["bucket", "words", "sheet_id"])
    op.create_table(
        "store_change",
        sa.Column("id", number, nullable=False),
        sa.Column("bucket", ordered, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="store_change_key"),
    )
    op.create_index("store_change_bucket_at_id_index", "store_change", ["bucket", "at", "id"])
    if op.get_bind().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()


def _on_sqlite() -> None:
    # The texts are in store_text alone; accents and case are gone from them already.
    op.execute(
        "CREATE VIRTUAL TABLE store_text_words USING fts5(words, content='store_text', content_rowid='sheet_id', "
        "detail='none', columnsize=0, prefix='3', tokenize='unicode61 remove_diacritics 0')"
    )
    op.execute(
        "CREATE TRIGGER store_text_found AFTER INSERT ON store_text BEGIN "
        "INSERT INTO store_text_words (rowid, words) VALUES (new.sheet_id, new.words); END"
    )
    op.execute(
        "CREATE TRIGGER store_text_lost AFTER DELETE ON store_text BEGIN "
        "INSERT INTO store_text_words (store_text_words, rowid, words) "
        "VALUES ('delete', old.sheet_id, old.words); END"
    )
    refuse = "BEGIN SELECT RAISE(ABORT, 'the store is append-only'); END"
    for table in KEPT:
        op.execute(f"CREATE TRIGGER store_{table}_updated BEFORE UPDATE ON store_{table} {refuse}")
        unless = "WHEN NOT EXISTS (SELECT 1 FROM store_purge)"
        op.execute(f"CREATE TRIGGER store_{table}_deleted BEFORE DELETE ON store_{table} {unless} {refuse}")


def _on_postgresql() -> None:
    op.execute("CREATE TABLE store_text_words (sheet_id bigint PRIMARY KEY, words tsvector NOT NULL)")
    op.execute("CREATE INDEX store_text_words_index ON store_text_words USING gin (words)")
    # The words are parted already: the parser of PostgreSQL would read numbers and hosts in them.
    op.execute("""
        CREATE FUNCTION store_text_found() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO store_text_words
            SELECT sheet_id, array_to_tsvector(string_to_array(words, ' ')) FROM added;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE FUNCTION store_text_lost() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            DELETE FROM store_text_words WHERE sheet_id IN (SELECT sheet_id FROM gone);
            RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER store_text_found AFTER INSERT ON store_text REFERENCING NEW TABLE AS added "
        "FOR EACH STATEMENT EXECUTE FUNCTION store_text_found()"
    )
    op.execute(
        "CREATE TRIGGER store_text_lost AFTER DELETE ON store_text REFERENCING OLD TABLE AS gone "
        "FOR EACH STATEMENT EXECUTE FUNCTION store_text_lost()"
    )
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER store_{table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON store_{table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION store_append_only()"
        )
