"""The facts catalogue as people and rule editors read it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from app.domain.facts.catalogue import CATALOGUE, CONVENTIONS, Convention
from app.domain.facts.model import Fact, FactType
from app.domain.privacy.classes import SensitivityClass
from app.infra.locale import Locale
from app.infra.masking import Open, ReadModel


class FactRead(ReadModel):
    """One fact: what it holds, who may see it, what it means."""

    name: Open[str] = Field(description="Name, as rules write it.")
    type: Open[FactType] = Field(description="Type of its values.")
    scale: Open[int] = Field(description="Digits after the point; 0 unless decimal.", ge=0)
    unit: Open[str | None] = Field(description="What it counts.")
    min: Open[int | str | None] = Field(
        description="Least value there is; a string if decimal or date."
    )
    max: Open[int | str | None] = Field(
        description="Greatest value there is; a string if decimal or date."
    )
    values: Open[list[str]] = Field(description="All values of an enum, in their order.")
    nullable: Open[bool] = Field(
        description="Null where the source was never loaded or consent is missing."
    )
    sensitivity: Open[SensitivityClass] = Field(
        serialization_alias="class", description="Class in the masking matrix."
    )
    consent: Open[str | None] = Field(description="Purpose without whose consent it is null.")
    meaning: Open[str] = Field(description="How it is computed, in the language asked for.")
    source: Open[str] = Field(description="What asked for it, as S10.")

    @classmethod
    def from_domain(cls, fact: Fact, locale: Locale) -> FactRead:
        """One entry, with its meaning in one language."""
        return cls(
            name=fact.name,
            type=fact.type,
            scale=fact.scale,
            unit=fact.unit,
            min=_bound(fact, fact.minimum),
            max=_bound(fact, fact.maximum),
            values=list(fact.values),
            nullable=fact.nullable,
            sensitivity=SensitivityClass(fact.sensitivity),
            consent=fact.consent,
            meaning=fact.meaning_zh if locale is Locale.ZH else fact.meaning,
            source=fact.source,
        )


class ConventionRead(ReadModel):
    """What the meanings of several facts share: what is known on a day, windows, rounding, null."""

    name: Open[str] = Field(description="Its name.")
    meaning: Open[str] = Field(description="What it says, in the language asked for.")

    @classmethod
    def from_domain(cls, convention: Convention, locale: Locale) -> ConventionRead:
        """One convention in one language."""
        is_chinese = locale is Locale.ZH
        return cls(
            name=convention.name,
            meaning=convention.meaning_zh if is_chinese else convention.meaning,
        )


class FactsRead(ReadModel):
    """All facts there are."""

    items: list[FactRead] = Field(description="The facts.")
    conventions: list[ConventionRead] = Field(description="What their meanings share.")

    @classmethod
    def shipped(cls, locale: Locale) -> FactsRead:
        """The catalogue of this release."""
        return cls(
            items=[FactRead.from_domain(fact, locale) for fact in CATALOGUE.values()],
            conventions=[ConventionRead.from_domain(one, locale) for one in CONVENTIONS.values()],
        )


def _bound(fact: Fact, bound: int | None) -> int | str | None:
    """A bound as the API writes values of the fact's type."""
    if bound is None:
        return None
    if fact.type is FactType.DECIMAL:
        return str(Decimal(bound).scaleb(-fact.scale))
    if fact.type is FactType.DATE:
        return date.fromordinal(bound).isoformat()
    return bound
