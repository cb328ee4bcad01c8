"""Simulations of rule sets on the whole book; what was rehearsed cannot be changed afterwards.

Revision: 5c9e27ab41d0
Revises: 5b1c9e7a44d0
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5c9e27ab41d0"
down_revision = "5b1c9e7a44d0"
branch_labels = None
depends_on = None

_LINES = "('life', 'health', 'motor', 'property', 'liability', 'corporate', 'all')"
_TIERS = "('diamond', 'gold', 'standard')"
_VIEWS = {
    "evaluated_before": "Tier by the baseline's rules alone.",
    "evaluated_after": "Tier by the candidate's rules alone.",
    "serving_before": "Tier a run by the baseline would let serve.",
    "serving_after": "Tier a run by the candidate would let serve.",
}

GUARD = """
CREATE FUNCTION guard_simulation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - ARRAY['snapshot_at', 'completed_at', 'report', 'has_movers'])
            IS DISTINCT FROM
            (to_jsonb(OLD) - ARRAY['snapshot_at', 'completed_at', 'report', 'has_movers']) THEN
        PERFORM refuse_by('ck_simulations_frozen', 'what is rehearsed stays what it was');
    END IF;
    IF OLD.report IS NOT NULL AND (NEW.snapshot_at, NEW.completed_at, NEW.report)
            IS DISTINCT FROM (OLD.snapshot_at, OLD.completed_at, OLD.report) THEN
        PERFORM refuse_by('ck_simulations_frozen', 'what a rehearsal found stays');
    END IF;
    IF NEW.has_movers AND NOT OLD.has_movers THEN
        PERFORM refuse_by('ck_simulations_frozen', 'who moved is forgotten for good');
    END IF;
    RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER guard_simulation BEFORE UPDATE ON simulations
FOR EACH ROW EXECUTE FUNCTION guard_simulation()
"""


def upgrade() -> None:
    """Create the tables, and the trigger that keeps what was rehearsed."""
    op.create_table(
        "simulations",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column(
            "rule_set_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="Rule set of the candidate.",
        ),
        sa.Column(
            "product_line", sa.Text(), nullable=False, comment="Line the candidate decides for."
        ),
        sa.Column(
            "candidate_version",
            sa.Integer(),
            nullable=True,
            comment="Stored version of the candidate; null for a draft.",
        ),
        sa.Column(
            "document",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The candidate, resolved, as it was then.",
        ),
        sa.Column(
            "hash", sa.Text(), nullable=False, comment="SHA-256 of the candidate's RFC 8785 JSON."
        ),
        sa.Column(
            "baseline_rule_set_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="Rule set it is compared with.",
        ),
        sa.Column(
            "baseline_version",
            sa.Integer(),
            nullable=True,
            comment="Stored version of the baseline; null for a draft.",
        ),
        sa.Column(
            "baseline_document",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The baseline, resolved, as it was then.",
        ),
        sa.Column(
            "baseline_hash",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the baseline's RFC 8785 JSON.",
        ),
        sa.Column(
            "others",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Id and version of what decides beside them, by product line.",
        ),
        sa.Column(
            "objectives",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Profiles of the candidate that are compared besides its own.",
        ),
        sa.Column("as_of", sa.Date(), nullable=False, comment="Business day."),
        sa.Column(
            "is_rehearsal",
            sa.Boolean(),
            nullable=False,
            comment="Whether it compares with what decided on the day it was asked for, as of that day.",
        ),
        sa.Column(
            "requested_by",
            sa.Text(),
            nullable=False,
            comment="Digest of the actor who asked for it.",
        ),
        sa.Column(
            "requested_role", sa.Text(), nullable=False, comment="The role he asked for it in."
        ),
        sa.Column(
            "snapshot_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the book was read.",
        ),
        sa.Column(
            "completed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was completed.",
        ),
        sa.Column(
            "report",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="Counts of customers and sums of premiums; small ones are told to few roles.",
        ),
        sa.Column(
            "has_movers",
            sa.Boolean(),
            server_default="true",
            nullable=False,
            comment="Whether who moves is still listed.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(f"product_line IN {_LINES}", name=op.f("ck_simulations_product_line")),
        sa.CheckConstraint("candidate_version >= 1", name=op.f("ck_simulations_candidate_version")),
        sa.CheckConstraint("baseline_version >= 1", name=op.f("ck_simulations_baseline_version")),
        sa.CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_simulations_hash")),
        sa.CheckConstraint(
            "baseline_hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_simulations_baseline_hash")
        ),
        sa.CheckConstraint(
            "(report IS NULL) = (completed_at IS NULL)", name=op.f("ck_simulations_completed")
        ),
        sa.CheckConstraint(
            "(report IS NULL) = (snapshot_at IS NULL)", name=op.f("ck_simulations_snapshot")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_simulations")),
        comment="Rule sets rehearsed on the whole book; what was rehearsed is frozen.",
    )
    op.create_index(op.f("ix_simulations_rule_set_id_id"), "simulations", ["rule_set_id", "id"])
    op.create_index(op.f("ix_simulations_rule_set_id_hash"), "simulations", ["rule_set_id", "hash"])
    op.create_table(
        "simulation_movers",
        sa.Column("simulation_id", sa.Uuid(), nullable=False, comment="The simulation."),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="Who moves."),
        sa.Column("line", sa.Text(), nullable=False, comment="Line whose rule set decides."),
        sa.Column("segment", sa.Text(), nullable=True, comment="Value segment by the baseline."),
        sa.Column(
            "premium",
            sa.Numeric(precision=18, scale=2),
            nullable=True,
            comment="Annual premium in force; null if unknown.",
        ),
        *(
            sa.Column(name, sa.Text(), nullable=False, comment=comment)
            for name, comment in _VIEWS.items()
        ),
        sa.CheckConstraint(
            "customer_id ~ '^[A-Za-z0-9._-]{1,64}$' AND customer_id NOT IN ('.', '..')",
            name=op.f("ck_simulation_movers_customer_id"),
        ),
        sa.CheckConstraint(f"line IN {_LINES}", name=op.f("ck_simulation_movers_line")),
        sa.CheckConstraint(
            "segment IN ('high_net_worth', 'mid_market', 'potential', 'base')",
            name=op.f("ck_simulation_movers_segment"),
        ),
        *(
            sa.CheckConstraint(f"{name} IN {_TIERS}", name=op.f(f"ck_simulation_movers_{name}"))
            for name in _VIEWS
        ),
        sa.CheckConstraint(
            "evaluated_before <> evaluated_after OR serving_before <> serving_after",
            name=op.f("ck_simulation_movers_moves"),
        ),
        sa.CheckConstraint("premium >= 0", name=op.f("ck_simulation_movers_premium")),
        sa.ForeignKeyConstraint(
            ["simulation_id"],
            ["simulations.id"],
            name=op.f("fk_simulation_movers_simulation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("simulation_id", "customer_id", name=op.f("pk_simulation_movers")),
        comment="Customers whose tier a simulated rule set would change.",
    )
    op.execute(GUARD)
    op.execute(TRIGGER)


def downgrade() -> None:
    """Forget all simulations."""
    op.drop_table("simulation_movers")
    op.drop_table("simulations")
    op.execute("DROP FUNCTION guard_simulation()")
