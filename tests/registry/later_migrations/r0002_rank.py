"""Notes get a rank."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("sample_note", sa.Column("rank", sa.Integer))
    op.create_index("sample_note_rank_index", "sample_note", ["rank"])
