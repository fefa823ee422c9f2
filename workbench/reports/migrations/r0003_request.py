"""Which request asked for a job, as logs name it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; what came before has none."""
    op.add_column("reports_job", sa.Column("request", sa.Text()))
