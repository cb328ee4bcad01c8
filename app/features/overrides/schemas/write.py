"""What is asked for, and what is decided."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.types import UUID7
from pydantic_core import PydanticCustomError

from app.domain.overrides.content import LEAST_STATEMENT, MOST_DAYS, Wanted, seen_characters
from app.domain.words import ApprovalDecision, OverrideMode, OverrideReason, Tier
from app.features.customers.schemas import CustomerIdField
from app.features.overrides.service import Verdict
from app.infra.written import PROSE, BusinessDay

MOST_CUSTOMERS: Final = 1_000
_LONGEST_STATEMENT: Final = 4_000


def _said(value: str) -> str:
    """A statement that is long enough to be read."""
    if seen_characters(value) < LEAST_STATEMENT:
        raise PydanticCustomError(
            "statement_too_short",
            "a statement has {least} characters at least",
            {"least": LEAST_STATEMENT},
        )
    return value


Statement: TypeAlias = Annotated[
    str,
    Field(
        min_length=LEAST_STATEMENT,
        max_length=_LONGEST_STATEMENT,
        description=f"Why, in words: {LEAST_STATEMENT} characters at least that can be seen; spaces"
        " between words count as one, spaces around them not at all.",
    ),
    PROSE,
    AfterValidator(_said),
]

_EXAMPLE: Final[dict[str, Any]] = {
    "tier": "diamond",
    "mode": "floor",
    "reason": "merger",
    "statement": "Acquired by our largest corporate client; one contract is negotiated for both.",
    "valid_until": "2027-06-30",
}


class OverrideWrite(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    tier: Tier = Field(description="The tier that is to serve, or its bound.")
    mode: OverrideMode = Field(
        description="pin: this tier and no other; floor: it or a better one; ceiling: it or a"
        " lower one."
    )
    reason: OverrideReason = Field(description="Reason code.")
    statement: Statement
    valid_until: BusinessDay = Field(
        description="First business day it no longer serves: after today, at most"
        f" {MOST_DAYS} days from it."
    )

    def to_domain(self) -> Wanted:
        """What is asked for."""
        return Wanted(self.tier, self.mode, self.reason, self.statement, self.valid_until)


class OverrideCreate(OverrideWrite):
    """For whom, and what."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"customer_id": "C-1001", **_EXAMPLE}]}
    )

    customer_id: CustomerIdField = Field(description="For whom.")


class BulkOverrideCreate(OverrideWrite):
    """For many customers alike, decided on as one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"customer_ids": ["C-1001", "C-1002"], **_EXAMPLE}]},
    )

    customer_ids: list[CustomerIdField] = Field(
        min_length=1, max_length=MOST_CUSTOMERS, description="For whom, each once."
    )


class ApprovalCreate(BaseModel):
    """One officer's word on the version he has read."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"decision": "approve", "statement": "The contract under way justifies it."}
            ]
        },
    )

    decision: ApprovalDecision = Field(description="approve, or reject for good.")
    statement: Statement
    delegation_id: UUID7 | None = Field(
        default=None, description="The delegation by which he acts for somebody who is away."
    )

    def to_domain(self) -> Verdict:
        """What he says."""
        delegation: UUID | None = self.delegation_id
        return Verdict(self.decision, self.statement, delegation)


class OverrideRevoke(BaseModel):
    """Why what serves is ended before its time."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"statement": "The merger was called off yesterday."}]},
    )

    statement: Statement
