"""A change says which type of objects it is of: a directory that grows does not make the lists be read again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; changes of before are of any type."""
    ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("store_change", sa.Column("type", ordered))
