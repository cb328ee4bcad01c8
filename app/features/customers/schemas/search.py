"""Looking a customer up by phone or ID number."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from app.domain.privacy.classes import SensitivityClass
from app.domain.privacy.sensitive import Sensitive
from app.features.customers.service import MOST_CANDIDATES, StoredCandidate
from app.infra.masking import Contact, MaskedRead, Name, Open, ReadModel
from app.infra.written import FILLED

_Number = Annotated[str, Field(min_length=1, max_length=40), FILLED]
_GIVEN: Final[dict[str, JsonValue]] = {"type": "string", "maxLength": 40}
_NOT_GIVEN: Final[dict[str, JsonValue]] = {"type": "null"}


class CustomerSearch(BaseModel):
    """A phone number or an ID number, exactly one of them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "oneOf": [
                {"required": [one], "properties": {one: _GIVEN, other: _NOT_GIVEN}}
                for one, other in (("phone", "id_no"), ("id_no", "phone"))
            ],
            "examples": [{"phone": "138 0000 0000"}],
        },
    )

    phone: _Number | None = Field(
        None,
        description="Phone number; spaces, +86 and full-width digits make no difference.",
    )
    id_no: _Number | None = Field(None, description="ID number; x and X are the same.")

    @model_validator(mode="after")
    def _asks_for_one(self) -> Self:
        if (self.phone is None) == (self.id_no is None):
            kind, message = "one-of", "either phone or id_no is given"
            raise PydanticCustomError(kind, message)
        return self


class CandidateRead(MaskedRead):
    """A customer who may be the one."""

    customer_id: Open[str] = Field(description="The insurer's own id; a survivor's after merges.")
    kind: Open[str] = Field(description="individual or corporate.")
    registered_name: Open[str | None] = Field(description="Name of a corporate.")
    name: Name = Field(description="Name, masked for everybody here.")
    phone: Contact = Field(description="Phone number, masked for everybody here.")
    tier: Open[str | None] = Field(description="Tier that serves; null before any evaluation.")

    @classmethod
    def from_domain(cls, found: StoredCandidate) -> CandidateRead:
        """A candidate; nothing of him was decrypted."""
        return cls.assemble(
            customer_id=found.customer_id,
            kind=found.kind,
            registered_name=found.name_masked if found.kind == "corporate" else None,
            name=Sensitive.sealed(SensitivityClass.C2_NAME, masked=found.name_masked),
            phone=Sensitive.sealed(SensitivityClass.C2_CONTACT, masked=found.phone_masked),
            tier=found.tier,
        )


class SearchRead(ReadModel):
    """Everybody who has the number."""

    items: list[CandidateRead] = Field(
        description=f"None if nobody has it; at most {MOST_CANDIDATES}, in the order of ids."
    )
