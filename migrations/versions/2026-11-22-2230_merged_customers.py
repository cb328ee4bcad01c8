"""A merged customer's tier ends without another that follows it.

Revision: 2b9f6c31d7a8
Revises: 8d47b0c2e615
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2b9f6c31d7a8"
down_revision = "8d47b0c2e615"
branch_labels = None
depends_on = None

_OLD = "fk_tier_assignments_customer_id_valid_to"
_NEW = "fk_tier_assignments_customer_id_followed_on"


def upgrade() -> None:
    op.add_column(
        "tier_assignments",
        sa.Column(
            "ended_by",
            sa.Text(),
            nullable=True,
            comment="Why nothing follows: merge, where the customer was merged into another.",
        ),
    )
    op.add_column(
        "tier_assignments",
        sa.Column(
            "followed_on",
            sa.Date(),
            sa.Computed("CASE WHEN ended_by IS NULL THEN valid_to END", persisted=True),
            nullable=True,
            comment="Day the next assignment begins; null if none has to.",
        ),
    )
    op.create_check_constraint(
        op.f("ck_tier_assignments_ended_by"), "tier_assignments", "ended_by IN ('merge')"
    )
    op.create_check_constraint(
        op.f("ck_tier_assignments_ended_pair"),
        "tier_assignments",
        "ended_by IS NULL OR valid_to IS NOT NULL",
    )
    op.drop_constraint(op.f(_OLD), "tier_assignments", type_="foreignkey")
    op.create_foreign_key(
        op.f(_NEW),
        "tier_assignments",
        "tier_assignments",
        ["customer_id", "followed_on"],
        ["customer_id", "serves_from"],
        deferrable=True,
        initially="DEFERRED",
    )


def downgrade() -> None:
    op.execute(
        "UPDATE tier_assignments SET valid_to = NULL, ended_by = NULL WHERE ended_by = 'merge'"
    )
    op.drop_constraint(op.f(_NEW), "tier_assignments", type_="foreignkey")
    op.create_foreign_key(
        op.f(_OLD),
        "tier_assignments",
        "tier_assignments",
        ["customer_id", "valid_to"],
        ["customer_id", "serves_from"],
        deferrable=True,
        initially="DEFERRED",
    )
    op.drop_constraint(op.f("ck_tier_assignments_ended_pair"), "tier_assignments", type_="check")
    op.drop_constraint(op.f("ck_tier_assignments_ended_by"), "tier_assignments", type_="check")
    op.drop_column("tier_assignments", "followed_on")
    op.drop_column("tier_assignments", "ended_by")
