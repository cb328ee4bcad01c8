"""The ladder of tiers, and the names people read."""

from __future__ import annotations

from functools import cache

from pydantic import Field

from app.domain.tiering.ladder import LADDER
from app.infra.masking import Open, ReadModel


class DisplayNameRead(ReadModel):
    """A tier's name in both languages."""

    en: Open[str] = Field(description="In English.")
    zh: Open[str] = Field(description="In Chinese.")

    @classmethod
    @cache
    def of(cls, tier: str) -> DisplayNameRead:
        """The names of a tier of the ladder."""
        name = LADDER.display_names[tier]
        return cls(en=name.en, zh=name.zh)


class StepRead(ReadModel):
    """One tier of the ladder."""

    tier: Open[str] = Field(description="The tier, as it is named everywhere else.")
    position: Open[int] = Field(description="1 is the best tier.", ge=1)
    display_name: DisplayNameRead = Field(description="What people read.")


class LadderRead(ReadModel):
    """All tiers, the best first."""

    items: list[StepRead] = Field(description="The tiers.")

    @classmethod
    def shipped(cls) -> LadderRead:
        """The ladder of this deployment."""
        return cls(
            items=[
                StepRead(tier=tier, position=position, display_name=DisplayNameRead.of(tier))
                for position, tier in enumerate(LADDER.tiers, start=1)
            ]
        )
