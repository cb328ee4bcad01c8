"""Why a customer has his tier, in the caller's language."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from app.domain.privacy.roles import Viewer
from app.domain.privacy.sensitive import Sensitive
from app.domain.rules.model import Text
from app.domain.tiering.explanation import LiftPiece, fact_name
from app.domain.tiering.ladder import LADDER, in_language
from app.features.tiers.schemas.reason import ReasonRead, ReasonTeller
from app.features.tiers.schemas.sight import GENERAL_TEXT, class_of, code, sees_internal
from app.features.tiers.service import ExplainedTier
from app.infra.locale import Locale
from app.infra.masking import Derived, Internal, MaskedRead, Open, ReadModel, internal

BASIS: Final = Text(
    "The tier follows from the contracts held, how long and how steadily, and from the contact"
    " with us. Health, lifestyle and suspicions never lower a tier, nor do claims alone; price and"
    " cover do not depend on the tier.",
    "等级依据所持保单、持有时间与稳定性以及与我们的互动情况评定。健康、生活习惯及任何怀疑均不会降低等级，"
    "理赔本身也不会；价格与保障不因等级而异。",
)
OBJECTION: Final = Text(
    "The tier was decided by automated means. The customer may ask for an explanation, object, and"
    " have a person review it.",
    "等级由自动化方式评定。客户有权要求说明、提出异议，并要求人工复核。",
)
BASIS_DECIDED: Final = Text(
    "Tiers follow in general from the contracts held, how long and how steadily, and from the"
    " contact with us; this one was decided by people instead. Price and cover do not depend on the"
    " tier.",
    "等级一般依据所持保单、持有时间与稳定性以及与我们的互动情况评定；本次等级改由人工决定。"
    "价格与保障不因等级而异。",
)
OBJECTION_DECIDED: Final = Text(
    "The tier was decided by people, in place of the automated evaluation. The customer may ask for"
    " an explanation, object, and have it reviewed.",
    "等级由人工决定，以替代自动化评定。客户有权要求说明、提出异议，并要求复核。",
)


class LiftTextRead(ReadModel):
    """One change that would lift the tier; GENERAL where its class is withheld."""

    fact: Derived[str] = Field(description="Name of the fact, or GENERAL.")
    reaches: Open[str] = Field(description="The tier it would reach.")
    text: Derived[str] = Field(description="What would have to change.")


class ExplanationRead(MaskedRead):
    """An explanation in the language of the answer."""

    customer_id: Open[str] = Field(description="The customer, by the id he is stored under.")
    tier: Open[str] = Field(description="The tier that serves.")
    tier_name: Open[str] = Field(description="What people read.")
    text: Open[str] = Field(description="The tier, and since when.")
    override: Open[str | None] = Field(
        description="That people decided the tier, what, and until when; null where they did not."
    )
    evaluated: Internal[str] = Field(description="The tier that would serve without them.")
    basis: Open[str] = Field(description="What tiers follow from in general.")
    objection: Open[str] = Field(description="What the customer may do about it.")
    segment: Internal[str] = Field(description="The value segment.")
    waiting: Internal[str] = Field(description="A downgrade that waits, and until when.")
    held_by: Internal[str] = Field(description="What keeps the tier meanwhile.")
    reasons: list[ReasonRead] = Field(description="Why not more points, the weightiest first.")
    lifts: list[LiftTextRead] = Field(description="What would lift the tier; for staff only.")
    no_lift: Internal[str] = Field(description="Why nothing would, where nothing would.")
    rule_set: Internal[str] = Field(description="What decided, and on what was known when.")

    @classmethod
    def from_domain(
        cls, explained: ExplainedTier, customer_id: str, viewer: Viewer, locale: Locale
    ) -> ExplanationRead:
        """An explanation, ready to be masked; only staff is told what would lift the tier."""
        said, speaker = explained.explanation, _Speaker(locale)
        teller = ReasonTeller(explained.document, viewer, locale)
        lifts = said.lifts if sees_internal(viewer) else ()
        decided = said.override is not None
        return cls(
            customer_id=customer_id,
            tier=explained.stored.tier,
            tier_name=speaker.say(LADDER.display_names[explained.stored.tier]),
            text=speaker.say(said.tier),
            override=None if said.override is None else speaker.say(said.override),
            evaluated=speaker.internal(said.evaluated),
            basis=speaker.say(BASIS_DECIDED if decided else BASIS),
            objection=speaker.say(OBJECTION_DECIDED if decided else OBJECTION),
            segment=speaker.internal(said.segment),
            waiting=speaker.internal(said.waiting),
            held_by=speaker.internal(said.held_by),
            reasons=[teller.read(piece) for piece in said.reasons],
            lifts=[speaker.lift(piece) for piece in lifts],
            no_lift=speaker.internal(said.no_lift),
            rule_set=speaker.internal(said.rule_set),
        )


class _Speaker:
    """Says the pieces of one explanation in one language."""

    def __init__(self, locale: Locale) -> None:
        self._locale = locale

    def say(self, text: Text) -> str:
        """The text in the language of the answer."""
        return in_language(text, self._locale)

    def internal(self, text: Text | None) -> Sensitive[str]:
        """A text for staff."""
        return internal(None if text is None else self.say(text))

    def lift(self, piece: LiftPiece) -> LiftTextRead:
        """One change, of the class of its fact."""
        sensitivity = class_of(piece.fact)
        return LiftTextRead(
            fact=code(sensitivity, piece.fact),
            reaches=piece.reaches,
            text=Sensitive(
                sensitivity,
                self.say(piece.text),
                band=self.say(fact_name(piece.fact)),
                masked=self.say(GENERAL_TEXT),
            ),
        )
