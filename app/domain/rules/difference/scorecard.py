"""What differs between two scorecards: points by region, however the bins are cut."""

from collections.abc import Mapping

from app.domain.rules.cell_sets import Cell, intersection, union
from app.domain.rules.cells import print_cell
from app.domain.rules.difference.model import (
    Difference,
    Differences,
    Effect,
    Kind,
    changed,
    keyed,
    moved,
)
from app.domain.rules.domains import Domain
from app.domain.rules.model import Characteristic, ReasonText, RuleSetDocument

PATH = "scorecard"


def scorecard_differences(old: RuleSetDocument, new: RuleSetDocument) -> Differences:
    """Yield what differs between the scorecards of two documents."""
    tops = str(old.top_reasons), str(new.top_reasons)
    yield from changed(f"{PATH}.reasons.top", *tops, Effect.DECIDES)
    path = f"{PATH}.characteristics"
    before, after = _on_domains(old), _on_domains(new)
    yield from keyed(path, before, after, _OnDomain.told, _characteristic)
    # Reasons that rank alike are given in this order.
    yield from moved(path, list(before), list(after), Effect.DECIDES)


class _OnDomain:
    """A characteristic with the domain of the fact that it reads."""

    def __init__(self, item: Characteristic, domain: Domain) -> None:
        self.item = item
        self.domain = domain

    def cells(self) -> list[str]:
        """Return the cells of the bins in their order."""
        return [print_cell(bin_.when, self.domain) for bin_ in self.item.bins]

    def bins(self) -> str:
        """Return all bins with their points."""
        points = (bin_.points for bin_ in self.item.bins)
        pairs = zip(self.cells(), points, strict=True)
        return "; ".join(f"{cell}: {number}" for cell, number in pairs)

    def told(self) -> str:
        """Return the whole characteristic in short."""
        return f"{self.item.dimension} by {self.item.input} ({self.bins()})"

    def own_reason(self) -> ReasonText | None:
        """Return the reason of the bin for null, the one bin that may have its own."""
        return next((bin_.reason for bin_ in self.item.bins if bin_.reason), None)


def _on_domains(document: RuleSetDocument) -> Mapping[str, _OnDomain]:
    return {
        item.id: _OnDomain(item, document.domains[item.input]) for item in document.characteristics
    }


def _characteristic(path: str, old: _OnDomain, new: _OnDomain) -> Differences:
    before, after = old.item, new.item
    yield from changed(f"{path}.dimension", before.dimension, after.dimension, Effect.DECIDES)
    yield from changed(f"{path}.input", before.input, after.input, Effect.DECIDES)
    yield from changed(f"{path}.trend", before.trend, after.trend, Effect.WORDS)
    yield from _reason(f"{path}.reason", before.reason, after.reason)
    if old.domain == new.domain:
        yield from _points(f"{path}.bins", old, new)
        yield from _cut(f"{path}.bins", old, new)
    else:
        yield from changed(f"{path}.bins", old.bins(), new.bins(), Effect.DECIDES)
    yield from _reason(f"{path}.bins[null].reason", old.own_reason(), new.own_reason())


def _reason(path: str, old: ReasonText | None, new: ReasonText | None) -> Differences:
    before, after = (
        (None, None, None) if reason is None else (reason.code, reason.text.en, reason.text.zh)
        for reason in (old, new)
    )
    yield from changed(f"{path}.code", before[0], after[0], Effect.DECIDES)
    yield from changed(f"{path}.en", before[1], after[1], Effect.WORDS)
    yield from changed(f"{path}.zh", before[2], after[2], Effect.WORDS)


def _points(path: str, old: _OnDomain, new: _OnDomain) -> Differences:
    """Yield, for each change of points, the values that it is for."""
    domain = new.domain
    regions: dict[tuple[int, int], Cell] = {}
    for before in old.item.bins:
        for after in new.item.bins:
            shared = intersection(domain, before.when, after.when)
            if before.points != after.points and not shared.is_empty:
                points = before.points, after.points
                known = regions.get(points, Cell(has_null=False))
                regions[points] = union(domain, known, shared)
    for (before_points, after_points), cell in sorted(regions.items(), key=lambda item: item[0]):
        yield Difference(
            f"{path}[{print_cell(cell, domain)}].points",
            Kind.CHANGED,
            str(before_points),
            str(after_points),
            Effect.DECIDES,
        )


def _cut(path: str, old: _OnDomain, new: _OnDomain) -> Differences:
    """Yield that values are cut into other bins; points that change by it are told by region."""
    before, after = old.cells(), new.cells()
    if before == after:
        return
    kind = Kind.MOVED if sorted(before) == sorted(after) else Kind.CHANGED
    yield Difference(path, kind, " | ".join(before), " | ".join(after), Effect.WORDS)
