"""Customers with policies, claims and contacts, written as feeds and imports would."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from app.db.rows import (
    ClaimRow,
    InteractionRow,
    PolicyRow,
    PolicyTermRow,
    ServiceUseRow,
    SurveyRow,
)
from app.domain.privacy.roles import Role
from app.infra.database import AsyncSession
from tests.api import Api

INDIVIDUAL: Mapping[str, Any] = {"kind": "individual", "name": "王小明"}
CORPORATE: Mapping[str, Any] = {
    "kind": "corporate",
    "name": "杭州示例科技有限公司",
    "credit_code": "91330106MA27XY1234",
}


async def put_customer(api: Api, customer_id: str, **changes: object) -> None:
    """Create or change a customer over the API, as a feed does."""
    sent = {**({} if changes.get("kind") == "corporate" else INDIVIDUAL), **changes}
    answer = await api.call("PUT", f"/v1/customers/{customer_id}", Role.INTEGRATION, json=sent)
    assert answer.status_code in {200, 201}, answer.text


def policy(customer_id: str, policy_no: str, line: str = "motor") -> PolicyRow:
    """A contract."""
    return PolicyRow(
        policy_no=policy_no,
        customer_id=customer_id,
        product_line=line,
        product=f"{line}-basic",
        issued_on=date(2020, 1, 1),
    )


def term(customer_id: str, policy_no: str, **changes: object) -> PolicyTermRow:
    """A year of a contract, in force all through 2020 to 2099 unless changed."""
    columns: dict[str, object] = {
        "term_start": date(2020, 1, 1),
        "term_end": date(2100, 1, 1),
        "premium_kind": "regular",
        "premium": Decimal("1200.00"),
        "pay_mode": "yearly",
        "started_as": "new",
    }
    return PolicyTermRow(policy_no=policy_no, customer_id=customer_id, **{**columns, **changes})


def claim(customer_id: str, policy_no: str, **changes: object) -> ClaimRow:
    """An open claim."""
    columns: dict[str, object] = {
        "claim_no": f"claim-{policy_no}",
        "occurred_on": date(2020, 3, 1),
        "reported_on": date(2020, 3, 2),
    }
    return ClaimRow(policy_no=policy_no, customer_id=customer_id, **{**columns, **changes})


def contact(customer_id: str, occurred_on: date, **changes: object) -> InteractionRow:
    """A contact that the customer began."""
    columns: dict[str, object] = {
        "interaction_no": f"contact-{customer_id}-{occurred_on}",
        "channel": "hotline",
        "kind": "enquiry",
        "initiated_by": "customer",
    }
    return InteractionRow(
        customer_id=customer_id, occurred_on=occurred_on, **{**columns, **changes}
    )


def survey(customer_id: str, answered_on: date, nps: int) -> SurveyRow:
    """An answer to the recommendation survey."""
    return SurveyRow(
        survey_no=f"survey-{customer_id}-{answered_on}",
        customer_id=customer_id,
        answered_on=answered_on,
        nps=nps,
    )


def service_use(customer_id: str, used_on: date) -> ServiceUseRow:
    """A use of an add-on service."""
    return ServiceUseRow(
        use_no=f"use-{customer_id}-{used_on}",
        customer_id=customer_id,
        service_code="road_assistance",
        used_on=used_on,
    )


async def write(session: AsyncSession, *rows: object) -> None:
    """Store rows, parents first."""
    for row in rows:
        session.add(row)
        await session.flush()
    await session.commit()
