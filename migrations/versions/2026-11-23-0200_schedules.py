"""Kinds of jobs that are put in by the clock.

Revision: 7e35a1d90c42
Revises: 6e0d94a7c2b1
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "7e35a1d90c42"
down_revision = "6e0d94a7c2b1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("kind", sa.Text(), nullable=False, comment="The kind of job."),
        sa.Column(
            "every_seconds",
            sa.Integer(),
            nullable=False,
            comment="Seconds from one to the next.",
        ),
        sa.Column(
            "next_due",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the next is put in.",
        ),
        sa.CheckConstraint("every_seconds > 0", name=op.f("ck_schedules_every")),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_schedules")),
        comment="Kinds of jobs that are put in by the clock.",
    )


def downgrade() -> None:
    op.drop_table("schedules")
