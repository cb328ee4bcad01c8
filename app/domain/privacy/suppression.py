"""Small counts of people, and the others that have to be hidden so that those stay hidden."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

K = TypeVar("K")

SMALLEST_TOLD: Final = 10
"""Counts of fewer people are told to nobody who is shown no customer data."""


def is_small(count: int, smallest: int = SMALLEST_TOLD) -> bool:
    """Whether so few people are counted that one might be known by it; nobody is no one."""
    return 0 < count < smallest


def hidden_counts(
    counts: Mapping[K, int], sums: Iterable[Collection[K]], smallest: int = SMALLEST_TOLD
) -> AbstractSet[K]:
    """Which counts of people must not be told.

    These are the small ones, and as few others as keep them from being reckoned: wherever counts
    add up to something known, either all of them are told, or at least two are hidden that come to
    no small number together. Of those that could be hidden besides, the smallest are.

    Args:
        counts: how many people there are of each kind.
        sums: kinds that add up to a number which is known anyhow, or one of which is the sum of the
            others. A kind of which nothing is counted counts nobody.
        smallest: the smallest count that is told.

    >>> sorted(hidden_counts({"a": 4, "b": 30, "c": 90}, [["a", "b", "c"]]))
    ['a', 'b']
    """
    related = [[key for key in one if counts.get(key, 0) > 0] for one in sums]
    hidden = {key for key, count in counts.items() if is_small(count, smallest)}
    changes = True
    while changes:
        changes = False
        for one in related:
            added = _wanted(one, counts, hidden, smallest)
            changes = changes or bool(added)
            hidden |= added
    return hidden


def _wanted(
    related: Collection[K], counts: Mapping[K, int], hidden: AbstractSet[K], smallest: int
) -> set[K]:
    """What must be hidden beside what is hidden of some counts that add up."""
    behind = [key for key in related if key in hidden]
    told = sorted((key for key in related if key not in hidden), key=lambda key: counts[key])
    added: set[K] = set()
    together = sum(counts[key] for key in behind)
    while behind and told and (len(behind) + len(added) < 2 or together < smallest):  # noqa: PLR2004 - one alone is what the others leave.
        key = told.pop(0)
        added.add(key)
        together += counts[key]
    return added
