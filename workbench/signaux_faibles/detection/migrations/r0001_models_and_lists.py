"""Models and lists."""

import sqlalchemy as sa
from alembic import op

from workbench.registry import Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "detection_model",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("batch", sa.Text, nullable=False),
        sa.Column("snapshot", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="detection_model_key"),
    )
    op.create_table(
        "detection_list",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("batch", sa.Text, nullable=False),
        sa.Column("snapshot", sa.Text, nullable=False),
        sa.Column("algo", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("periode", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("card", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="detection_list_key"),
        sa.ForeignKeyConstraint(["model"], ["detection_model.id"], name="detection_list_model_reference"),
    )
    op.create_index("detection_list_batch_algo_index", "detection_list", ["batch", "algo"])
