"""Notes, and who wrote them."""

import sqlalchemy as sa
from alembic import op

from workbench.registry import Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sample_author",
        sa.Column("email", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("email", name="sample_author_key"),
    )
    op.create_table(
        "sample_note",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("moment", Moment, nullable=False),
        sa.Column("detail", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="sample_note_key"),
        sa.ForeignKeyConstraint(["author"], ["sample_author.email"], name="sample_note_author_reference"),
    )
