"""Batches that start by themselves."""

import sqlalchemy as sa
from alembic import op

from workbench.registry import Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "schedules_entry",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("cron", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("due", Moment, nullable=False),
        sa.Column("last", Moment),
        sa.Column("batch", sa.Text),
        sa.Column("cause", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="schedules_entry_key"),
    )
    op.create_index("schedules_entry_paused_due_index", "schedules_entry", ["paused", "due"])
    op.create_index("schedules_entry_author_index", "schedules_entry", ["author"])
