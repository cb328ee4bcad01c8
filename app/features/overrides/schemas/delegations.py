"""Delegations for absence, as callers send and are told them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.types import UUID7

from app.domain.words import Department
from app.features.overrides.service.delegations import MOST_DAYS, Absence, StoredDelegation
from app.infra.masking import Internal, MaskedRead, Open, ReadModel, internal
from app.infra.pagination import PageQuery
from app.infra.written import FILLED, BusinessDay

_LONGEST_SUBJECT: Final = 255


class DelegationCreate(BaseModel):
    """Who acts for the caller, and when."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "delegate": "risk_officer-2",
                    "valid_from": "2027-02-15",
                    "valid_to": "2027-03-01",
                }
            ]
        },
    )

    delegate: Annotated[
        str,
        Field(
            min_length=1,
            max_length=_LONGEST_SUBJECT,
            description="Subject of the colleague, as his tokens say it.",
        ),
        FILLED,
    ]
    valid_from: BusinessDay = Field(description="First business day away: today or later.")
    valid_to: BusinessDay = Field(
        description=f"First business day back, at most {MOST_DAYS} days after the first one away."
    )

    def to_domain(self) -> Absence:
        """What is asked for."""
        return Absence(self.delegate, self.valid_from, self.valid_to)


class DelegationQuery(PageQuery):
    """Which delegations are listed."""

    running: Literal["true"] | None = Field(
        default=None, description="true: only those that run today."
    )

    def listing(self) -> str:
        """What a cursor of this listing is good for."""
        return f"override-delegations:{self.running}"


#: All that may be said in the query.
DELEGATION_FIELDS: Final = frozenset(DelegationQuery.model_fields)


class DelegationRead(MaskedRead):
    """Who is away, and who acts for him."""

    id: Open[UUID7] = Field(description="Id of the delegation.")
    department: Internal[Department] = Field(description="Whose key it is.")
    delegator: Internal[str] = Field(description="Subject of who is away.")
    delegate: Internal[str] = Field(description="Subject of who acts for him.")
    valid_from: Internal[date] = Field(description="First business day away.")
    valid_to: Internal[date] = Field(description="First business day back.")
    ended_at: Internal[datetime | None] = Field(
        description="When it was taken back before its time."
    )
    running: Internal[bool] = Field(description="Whether it runs today.")

    @classmethod
    def from_domain(cls, delegation: StoredDelegation, today: date) -> DelegationRead:
        """A delegation, ready to be masked."""
        return cls.assemble(
            id=delegation.id,
            department=internal(delegation.department),
            delegator=internal(delegation.delegator_subject),
            delegate=internal(delegation.delegate_subject),
            valid_from=internal(delegation.valid_from),
            valid_to=internal(delegation.valid_to),
            ended_at=internal(delegation.ended_at),
            running=internal(delegation.runs_on(today)),
        )


class DelegationsRead(ReadModel):
    """A page of delegations, the newest first."""

    items: list[DelegationRead] = Field(description="The delegations.")
    next_cursor: Open[str | None] = Field(description="Continues the listing; null at its end.")
