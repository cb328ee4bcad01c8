"""Publications as publishers ask for them and are told of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.types import UUID7
from pydantic_core import PydanticCustomError

from app.domain.words import PublicationKind
from app.features.publications.service import Gap, PublicationOrder, Told
from app.features.rule_sets.schemas import LARGEST_VERSION
from app.infra.masking import Internal, MaskedRead, Open, ReadModel, internal
from app.infra.pagination import PageQuery
from app.infra.written import BusinessDay

_EXAMPLE_HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class PublicationCreate(BaseModel):
    """What is to decide: the open draft, named by its hash, or a version anew."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "oneOf": [{"required": ["hash"]}, {"required": ["version"]}],
            "examples": [
                {"hash": _EXAMPLE_HASH, "valid_from": "2027-01-01", "pia_ref": "PIA-2026-017"}
            ],
        },
    )

    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(
        default=None, description="Of the open draft, as it was read and simulated."
    )
    version: Annotated[int, Field(strict=True, ge=1, le=LARGEST_VERSION)] | None = Field(
        default=None, description="A version that is to decide anew."
    )
    valid_from: BusinessDay = Field(description="First business day it decides: today or later.")
    pia_ref: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._/:#-]{0,99}$")] | None = Field(
        default=None,
        description="Reference of the privacy assessment, for rule sets that read facts of a class"
        " `s.*`. Of a version, that of its last publication by default.",
    )

    @model_validator(mode="after")
    def _names_one(self) -> PublicationCreate:
        if (self.hash is None) == (self.version is None):
            kind, message = "hash_or_version", "the hash of the draft, or a version"
            raise PydanticCustomError(kind, message)
        return self

    def to_domain(self) -> PublicationOrder:
        """What is asked for."""
        return PublicationOrder(self.hash, self.version, self.valid_from, self.pia_ref)


class RetirementCreate(BaseModel):
    """When a rule set ends to decide."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"valid_to": "2027-06-01"}]}
    )

    valid_to: BusinessDay = Field(
        description="First business day on which it no longer decides: today or later."
    )


class PublicationsQuery(PageQuery):
    """Which page of publications."""


class DecidingRead(ReadModel):
    """The business days on which a version decides by a publication."""

    valid_from: Open[date] = Field(description="First business day.")
    valid_to: Open[date | None] = Field(description="First business day it no longer decides.")


class WarningRead(ReadModel):
    """Business days on which a line has no version of its own, so that `all` decides."""

    code: Open[Literal["version-gap"]] = Field(description="Stable code.")
    valid_from: Open[date] = Field(description="First business day without one, not before today.")
    valid_to: Open[date] = Field(description="First business day with one again.")

    @classmethod
    def of(cls, gap: Gap) -> WarningRead:
        """One gap."""
        return cls(code="version-gap", valid_from=gap.since, valid_to=gap.until)


class PublicationEntry(ReadModel):
    """What a publisher did with a rule set."""

    id: Open[UUID7] = Field(description="Id of the publication.")
    rule_set_id: Open[str] = Field(description="Id of the rule set.")
    kind: Open[PublicationKind] = Field(
        description="published: a draft became a version. republished: a version decides anew."
        " retired: none of its versions decides any more."
    )
    product_line: Open[str] = Field(description="The line it decides for.")
    version: Open[int | None] = Field(description="The version; null for a retirement.")
    hash: Open[str | None] = Field(description="Its hash; null for a retirement.")
    effective_on: Open[date] = Field(description="First business day of the change.")
    deciding: DecidingRead | None = Field(
        description="When it decides by this publication, as of now; null for a retirement, and"
        " where something else took its place before it began."
    )
    pia_ref: Open[str | None] = Field(description="The privacy assessment it rests on.")
    published_at: Open[datetime] = Field(description="When.")
    published_by: Internal[str] = Field(description="Subject of the publisher.")
    authors: Internal[list[str]] = Field(description="Subjects of all who edited it.")

    @classmethod
    def of(cls, told: Told) -> PublicationEntry:
        """One of a list."""
        return cls.model_validate(_fields(told))


class PublicationRead(MaskedRead, PublicationEntry):
    """What a publisher just did."""

    warnings: list[WarningRead] = Field(description="Where the line is left to `all` for a while.")

    @classmethod
    def from_domain(cls, told: Told, gaps: Iterable[Gap]) -> PublicationRead:
        """With where it leaves the line."""
        return cls(**_fields(told), warnings=[WarningRead.of(gap) for gap in gaps])


class PublicationsRead(MaskedRead):
    """A page of what publishers did, the newest first."""

    items: list[PublicationEntry] = Field(description="The publications.")
    next_cursor: Open[str | None] = Field(description="Continues the listing; null at its end.")

    @classmethod
    def from_domain(cls, told: Sequence[Told], next_cursor: str | None) -> PublicationsRead:
        """A page, ready to be masked."""
        return cls(items=[PublicationEntry.of(one) for one in told], next_cursor=next_cursor)


def _fields(told: Told) -> dict[str, Any]:
    stored, act = told.stored, told.stored.act
    deciding = None
    if stored.since is not None:
        deciding = DecidingRead(valid_from=stored.since, valid_to=stored.until)
    return {
        "id": act.id,
        "rule_set_id": act.rule_set_id,
        "kind": act.kind,
        "product_line": act.product_line,
        "version": act.version,
        "hash": stored.hash,
        "effective_on": act.effective_on,
        "deciding": deciding,
        "pia_ref": act.pia_ref,
        "published_at": act.published_at,
        "published_by": internal(told.subjects.get(act.published_by)),
        "authors": internal(sorted(told.subjects.get(one, "?") for one in act.authors)),
    }
