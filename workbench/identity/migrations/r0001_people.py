"""People, their badges, and what the issuer gave them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workbench.registry import Moment

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "identity_person",
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("given_name", sa.Text, nullable=False),
        sa.Column("family_name", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.PrimaryKeyConstraint("email"),
        sa.UniqueConstraint("subject"),
    )
    op.create_table(
        "identity_badge",
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("badge", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("email", "badge"),
        sa.ForeignKeyConstraint(["email"], ["identity_person.email"], ondelete="CASCADE"),
    )
    op.create_table(
        "identity_login",
        sa.Column("print", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False, index=True),
        sa.Column("created", Moment, nullable=False),
        sa.Column("expires", Moment, nullable=False),
        sa.PrimaryKeyConstraint("print"),
        sa.ForeignKeyConstraint(["email"], ["identity_person.email"], ondelete="CASCADE"),
    )
    op.create_table(
        "identity_family",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False, index=True),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("login", sa.Text, index=True),
        sa.Column("nonce", sa.Text),
        sa.Column("logged_in", Moment, nullable=False),
        sa.Column("expires", Moment, nullable=False),
        sa.Column("revoked", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["email"], ["identity_person.email"], ondelete="CASCADE"),
    )
    op.create_table(
        "identity_code",
        sa.Column("print", sa.Text, nullable=False),
        sa.Column("family", sa.Text, nullable=False, index=True),
        sa.Column("redirect", sa.Text, nullable=False),
        sa.Column("challenge", sa.Text, nullable=False),
        sa.Column("expires", Moment, nullable=False),
        sa.Column("used", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("print"),
        sa.ForeignKeyConstraint(["family"], ["identity_family.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "identity_refresh",
        sa.Column("print", sa.Text, nullable=False),
        sa.Column("family", sa.Text, nullable=False, index=True),
        sa.Column("expires", Moment, nullable=False),
        sa.Column("used", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("print"),
        sa.ForeignKeyConstraint(["family"], ["identity_family.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "identity_attempt",
        sa.Column("print", sa.Text, nullable=False),
        sa.Column("since", Moment, nullable=False, index=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("print"),
    )
