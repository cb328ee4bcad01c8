"""Verifying who somebody is."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.domain.words import VerifiableField
from app.features.customers.service import MOST_TRIES, Verification
from app.infra.masking import Open, ReadModel
from app.infra.written import FILLED


class VerificationCreate(BaseModel):
    """What somebody says of himself."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"field": "birth_date", "value": "1984-02-29"}]},
    )

    field: VerifiableField = Field(description="What is verified.")
    value: Annotated[str, Field(min_length=1, max_length=254), FILLED] = Field(
        description="What the caller says; spaces, case and full-width signs make no difference.",
    )


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
