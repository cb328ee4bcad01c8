"""One difference, and the two ways in which most of them come about."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeVar

T = TypeVar("T")


class Kind(StrEnum):
    """What became of a part."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


class Effect(StrEnum):
    """What a difference can bear on.

    DECIDES: a score, an answer, a reason given, or when a downgrade takes effect. TESTS: the
    document's own tests. WORDS: neither, such as texts, claims that are proved, profiles of
    weights that are not switched on, and an order that means nothing.
    """

    DECIDES = "decides"
    WORDS = "words"
    TESTS = "tests"


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that differs.

    ``path`` names it by ids (``tables[segment].rules[SEG1].when.premium_ratio``). ``before`` and
    ``after`` are its canonical texts, None where it was not or is no more.
    """

    path: str
    kind: Kind
    before: str | None
    after: str | None
    effect: Effect

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.path}: {self.after}"
        return f"{self.path}: {self.before} → {'none' if self.after is None else self.after}"


Differences: TypeAlias = Iterator[Difference]


def changed(path: str, before: str | None, after: str | None, effect: Effect) -> Differences:
    """Yield the difference of two texts, if there is one."""
    if before == after:
        return
    kind = Kind.ADDED if before is None else Kind.REMOVED if after is None else Kind.CHANGED
    yield Difference(path, kind, before, after, effect)


def keyed(
    path: str,
    before: Mapping[str, T],
    after: Mapping[str, T],
    told: Callable[[T], str],
    compared: Callable[[str, T, T], Differences],
) -> Differences:
    """Yield what differs between entries that have ids, whatever their order.

    ``told`` is the text of an entry that is on one side only, which decides; ``compared`` takes
    the path of one on both, and the two.
    """
    for name in dict.fromkeys((*after, *before)):
        place = f"{path}[{name}]"
        if name not in before:
            yield Difference(place, Kind.ADDED, None, told(after[name]), Effect.DECIDES)
        elif name not in after:
            yield Difference(place, Kind.REMOVED, told(before[name]), None, Effect.DECIDES)
        else:
            yield from compared(place, before[name], after[name])


def moved(path: str, before: Sequence[str], after: Sequence[str], effect: Effect) -> Differences:
    """Yield how the entries on both sides stand otherwise: those from the first to the last.

    Entries of one side only are passed over.
    """
    shared = set(before) & set(after)
    old = [name for name in before if name in shared]
    new = [name for name in after if name in shared]
    while old and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    if old:
        yield Difference(path, Kind.MOVED, ", ".join(old), ", ".join(new), effect)
