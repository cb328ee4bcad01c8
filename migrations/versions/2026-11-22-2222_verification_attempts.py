"""Tries to verify a customer, counted by customer and actor.

Revision: 8d47b0c2e615
Revises: 5c1f0e7ab942
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "8d47b0c2e615"
down_revision = "5c1f0e7ab942"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verification_attempts",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="The customer."),
        sa.Column(
            "actor_digest",
            sa.Text(),
            nullable=False,
            comment="HMAC of who tried, as in the audit.",
        ),
        sa.Column("field", sa.Text(), nullable=False, comment="What was verified."),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False, comment="When."),
        sa.CheckConstraint(
            "field IN ('phone', 'id_no', 'birth_date', 'email', 'name')",
            name=op.f("ck_verification_attempts_field"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_verification_attempts_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_attempts")),
        comment="Tries to verify a customer, by actor; older ones than the window go.",
    )
    op.create_index(
        "ix_verification_attempts_who",
        "verification_attempts",
        ["customer_id", "actor_digest", "attempted_at"],
    )


def downgrade() -> None:
    op.drop_table("verification_attempts")
