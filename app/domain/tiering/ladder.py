"""The tiers in order, best first, with the names people read."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.domain.errors import Invalid
from app.domain.rules.model import Text
from app.domain.words import TIERS


def in_language(text: Text, language: str) -> str:
    """The Chinese text for any `zh…` language tag, the English one otherwise.

    >>> in_language(Text("Gold", "黄金"), "zh-CN")
    '黄金'
    """
    return text.zh if language.lower().startswith("zh") else text.en


@dataclass(frozen=True, slots=True)
class Ladder:
    """Display names by tier, in order from the best tier to the lowest."""

    display_names: Mapping[str, Text]

    @property
    def tiers(self) -> tuple[str, ...]:
        """All tiers, best first."""
        return tuple(self.display_names)

    def position(self, tier: str) -> int:
        """0 for the best tier; raises `Invalid` for a tier that is not on the ladder."""
        try:
            return self.tiers.index(tier)
        except ValueError:
            detail = f"The ladder has no tier of that name; it has {', '.join(self.tiers)}."
            raise Invalid("unknown-tier", detail) from None

    def is_better(self, tier: str, than: str) -> bool:
        """Whether `tier` stands above `than`."""
        return self.position(tier) < self.position(than)

    def below(self, tier: str) -> str:
        """The next tier down; the lowest tier stays where it is."""
        return self.tiers[min(self.position(tier) + 1, len(self.tiers) - 1)]

    def above(self, tier: str) -> str | None:
        """The next tier up, or None at the top."""
        position = self.position(tier)
        return None if position == 0 else self.tiers[position - 1]


_DISPLAY_NAMES: Final = {
    "diamond": Text("Diamond", "钻石"),
    "gold": Text("Gold", "黄金"),
    "standard": Text("Standard", "标准"),
}

LADDER: Final = Ladder(MappingProxyType({tier: _DISPLAY_NAMES[tier] for tier in TIERS}))
"""The ladder the service ships with.

>>> LADDER.below("diamond"), LADDER.above("diamond"), LADDER.is_better("gold", "standard")
('gold', None, True)
"""
