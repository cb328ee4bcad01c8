"""The tiers a customer was served by."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from app.features.tiers.schemas.ladder import DisplayNameRead
from app.features.tiers.service import StoredAssignment
from app.infra.masking import MaskedRead, Open, ReadModel
from app.infra.pagination import PageQuery
from app.infra.problems import FieldError, ProblemError
from app.infra.written import BusinessDay


class HistoryQuery(PageQuery):
    """What of a history is asked for."""

    as_of: BusinessDay | None = Field(
        default=None, description="Only the assignment that served on this business day."
    )

    def require_past(self, today: date) -> None:
        """Refuse a day on which nobody knows what will serve.

        Raises:
            ProblemError: `future-day`.
        """
        if self.as_of is not None and self.as_of > today:
            refused = FieldError(("query", "as_of"), "future-date")
            raise ProblemError("future-day", errors=[refused])


class AssignmentRead(ReadModel):
    """A tier and the business days it served on."""

    tier: Open[str] = Field(description="The tier that served.")
    display_name: DisplayNameRead = Field(description="What people read.")
    source: Open[str] = Field(description="evaluated, override or grace.")
    valid_from: Open[date] = Field(description="First business day.")
    valid_to: Open[date | None] = Field(
        description="First business day it no longer served; null while it does."
    )
    decision_id: Open[UUID] = Field(description="The decision that set it.")
    override_id: Open[UUID | None] = Field(
        description="The override that replaced the evaluated tier; null where none did."
    )

    @classmethod
    def of(cls, stored: StoredAssignment) -> AssignmentRead:
        """One assignment."""
        return cls(
            tier=stored.tier,
            display_name=DisplayNameRead.of(stored.tier),
            source=stored.source,
            valid_from=stored.valid_from,
            valid_to=stored.valid_to,
            decision_id=stored.decision_id,
            override_id=stored.override_id,
        )


class HistoryRead(MaskedRead):
    """A page of assignments, the newest first; of one day, the one that served."""

    customer_id: Open[str] = Field(description="The customer, by the id he is stored under.")
    items: list[AssignmentRead] = Field(description="The assignments.")
    next_cursor: Open[str | None] = Field(description="Continues the listing; null at its end.")

    @classmethod
    def from_domain(
        cls, customer_id: str, items: list[StoredAssignment], next_cursor: str | None
    ) -> HistoryRead:
        """A page of one customer's history."""
        return cls(
            customer_id=customer_id,
            items=[AssignmentRead.of(item) for item in items],
            next_cursor=next_cursor,
        )
