"""Exact look-up of customers by phone and ID number, and an account manager's own customers.

Revision: 5c1f0e7ab942
Revises: 3daedd1522b9
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5c1f0e7ab942"
down_revision = "8c41d09f27ae"
branch_labels = None
depends_on = None

#: What is found by its exact value, with what people call it.
INDEXED = {"phone": "phone number", "id_no": "ID number"}


def upgrade() -> None:
    for name, meaning in INDEXED.items():
        column = f"{name}_index"
        op.add_column(
            "customers",
            sa.Column(
                column,
                sa.LargeBinary(),
                nullable=True,
                comment=f"HMAC of the {meaning}'s normal form, which exact look-ups go by.",
            ),
        )
        op.create_check_constraint(
            op.f(f"ck_customers_{column}"),
            "customers",
            f"{column} IS NULL OR {name}_cipher IS NOT NULL",
        )
        op.create_index(
            op.f(f"ix_customers_{column}"),
            "customers",
            [column],
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    op.create_index("ix_customers_account_manager", "customers", ["account_manager", "customer_id"])


def downgrade() -> None:
    op.drop_index("ix_customers_account_manager", table_name="customers")
    for name in reversed(INDEXED):
        op.drop_index(op.f(f"ix_customers_{name}_index"), table_name="customers")
        op.drop_constraint(op.f(f"ck_customers_{name}_index"), "customers", type_="check")
        op.drop_column("customers", f"{name}_index")
