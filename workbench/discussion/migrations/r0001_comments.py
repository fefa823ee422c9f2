"""Comments."""

import sqlalchemy as sa
from alembic import op

from workbench.registry import Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "discussion_comment",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("edited", Moment),
        sa.Column("trame", sa.Text),
        sa.Column("indicateur", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="discussion_comment_key"),
    )
    op.create_index("discussion_comment_trame_indicateur_index", "discussion_comment", ["trame", "indicateur"])
