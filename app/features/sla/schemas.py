"""What a tier is promised, as it is answered; nothing here is about a customer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.domain.sla.policy import Promise, StatutoryFloor
from app.domain.tiering.ladder import LADDER
from app.features.sla.service import TierSla
from app.infra.locale import Locale
from app.infra.masking import Open, ReadModel

Clock = Literal["elapsed", "business_hours", "business_days", "calendar_days", "recurring"]


class MilestoneRead(ReadModel):
    """A further promise on the way."""

    name: Open[str] = Field(description="What is done by then.")
    seconds: Open[int] = Field(description="Seconds of the entry's clock.", ge=0)


class StatutoryFloorRead(ReadModel):
    """A deadline that the law sets and that no tier loosens."""

    days: Open[int] = Field(description="Days within which the law wants it done.", ge=1)
    day_kind: Open[str] = Field(description="calendar_days or business_days.")
    source: Open[str] = Field(description="Where the law says so.")
    confirmation: Open[str] = Field(description="How sure the source is.")


class PromiseRead(ReadModel):
    """One promise; what is not set is null."""

    service_type: Open[str] = Field(description="What is asked for.")
    clock: Open[Clock] = Field(description="What the targets are counted on.")
    response_seconds: Open[int | None] = Field(description="Seconds to the first answer.", ge=0)
    response_days: Open[int | None] = Field(description="Days to the first answer.", ge=0)
    resolution_seconds: Open[int | None] = Field(description="Seconds to the end.", ge=0)
    resolution_days: Open[int | None] = Field(description="Days to the end.", ge=0)
    contacts_per_month: Open[int | None] = Field(description="Fewest contacts a month.", ge=0)
    milestones: list[MilestoneRead] = Field(description="Further promises on the way.")
    automated_first: Open[bool] = Field(description="Whether automated service answers first.")
    statutory_floor: StatutoryFloorRead | None = Field(description="What the law sets, if it does.")
    note: Open[str | None] = Field(description="A remark in the caller's language.")


class ExceptionRead(PromiseRead):
    """A narrower promise that stands before the general one."""

    product_line: Open[str | None] = Field(description="The product line it is for, else any.")
    qualifier: Open[str | None] = Field(description="The narrower case it is for, else any.")


class EntryRead(PromiseRead):
    """The general promise for a service type, with its exceptions."""

    exceptions: list[ExceptionRead] = Field(description="Narrower cases, which win.")


class SlaRead(ReadModel):
    """What a tier is promised, one entry per service type, in the order of the policy."""

    tier: Open[str] = Field(description="The tier.")
    tier_name: Open[str] = Field(description="Its name in the caller's language.")
    policy_version: Open[int] = Field(description="Version of the policy in force.", ge=1)
    entries: list[EntryRead] = Field(description="The promises.")

    @classmethod
    def from_domain(cls, sla: TierSla, locale: Locale) -> SlaRead:
        """The answer of a policy, with its texts in one language."""
        name = LADDER.display_names[sla.tier]
        return cls(
            tier=sla.tier,
            tier_name=name.zh if locale is Locale.ZH else name.en,
            policy_version=sla.policy_version,
            entries=[_entry(promise, locale) for promise in sla.promises],
        )


def _entry(promise: Promise, locale: Locale) -> EntryRead:
    exceptions = [
        {
            **_targets(narrow, locale),
            "product_line": narrow.entry.product_line,
            "qualifier": narrow.entry.qualifier,
        }
        for narrow in promise.exceptions
    ]
    return EntryRead.model_validate({**_targets(promise, locale), "exceptions": exceptions})


def _targets(promise: Promise, locale: Locale) -> dict[str, object]:
    entry, floor = promise.entry, promise.floor
    return {
        "service_type": entry.service_type,
        "clock": entry.clock,
        "response_seconds": entry.response_seconds,
        "response_days": entry.response_days,
        "resolution_seconds": entry.resolution_seconds,
        "resolution_days": entry.resolution_days,
        "contacts_per_month": entry.contacts_per_month,
        "milestones": [{"name": one.name, "seconds": one.seconds} for one in entry.milestones],
        "automated_first": entry.automated_first,
        "statutory_floor": None if floor is None else _floor(floor),
        "note": entry.note_zh if locale is Locale.ZH else entry.note_en,
    }


def _floor(floor: StatutoryFloor) -> dict[str, object]:
    return {
        "days": floor.days,
        "day_kind": floor.day_kind,
        "source": floor.source,
        "confirmation": floor.confirmation,
    }
