"""The upload space of each person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; nobody has a space yet."""
    op.add_column("identity_person", sa.Column("space", sa.Text, nullable=False, server_default=""))
