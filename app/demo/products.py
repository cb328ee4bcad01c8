"""The products of the proportions as arrays, so that draws index them by position."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.demo.dice import Flags, Floats, Ints
from app.demo.proportions import Cover, Product, Proportions

_RATED_FROM, _RATED_TO, _RATED_BAND = 25, 74, 5


@dataclass(frozen=True)
class ProductTable:
    """Products and covers by position, in the order of the data file."""

    proportions: Proportions

    @cached_property
    def codes(self) -> list[str]:
        """Product codes."""
        return list(self.proportions.products)

    @cached_property
    def products(self) -> list[Product]:
        """Products."""
        return list(self.proportions.products.values())

    @cached_property
    def covers(self) -> list[Cover]:
        """Covers."""
        return list(self.proportions.covers.values())

    @cached_property
    def cover_of(self) -> Ints:
        """Position of each product's cover."""
        codes = list(self.proportions.covers)
        return np.array([codes.index(product.cover) for product in self.products])

    @cached_property
    def corporate(self) -> Flags:
        """Covers for corporates."""
        return np.array([cover.kind == "corporate" for cover in self.covers])

    @cached_property
    def long_term(self) -> Flags:
        """Products that run for life or decades."""
        return np.array([product.long_term for product in self.products])

    @cached_property
    def lasting_covers(self) -> Flags:
        """Covers whose products run for life or decades."""
        lasting = np.zeros(len(self.covers), dtype=np.bool_)
        lasting[self.cover_of[self.long_term]] = True
        return lasting

    @cached_property
    def age_rated(self) -> Flags:
        """Products whose premium grows with the insured's age."""
        return np.array([product.age_rated for product in self.products])

    @cached_property
    def lost(self) -> Floats:
        """Chance of a due annual term not to be renewed."""
        return np.array([product.lost for product in self.products])

    @cached_property
    def automatic(self) -> Floats:
        """Share of renewals without the customer's own act."""
        return np.array([product.automatic for product in self.products])

    @cached_property
    def persons(self) -> Flags:
        """Products that insure a person."""
        return np.array([product.line in {"health", "life"} for product in self.products])

    @cached_property
    def life_cover(self) -> int:
        """Position of the life cover, whose policies may have a single premium and top-ups."""
        return list(self.proportions.covers).index("life")

    def shares_of(self, cover: int) -> Floats:
        """Share of each product within a cover; 0 for those of other covers."""
        shares = np.array([product.share for product in self.products])
        return np.where(self.cover_of == cover, shares, 0.0)


def age_rate(age: Ints) -> Floats:
    """Medical premium against that of age 30: fourfold at 60, in steps of five years."""
    bounded = np.clip(age, _RATED_FROM, _RATED_TO)
    middle = bounded // _RATED_BAND * _RATED_BAND + (_RATED_BAND - 1) / 2
    return np.asarray(4.0 ** ((middle - 30) / 30), dtype=np.float64)
