"""Equal values in the order of their publication, not of their objects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the index of the orders again."""
    ranked = sa.column("rank").is_not(None)
    op.drop_index("store_property_order_index", "store_property")
    op.create_index(
        "store_property_order_index",
        "store_property",
        ["bucket", "name", "rank", "number", "text", "sheet_id"],
        sqlite_where=ranked,
        postgresql_where=ranked,
    )
