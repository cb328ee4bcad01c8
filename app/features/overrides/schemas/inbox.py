"""Requests in a list."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final, Literal

from pydantic import Field
from pydantic.types import UUID7

from app.domain.words import Department, OverrideMode, OverrideReason, OverrideState, Tier
from app.features.customers.schemas import CustomerIdField
from app.features.overrides.service import InboxFilter, Listed
from app.infra.masking import Internal, MaskedRead, Open, ReadModel, internal
from app.infra.pagination import PageQuery


class InboxQuery(PageQuery):
    """Which requests are listed, all conditions together."""

    status: OverrideState | None = Field(
        default=None, description="Only those with an override in this state."
    )
    customer_id: CustomerIdField | None = Field(default=None, description="Only for this customer.")
    # `for` is a word of the language.
    for_: Literal["me"] | None = Field(
        default=None,
        alias="for",
        description="me: only what waits for the caller's key; for an account manager, what he"
        " asked for.",
    )

    def to_domain(self) -> InboxFilter:
        """The filter, for any caller."""
        return InboxFilter(state=self.status, customer_id=self.customer_id)

    def listing(self) -> str:
        """What a cursor of this listing is good for."""
        return "overrides:" + self.model_dump_json(exclude={"limit", "cursor"})


#: All that may be said in the query.
INBOX_FIELDS: Final = frozenset(
    {(field.alias or name) for name, field in InboxQuery.model_fields.items()}
)


class RequestListedRead(MaskedRead):
    """One request in a list."""

    id: Open[UUID7] = Field(description="Id of the request.")
    bulk: Open[bool] = Field(description="Whether it is for many customers.")
    customer_id: Open[str | None] = Field(description="Whose tier; null where it is many.")
    states: dict[str, Internal[int]] = Field(
        description="How many of its overrides are in which state; of one customer, one."
    )
    version: Internal[int] = Field(description="Version that is decided on.")
    tier: Internal[Tier] = Field(description="The tier asked for.")
    mode: Internal[OverrideMode] = Field(description="pin, floor or ceiling.")
    reason: Internal[OverrideReason] = Field(description="Reason code.")
    valid_until: Internal[date] = Field(description="First business day it no longer serves.")
    requested_by: Internal[str] = Field(description="Subject of who asks.")
    requested_at: Internal[datetime] = Field(description="When he asked first.")
    expires_at: Internal[datetime] = Field(description="When nobody can decide any more.")
    waits_for: Internal[list[Department]] = Field(description="Departments whose keys are missing.")

    @classmethod
    def from_domain(cls, listed: Listed) -> RequestListedRead:
        """A row, ready to be masked."""
        case, version = listed.case, listed.case.version
        only = listed.only
        waits = "requested" in listed.counts
        return cls.assemble(
            id=case.request.id,
            bulk=case.request.is_bulk,
            customer_id=None if only is None else only.customer_id,
            states={state: internal(number) for state, number in sorted(listed.counts.items())},
            version=internal(version.version),
            tier=internal(version.tier),
            mode=internal(version.mode),
            reason=internal(version.reason),
            valid_until=internal(version.valid_until),
            requested_by=internal(case.people[case.request.requested_by].subject),
            requested_at=internal(case.request.requested_at),
            expires_at=internal(case.request.expires_at),
            waits_for=internal(list(case.waiting.waits_for) if waits else []),
        )


class InboxRead(ReadModel):
    """A page of requests, the newest first."""

    items: list[RequestListedRead] = Field(description="The requests.")
    next_cursor: Open[str | None] = Field(description="Continues the listing; null at its end.")
