"""Batches, and jobs with their states."""

import sqlalchemy as sa
from alembic import op

from workbench.registry import Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "reports_batch",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("log", sa.Text, nullable=False),
        sa.Column("shown", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="reports_batch_key"),
    )
    op.create_index("reports_batch_author_created_index", "reports_batch", ["author", "created"])
    op.create_table(
        "reports_job",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("batch", sa.Text),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("grouping", sa.Text),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("stem", sa.Text, nullable=False),
        sa.Column("row", sa.JSON),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", Moment),
        sa.Column("worker", sa.Text),
        sa.Column("token", sa.Text),
        sa.Column("lease", Moment),
        sa.Column("started", Moment),
        sa.Column("ended", Moment),
        sa.Column("seconds", sa.Float),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("warnings", sa.JSON, nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="reports_job_key"),
        sa.ForeignKeyConstraint(["batch"], ["reports_batch.id"], name="reports_job_batch_reference"),
        sa.UniqueConstraint("folder", "stem", name="reports_job_folder_stem_unique"),
    )
    op.create_index("reports_job_state_batch_index", "reports_job", ["state", "batch"])
    op.create_index("reports_job_batch_position_index", "reports_job", ["batch", "position"])
    op.create_index("reports_job_author_created_index", "reports_job", ["author", "created"])
