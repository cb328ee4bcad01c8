"""Keys by which callers repeat a request without repeating its effect.

Revision: 8c41d09f27ae
Revises: 3daedd1522b9
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "8c41d09f27ae"
down_revision = "6b1f0a52c7d4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, with an index by which expired rows are found."""
    op.create_table(
        "idempotency_keys",
        sa.Column(
            "actor_digest", sa.LargeBinary(), nullable=False, comment="HMAC of issuer and subject."
        ),
        sa.Column("role", sa.Text(), nullable=False, comment="Active role."),
        sa.Column("route", sa.Text(), nullable=False, comment="Method and route template."),
        sa.Column("key_digest", sa.LargeBinary(), nullable=False, comment="HMAC of the key."),
        sa.Column(
            "request_hmac",
            sa.LargeBinary(),
            nullable=False,
            comment="HMAC of path, query and body.",
        ),
        sa.Column("resource", sa.Text(), nullable=False, comment="Id of what was created."),
        sa.Column(
            "status", sa.SmallInteger(), nullable=False, comment="HTTP status of the first answer."
        ),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="From when on the key means nothing.",
        ),
        sa.CheckConstraint("status BETWEEN 200 AND 299", name=op.f("ck_idempotency_keys_status")),
        sa.PrimaryKeyConstraint(
            "actor_digest", "role", "route", "key_digest", name=op.f("pk_idempotency_keys")
        ),
        comment="Idempotency keys of requests that created something, for a day.",
    )
    op.create_index(
        op.f("ix_idempotency_keys_expires_at"), "idempotency_keys", ["expires_at"], unique=False
    )


def downgrade() -> None:
    """Forget the keys; a request repeated meanwhile has its effect again."""
    op.drop_table("idempotency_keys")
