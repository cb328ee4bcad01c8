"""Audit events are numbered per stream, in which no number is missing.

Revision: 7e52d19c0ab4
Revises: 7e35a1d90c42
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "7e52d19c0ab4"
down_revision = "7e35a1d90c42"
branch_labels = None
depends_on = None

_TABLE = (
    "Append-only audit of customer-data answers, numbered per writer.",
    "Append-only audit of customer-data answers, numbered per stream.",
)
_WRITER = (
    "The writing process, new at each start.",
    (
        "Stream of numbers: of a process, new at its start and after a batch that failed; of an"
        " event stored in the transaction of its change, its own id."
    ),
)
_SEQ = (
    "Position in that writer's stream.",
    "Position in that stream, from 1 without a gap; one that is missing was taken away.",
)


def upgrade() -> None:
    _describe(0, 1)


def downgrade() -> None:
    _describe(1, 0)


def _describe(before: int, after: int) -> None:
    op.create_table_comment("audit_events", _TABLE[after], existing_comment=_TABLE[before])
    for name, kind, comments in (
        ("writer", sa.Text(), _WRITER),
        ("seq", sa.BigInteger(), _SEQ),
    ):
        op.alter_column(
            "audit_events",
            name,
            existing_type=kind,
            existing_nullable=False,
            existing_comment=comments[before],
            comment=comments[after],
        )
