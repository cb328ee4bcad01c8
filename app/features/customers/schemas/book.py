"""Customers in a list."""

from __future__ import annotations

from datetime import date
from typing import Final

from pydantic import Field

from app.domain.privacy.actor import Actor
from app.domain.privacy.classes import SensitivityClass
from app.domain.privacy.sensitive import Sensitive
from app.domain.words import LifeCycleStage, Segment, Tier
from app.features.customers.service import BookFilter, ListedCustomer
from app.infra.downloads import ListFile
from app.infra.list_files import headed_file
from app.infra.locale import Locale
from app.infra.masking import Internal, MaskedRead, Name, Open, ReadModel, internal
from app.infra.pagination import PageQuery
from app.infra.written import BusinessDay


class BookQuery(PageQuery):
    """Which customers are listed, all conditions together."""

    tier: Tier | None = Field(default=None, description="Only who is served by this tier.")
    segment: Segment | None = Field(default=None, description="Only who is in this value segment.")
    label: str | None = Field(
        default=None, pattern="^[a-z][a-z0-9_]{0,63}$", description="Only who has this label."
    )
    stage: LifeCycleStage | None = Field(
        default=None, description="Only who is in this stage of the life cycle."
    )
    renewal_due_before: BusinessDay | None = Field(
        default=None, description="Only whose next regular term ends before this day."
    )
    downgrade_pending: bool | None = Field(
        default=None, description="Only who waits for a downgrade; or, if false, who does not."
    )
    mine: bool = Field(
        default=False,
        description="Only the caller's own customers; an account manager lists no others.",
    )

    def to_domain(self, actor: Actor) -> BookFilter:
        """The filter, for one caller."""
        return BookFilter(
            tier=self.tier,
            segment=self.segment,
            life_cycle_stage=self.stage,
            label=self.label,
            renewal_due_before=self.renewal_due_before,
            downgrade_pending=self.downgrade_pending,
            account_manager=actor.subject if self.mine else None,
        )

    def listing(self) -> str:
        """What a cursor of this listing is good for."""
        return "customers:" + self.model_dump_json(exclude={"limit", "cursor"})


#: All that may be said in the query.
BOOK_FIELDS: Final = frozenset(BookQuery.model_fields)


class ListedRead(MaskedRead):
    """One customer in a list."""

    customer_id: Open[str] = Field(description="The insurer's own id.")
    kind: Open[str] = Field(description="individual or corporate.")
    registered_name: Open[str | None] = Field(description="Name of a corporate.")
    name: Name = Field(description="Name, masked for everybody here.")
    account_manager: Internal[str] = Field(description="Subject of the account manager.")
    tier: Open[str | None] = Field(description="Tier that serves; null before any evaluation.")
    tier_source: Open[str | None] = Field(description="evaluated, override or grace.")
    tier_since: Open[date | None] = Field(description="Business day it began to serve.")
    segment: Internal[str] = Field(description="Value segment.")
    life_cycle_stage: Internal[str] = Field(description="Life-cycle stage.")
    labels: Internal[list[str]] = Field(description="Labels.")
    renewal_due_on: Internal[date] = Field(description="Earliest end of a regular term in force.")
    downgrade_due_on: Internal[date] = Field(description="Day a waiting downgrade is due.")

    @classmethod
    def from_domain(cls, found: ListedCustomer) -> ListedRead:
        """A row; nothing of it was decrypted."""
        return cls.assemble(
            customer_id=found.customer_id,
            kind=found.kind,
            registered_name=found.name_masked if found.kind == "corporate" else None,
            name=Sensitive.sealed(SensitivityClass.C2_NAME, masked=found.name_masked),
            account_manager=internal(found.account_manager),
            tier=found.tier,
            tier_source=found.source,
            tier_since=found.since,
            segment=internal(found.segment),
            life_cycle_stage=internal(found.life_cycle_stage),
            labels=internal(list(found.labels)),
            renewal_due_on=internal(found.renewal_due_on),
            downgrade_due_on=internal(found.grace_until),
        )


class BookRead(ReadModel):
    """A page of customers."""

    items: list[ListedRead] = Field(description="In the order of their ids.")
    next_cursor: Open[str | None] = Field(description="Where the next page begins; null: nowhere.")


def book_file(media_type: str, locale: Locale) -> ListFile:
    """How customers leave as a file: a column for each field of a row."""
    return headed_file(ListedRead, "book.toml", media_type, locale)
