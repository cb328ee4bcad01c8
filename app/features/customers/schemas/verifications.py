"""Verifying who somebody is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.domain.words import VerifiableField
from app.features.customers.service import MOST_TRIES, Verification
from app.infra.masking import Open, ReadModel
from app.infra.written import filled


class VerificationCreate(BaseModel):
    """What somebody says of himself."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"field": "birth_date", "value": "1984-02-29"}]},
    )

    field: VerifiableField = Field(description="What is verified.")
    value: str = Field(
        min_length=1,
        max_length=254,
        description="What the caller says; spaces, case and full-width signs make no difference.",
    )

    @field_validator("value")
    @classmethod
    def _says_something(cls, value: str) -> str:
        return filled(value)


class VerificationRead(ReadModel):
    """Whether it is what is known."""

    matches: Open[bool] = Field(description="False also where nothing is known.")
    tries_left: Open[int] = Field(
        description=f"Of {MOST_TRIES} in an hour, by the same caller at the same customer."
    )

    @classmethod
    def from_domain(cls, found: Verification) -> VerificationRead:
        """The answer."""
        return cls(matches=found.matches, tries_left=found.tries_left)
