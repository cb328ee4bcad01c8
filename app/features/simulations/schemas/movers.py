"""Who moves, in a list."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from pydantic import Field

from app.domain.privacy.classes import SensitivityClass
from app.domain.privacy.sensitive import Sensitive
from app.domain.words import Tier
from app.features.simulations.service import Mover, MoverFilter
from app.infra.downloads import ListFile
from app.infra.list_files import headed_file
from app.infra.locale import Locale
from app.infra.masking import Internal, MaskedRead, Open, ReadModel, Value, internal
from app.infra.pagination import PageQuery


class MoverQuery(PageQuery):
    """Which movers are listed, all conditions together."""

    view: Literal["evaluated", "serving"] = Field(
        default="evaluated",
        description="evaluated: who moves by the rules alone; serving: who would be served "
        "otherwise.",
    )
    # `from` is a word of the language.
    from_: Tier | None = Field(default=None, alias="from", description="Only from this tier.")
    to: Tier | None = Field(default=None, description="Only to this tier.")

    def to_domain(self) -> MoverFilter:
        """The filter."""
        return MoverFilter(self.view, self.from_, self.to)

    def listing(self, simulation_id: UUID) -> str:
        """What a cursor of this listing is good for."""
        asked = self.model_dump_json(exclude={"limit", "cursor"})
        return f"movers:{simulation_id}:{asked}"


#: All that may be said in the query.
MOVER_FIELDS: Final = frozenset(
    {(field.alias or name) for name, field in MoverQuery.model_fields.items()}
)


class MoverRead(MaskedRead):
    """A customer whose tier the candidate would change."""

    customer_id: Open[str] = Field(description="The insurer's own id.")
    account_manager: Internal[str] = Field(description="Subject of the account manager.")
    line: Internal[str] = Field(description="Product line whose rule set decides.")
    segment: Internal[str] = Field(description="Value segment that the baseline gives.")
    premium: Value[Decimal] = Field(description="Annual premium in force.")
    evaluated_before: Internal[str] = Field(description="Tier by the baseline's rules alone.")
    evaluated_after: Internal[str] = Field(description="Tier by the candidate's rules alone.")
    serving_before: Internal[str] = Field(description="Tier that the baseline would let serve.")
    serving_after: Internal[str] = Field(description="Tier that the candidate would let serve.")

    @classmethod
    def from_domain(cls, found: Mover) -> MoverRead:
        """A row."""
        return cls.assemble(
            customer_id=found.customer_id,
            account_manager=internal(found.account_manager),
            line=internal(found.line),
            segment=internal(found.segment),
            premium=Sensitive(SensitivityClass.VALUE, found.premium),
            evaluated_before=internal(found.evaluated_before),
            evaluated_after=internal(found.evaluated_after),
            serving_before=internal(found.serving_before),
            serving_after=internal(found.serving_after),
        )


class MoversRead(ReadModel):
    """A page of movers."""

    items: list[MoverRead] = Field(description="In the order of their ids.")
    next_cursor: Open[str | None] = Field(description="Where the next page begins; null: nowhere.")


def movers_file(media_type: str, locale: Locale) -> ListFile:
    """How movers leave as a file: a column for each field of a row."""
    return headed_file(MoverRead, "movers.toml", media_type, locale)
