"""Consents as they are said and read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.domain.words import Purpose
from app.features.customers.service import ConsentGiven
from app.infra.masking import Open, ReadModel
from app.infra.written import FILLED, BusinessDay

_MOST: int = 100
_Name64 = Annotated[str, Field(min_length=1, max_length=64), FILLED]


class ConsentWrite(BaseModel):
    """One consent."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose = Field(description="What the data may serve.")
    given_on: BusinessDay = Field(description="First business day it holds.")
    basis: _Name64 = Field(default="consent", description="Legal basis.")
    text_version: _Name64 | None = Field(default=None, description="Version of the text agreed to.")
    withdrawn_on: BusinessDay | None = Field(
        default=None, description="First business day it no longer holds."
    )

    def to_domain(self) -> ConsentGiven:
        """The consent."""
        return ConsentGiven(**self.model_dump())


class ConsentsWrite(BaseModel):
    """All consents of a customer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"items": [{"purpose": "health_data", "given_on": "2026-01-31"}]}]
        },
    )

    items: list[ConsentWrite] = Field(
        max_length=_MOST, description="A purpose that is not listed is withdrawn from today on."
    )


class GivenConsentRead(ReadModel):
    """One consent; open, since it is what the customer himself said."""

    purpose: Open[str] = Field(description="What the data may serve.")
    holds: Open[bool] = Field(description="Given and not withdrawn, today.")
    given_on: Open[date] = Field(description="First business day it holds.")
    basis: Open[str] = Field(description="Legal basis.")
    text_version: Open[str | None] = Field(description="Version of the text agreed to.")
    withdrawn_on: Open[date | None] = Field(description="First business day it no longer holds.")


class ConsentsRead(ReadModel):
    """All consents of a customer."""

    customer_id: Open[str] = Field(description="The customer, by the id he is stored under.")
    items: list[GivenConsentRead] = Field(description="By purpose, the newest first.")

    @classmethod
    def from_domain(
        cls, customer_id: str, found: Sequence[ConsentGiven], today: date
    ) -> ConsentsRead:
        """The consents on a business day."""
        return cls(
            customer_id=customer_id,
            items=[
                GivenConsentRead(
                    purpose=consent.purpose,
                    holds=consent.given_on <= today
                    and (consent.withdrawn_on is None or consent.withdrawn_on > today),
                    given_on=consent.given_on,
                    basis=consent.basis,
                    text_version=consent.text_version,
                    withdrawn_on=consent.withdrawn_on,
                )
                for consent in found
            ],
        )
