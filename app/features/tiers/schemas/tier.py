"""The tier that serves a customer."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.domain.privacy.classes import SensitivityClass
from app.domain.privacy.roles import Viewer
from app.domain.privacy.sensitive import Sensitive
from app.domain.tiering.override import OverrideInForce
from app.domain.words import GRADE_BANDS, OverrideMode
from app.features.tiers.schemas.ladder import DisplayNameRead
from app.features.tiers.schemas.sight import amount, class_of, code, sees_internal
from app.features.tiers.service import Lift, PendingOverride, ServedTier
from app.infra.masking import Derived, Internal, MaskedRead, Open, ReadModel, Risk, internal


class TierOverrideRead(ReadModel):
    """The temporary replacement of a tier that is in force."""

    id: Open[UUID] = Field(description="Its id.")
    mode: Open[OverrideMode] = Field(
        description="pin: its tier; floor: no lower one; ceiling: no better one."
    )
    until: Open[date] = Field(description="First business day it no longer serves.")


class PendingOverrideRead(BaseModel):
    """A requested replacement that waits for its approvals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: UUID = Field(description="Its id.")
    mode: OverrideMode = Field(description="How it would replace.")
    tier: str = Field(description="The tier that is asked for.")


class LiftRead(ReadModel):
    """The smallest change of one fact that would lift the tier; GENERAL where it is withheld."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    fact: Derived[str] = Field(description="Name of the fact, as in GET /v1/facts.")
    current: Derived[str] = Field(alias="from", description="Its value now; money may be a band.")
    wanted: Derived[str] = Field(alias="to", description="The value that would do.")
    reaches: Open[str] = Field(description="The tier it would reach.")

    @classmethod
    def of(cls, lift: Lift) -> LiftRead:
        """A change, ready to be masked by the class of its fact."""
        return cls.assemble(
            fact=code(class_of(lift.fact), lift.fact),
            current=amount(lift.fact, lift.current),
            wanted=amount(lift.fact, lift.wanted),
            reaches=lift.reaches,
        )


class NextTierRead(ReadModel):
    """The tier above, and what would reach it."""

    tier: Open[str] = Field(description="The next better tier.")
    gap: list[LiftRead] = Field(description="Single changes that would reach it; for staff only.")


class RuleSetRead(ReadModel):
    """The rule set version that decided."""

    id: Internal[str] = Field(description="Its id.")
    version: Internal[int] = Field(description="Its version.")


class TierRead(MaskedRead):
    """The tier that serves a customer, and how far it can be relied on."""

    customer_id: Open[str] = Field(description="The customer, by the id he is stored under.")
    tier: Open[str] = Field(description="The tier that serves.")
    display_name: DisplayNameRead = Field(description="What people read.")
    segment: Internal[str] = Field(description="Value segment.")
    life_cycle_stage: Internal[str] = Field(description="Life-cycle stage.")
    next_review_on: Internal[date] = Field(
        description="Business day a person looks at the customer's prospects again, if any."
    )
    since: Open[date] = Field(description="Business day the tier began to serve.")
    source: Open[str] = Field(
        description="evaluated; override: people decided; grace: a downgrade waits, the old tier"
        " serves."
    )
    evaluated_tier: Internal[str] = Field(
        description="The tier that would serve without the override in force; null without one."
    )
    grace_until: Internal[date] = Field(description="Business day a waiting downgrade is due.")
    override: TierOverrideRead | None = Field(
        description="The override in force, if any; it may leave the tier as it is."
    )
    pending_override: Internal[PendingOverrideRead] = Field(description="A requested one, if any.")
    next_tier: NextTierRead | None = Field(description="Null at the top of the ladder.")
    score: Internal[int] = Field(description="Weighted score, 0 to 1000.")
    risk_grade: Risk[str] = Field(description="A is the lowest risk; low, medium, high as band.")
    rule_set: RuleSetRead = Field(description="What decided.")
    evaluated_at: Open[datetime] = Field(
        description="Newest evaluation, or newest applied whole-book run that found no change."
    )
    data_as_of: Open[date] = Field(description="Business day of the facts.")
    stale: Open[bool] = Field(
        description="Too old to rely on, or another rule set came into force since."
    )

    @classmethod
    def from_domain(cls, served: ServedTier, customer_id: str, viewer: Viewer) -> TierRead:
        """The tier of a customer, ready to be masked; only staff is told what would lift it."""
        stored = served.stored
        override = stored.override
        return cls.assemble(
            customer_id=customer_id,
            tier=stored.tier,
            display_name=DisplayNameRead.of(stored.tier),
            segment=internal(stored.segment),
            life_cycle_stage=internal(stored.life_cycle_stage),
            next_review_on=internal(served.next_review_on),
            since=stored.since,
            source=stored.source,
            grace_until=internal(stored.grace_until),
            evaluated_tier=internal(None if override is None else stored.held_tier),
            override=None if override is None else _override(override),
            pending_override=internal(None if stored.pending is None else _pending(stored.pending)),
            next_tier=_next_tier(served, viewer),
            score=internal(stored.score),
            risk_grade=Sensitive(
                SensitivityClass.RISK, stored.risk_grade, band=GRADE_BANDS[stored.risk_grade]
            ),
            rule_set=RuleSetRead.assemble(
                id=internal(stored.rule_set_id), version=internal(stored.rule_set_version)
            ),
            evaluated_at=served.evaluated_at,
            data_as_of=served.data_as_of,
            stale=served.stale,
        )


def _override(override: OverrideInForce) -> TierOverrideRead:
    return TierOverrideRead.assemble(id=override.id, mode=override.mode, until=override.until)


def _pending(pending: PendingOverride) -> PendingOverrideRead:
    return PendingOverrideRead(id=pending.id, mode=pending.mode, tier=pending.tier)


def _next_tier(served: ServedTier, viewer: Viewer) -> NextTierRead | None:
    if served.next_tier is None:
        return None
    lifts = served.lifts if sees_internal(viewer) else ()
    return NextTierRead.assemble(tier=served.next_tier, gap=[LiftRead.of(lift) for lift in lifts])
