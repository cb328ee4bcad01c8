"""What a customer's own record holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.consent import ConsentRow
from app.db.rows.customer import CustomerRow
from app.db.rows.scoring_input import ScoringInputRow


@dataclass(frozen=True, slots=True)
class StoredConsent:
    """A consent that was given, and perhaps withdrawn."""

    purpose: str
    given_on: date
    withdrawn_on: date | None

    def holds_on(self, day: date) -> bool:
        """Whether it was given by then and not withdrawn."""
        return self.given_on <= day and (self.withdrawn_on is None or self.withdrawn_on > day)


async def get_customer(session: AsyncSession, customer_id: str) -> CustomerRow:
    """The customer's row, read anew; the customer is known to exist."""
    query = select(CustomerRow).where(CustomerRow.customer_id == customer_id)
    return (await session.scalars(query.execution_options(populate_existing=True))).one()


async def find_attributes(
    session: AsyncSession, customer_id: str, *, on: date
) -> ScoringInputRow | None:
    """The scoring attributes that hold on a business day."""
    row = ScoringInputRow
    query = (
        select(row)
        .where(row.customer_id == customer_id, row.valid_from <= on)
        .order_by(row.valid_from.desc())
        .limit(1)
    )
    return (await session.scalars(query.execution_options(populate_existing=True))).first()


async def list_consents(
    session: AsyncSession, customer_id: str, *, on: date
) -> dict[str, StoredConsent]:
    """The newest consent to each purpose that was given by a business day."""
    row = ConsentRow
    query = (
        select(row.purpose, row.given_on, row.withdrawn_on)
        .where(row.customer_id == customer_id, row.given_on <= on)
        .order_by(row.given_on)
    )
    # In order of time, so that the newest of each purpose is what stays.
    return {found.purpose: StoredConsent(*found) for found in await session.execute(query)}
