"""When a job was announced to the broker of messages."""

import sqlalchemy as sa
from alembic import op

from workbench.registry import Moment

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; what waits is unannounced."""
    op.add_column("reports_job", sa.Column("announced", Moment))
