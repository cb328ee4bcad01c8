"""Where customers stand is found by segment, stage, label, waiting downgrade, tier and renewal.

Revision: e4a87c03b5d1
Revises: 7e52d19c0ab4
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "e4a87c03b5d1"
down_revision = "7e52d19c0ab4"
branch_labels = None
depends_on = None

_SEGMENTS = "segment IN ('high_net_worth', 'mid_market', 'potential', 'base')"
_STAGES = "life_cycle_stage IN ('new', 'stable', 'at_risk', 'dormant', 'lapsed')"


def upgrade() -> None:
    for name, kind, comment in (
        ("segment", sa.Text(), "Value segment of the newest decision."),
        ("life_cycle_stage", sa.Text(), "Life-cycle stage of the newest decision."),
        ("labels", postgresql.ARRAY(sa.Text()), "Labels of the newest decision."),
    ):
        op.add_column("scoring_states", sa.Column(name, kind, nullable=True, comment=comment))
    op.execute(
        """
        UPDATE scoring_states AS state
        SET segment = decision.segment, life_cycle_stage = decision.life_cycle_stage,
            labels = ARRAY(SELECT jsonb_array_elements_text(
                CASE WHEN jsonb_typeof(decision.outcomes -> 'labels') = 'array'
                    THEN decision.outcomes -> 'labels' ELSE '[]' END
            ))
        FROM decisions AS decision WHERE decision.id = state.decision_id
        """
    )
    for name in ("segment", "life_cycle_stage", "labels"):
        op.alter_column("scoring_states", name, nullable=False)
    op.create_check_constraint(op.f("ck_scoring_states_segment"), "scoring_states", _SEGMENTS)
    op.create_check_constraint(
        op.f("ck_scoring_states_life_cycle_stage"), "scoring_states", _STAGES
    )
    for name in ("segment", "life_cycle_stage"):
        op.create_index(f"ix_scoring_states_{name}", "scoring_states", [name, "customer_id"])
    op.create_index(
        "ix_scoring_states_labels", "scoring_states", ["labels"], postgresql_using="gin"
    )
    op.create_index(
        "ix_scoring_states_waiting",
        "scoring_states",
        ["customer_id"],
        postgresql_where=sa.text("grace_until IS NOT NULL"),
    )
    op.create_index(
        "ix_tier_assignments_serving",
        "tier_assignments",
        ["tier", "customer_id"],
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_index(
        "ix_policy_terms_renewal",
        "policy_terms",
        ["term_end"],
        postgresql_where=sa.text("premium_kind = 'regular'"),
    )


def downgrade() -> None:
    op.drop_index("ix_policy_terms_renewal", table_name="policy_terms")
    op.drop_index("ix_tier_assignments_serving", table_name="tier_assignments")
    for name in ("waiting", "labels", "life_cycle_stage", "segment"):
        op.drop_index(f"ix_scoring_states_{name}", table_name="scoring_states")
    for name in ("life_cycle_stage", "segment"):
        op.drop_constraint(op.f(f"ck_scoring_states_{name}"), "scoring_states", type_="check")
    for name in ("labels", "life_cycle_stage", "segment"):
        op.drop_column("scoring_states", name)
