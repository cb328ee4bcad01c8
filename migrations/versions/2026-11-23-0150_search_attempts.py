"""Searches by phone or ID number, counted by actor.

Revision: 6e0d94a7c2b1
Revises: 2b9f6c31d7a8
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6e0d94a7c2b1"
down_revision = "2b9f6c31d7a8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_attempts",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column(
            "actor_digest",
            sa.Text(),
            nullable=False,
            comment="HMAC of who searched, as in the audit.",
        ),
        sa.Column("is_miss", sa.Boolean(), nullable=False, comment="Nobody has the number."),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False, comment="When."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_attempts")),
        comment="Searches by number, by actor; those that found somebody go with the next,"
        " those that found nobody after a day.",
    )
    op.create_index("ix_search_attempts_who", "search_attempts", ["actor_digest", "attempted_at"])


def downgrade() -> None:
    op.drop_table("search_attempts")
