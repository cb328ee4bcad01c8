"""What a customer is granted, in his language; nothing of how he is judged."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from app.domain.benefits.catalogue import GrantedBenefit
from app.domain.tiering.ladder import LADDER, in_language
from app.features.benefits.service import TierBenefits
from app.infra.locale import Locale
from app.infra.masking import MaskedRead, Open, ReadModel


class BenefitRead(ReadModel):
    """One benefit and how much of it there is."""

    code: Open[str] = Field(description="Stable code.")
    kind: Open[str] = Field(description="What kind of benefit it is.")
    name: Open[str] = Field(description="Its name.")
    text: Open[str] = Field(description="What it is.")
    quota: Open[int | None] = Field(description="Uses in a period; null is as needed.", ge=1)
    period: Open[str | None] = Field(description="month, quarter or year.")


class NextTierBenefitsRead(ReadModel):
    """What the next better tier would add."""

    tier: Open[str] = Field(description="The next better tier.")
    tier_name: Open[str] = Field(description="Its name.")
    adds: list[BenefitRead] = Field(description="Benefits that are new, or of which there is more.")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the benefits, by which tier, with which one above it."""

    customer_id: str
    tier: str
    next_tier: str | None


class BenefitsRead(MaskedRead):
    """A customer's benefits, and what the next tier would add."""

    customer_id: Open[str] = Field(description="The customer, by the id he is stored under.")
    tier: Open[str] = Field(description="The tier that serves.")
    tier_name: Open[str] = Field(description="Its name.")
    benefits: list[BenefitRead] = Field(description="What the tier grants, in order of display.")
    next_tier: NextTierBenefitsRead | None = Field(description="Null at the top of the ladder.")

    @classmethod
    def from_domain(cls, found: TierBenefits, holder: Holder, locale: Locale) -> BenefitsRead:
        """The benefits of a customer, in one language."""
        above = holder.next_tier
        return cls(
            customer_id=holder.customer_id,
            tier=holder.tier,
            tier_name=in_language(LADDER.display_names[holder.tier], locale),
            benefits=[_benefit(item, locale) for item in found.granted],
            next_tier=None
            if above is None
            else NextTierBenefitsRead(
                tier=above,
                tier_name=in_language(LADDER.display_names[above], locale),
                adds=[_benefit(item, locale) for item in found.added_by_next],
            ),
        )


def _benefit(item: GrantedBenefit, locale: Locale) -> BenefitRead:
    benefit, grant = item.benefit, item.grant
    is_chinese = locale is Locale.ZH
    return BenefitRead(
        code=benefit.code,
        kind=benefit.kind,
        name=benefit.name_zh if is_chinese else benefit.name_en,
        text=benefit.text_zh if is_chinese else benefit.text_en,
        quota=grant.quota,
        period=grant.period,
    )
