"""Points that go against the trend that a characteristic declares."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from app.domain.rules.cell_sets import Cell
from app.domain.rules.check.listing import listed
from app.domain.rules.check.words import box_text
from app.domain.rules.domains import Domain, ordered_text
from app.domain.rules.findings import Finding, Severity, Side
from app.domain.rules.model import Characteristic, Trend

Step = tuple[Cell, int]
"""Values of an input next to each other, and the points that they get."""


def trend_findings(
    characteristics: Iterable[Characteristic], domains: Mapping[str, Domain]
) -> list[Finding]:
    """Return as ``non-monotone`` every step in which points fall where they should rise.

    Null stands beside the order and is left out. Words are ordered as the catalogue lists them;
    open text has no order.
    """
    findings: list[Finding] = []
    for item in characteristics:
        if item.trend is not Trend.NONE:
            findings += _of(item, domains[item.input])
    return findings


def steps(item: Characteristic, domain: Domain) -> list[Step]:
    """Return the values in their order, as far as they have one, with their points."""
    if domain.is_ordered:
        spans = sorted((span, bin_.points) for bin_ in item.bins for span in bin_.when.spans)
        return [(Cell(has_null=False, spans=(span,)), points) for span, points in spans]
    points_of = {word: bin_.points for bin_ in item.bins for word in bin_.when.words}
    return [(Cell(has_null=False, words=(word,)), points_of[word]) for word in domain.words]


def _of(item: Characteristic, domain: Domain) -> list[Finding]:
    sign = 1 if item.trend is Trend.INCREASING else -1
    against = [
        (before, after)
        for before, after in pairwise(steps(item, domain))
        if sign * (after[1] - before[1]) < 0
    ]

    def build(pair: tuple[Step, Step]) -> Finding:
        (lower, had), (higher, has) = pair
        sides = (Side(item.input, higher, domain),)
        before = box_text((Side(item.input, lower, domain),))
        most = "at least" if item.trend is Trend.INCREASING else "at most"
        return Finding(
            f"scorecard.characteristics[{item.id}].bins",
            "non-monotone",
            f"{item.id} is {item.trend.value}, but {box_text(sides)} gets {has} points after {had}"
            f" for {before}.",
            f"Give {box_text(sides)} {most} {had} points, or write trend: none.",
            ((item.input, _first(higher, domain)),),
            Severity.WARNING,
            box=sides,
        )

    return listed(against, build)


def _first(cell: Cell, domain: Domain) -> str:
    return ordered_text(domain, cell.spans[0][0]) if cell.spans else cell.words[0]
