"""The tiers of many customers at once."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.features.customers.schemas import CustomerIdField
from app.features.tiers.schemas.tier import TierRead
from app.infra.masking import Open, ReadModel

MOST_CUSTOMERS: Final = 200


class LookupCreate(BaseModel):
    """Whose tiers are asked for."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"customer_ids": ["C-1001", "C-1002"]}]}
    )

    customer_ids: list[CustomerIdField] = Field(
        min_length=1,
        max_length=MOST_CUSTOMERS,
        description="The customers; each is answered as often as it is named.",
    )


class FoundTierRead(TierRead):
    """A customer's tier, as when he is asked for alone."""

    found: Open[Literal[True]] = Field(description="There is such a customer.")

    @classmethod
    def of(cls, tier: TierRead) -> FoundTierRead:
        """The tier in a list."""
        return cls.assemble(**vars(tier), found=True)


class NoTierRead(ReadModel):
    """A customer who was never evaluated."""

    customer_id: Open[str] = Field(description="The customer, by the id he is stored under.")
    found: Open[Literal[True]] = Field(description="There is such a customer.")
    tier: Open[str | None] = Field(description="null: he has no tier before an evaluation.")


class NotFoundRead(ReadModel):
    """An id that nobody has, or nobody that the caller may know of."""

    customer_id: Open[str] = Field(description="The id as it was asked for.")
    found: Open[Literal[False]] = Field(description="There is nothing for the caller.")


class LookupRead(ReadModel):
    """One answer for each id, in the order asked."""

    items: list[FoundTierRead | NoTierRead | NotFoundRead] = Field(
        description="As many as ids were sent, in their order."
    )
