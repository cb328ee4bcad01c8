"""Merging one customer into another."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from app.features.customers.schemas.parameters import CustomerIdField
from app.features.imports.service import Merge
from app.infra.masking import Open, ReadModel


class MergeCreate(BaseModel):
    """Who stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"into": "C-1002"}]})

    into: CustomerIdField = Field(description="The customer that stays; nobody merged away.")


class MergeRead(ReadModel):
    """A merge that holds."""

    merged_id: Open[str] = Field(description="The id that stands for another customer now.")
    customer_id: Open[str] = Field(description="That customer.")

    @classmethod
    def from_domain(cls, merge: Merge) -> MergeRead:
        """The answer."""
        return cls(merged_id=merge.merged_id, customer_id=merge.customer_id)
