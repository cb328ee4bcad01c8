"""Reading the scorecard: characteristics, their bins, and what bins must satisfy."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.facts.model import Fact
from app.domain.rules.cell_sets import Cell, complement, first_value, intersection, union
from app.domain.rules.cells import print_cell
from app.domain.rules.domains import Domain, domain_of
from app.domain.rules.findings import Side
from app.domain.rules.model import Bin, Characteristic, ReasonText, Text, Trend
from app.domain.rules.reading import REASON_CODE, ROW_ID, Reader
from app.domain.rules.values import fact_value, value_text

MAX_POINTS = 10_000
MAX_TOP_REASONS = 20


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The parsed ``scorecard`` part of a document; ``sound`` are those without an error."""

    top_reasons: int
    characteristics: tuple[Characteristic, ...]
    sound: tuple[Characteristic, ...] = ()


def read_scorecard(reader: Reader, raw: object, catalogue: Mapping[str, Fact]) -> Scorecard:
    """Read the ``scorecard`` part; findings go to the reader."""
    path = "scorecard"
    fields = reader.fields(raw, path, ("reasons", "characteristics"))
    reasons = reader.fields(fields.get("reasons", {"top": 1}), f"{path}.reasons", ("top",))
    top = reader.integer(reasons, "top", f"{path}.reasons.top", (1, MAX_TOP_REASONS))
    entries = reader.items(fields, "characteristics", f"{path}.characteristics")
    characteristics: list[Characteristic] = []
    sound: list[Characteristic] = []
    for at, entry in enumerate(entries):
        before = reader.reported
        characteristics.append(_characteristic(reader, entry, at, catalogue))
        sound += characteristics[-1:] if reader.reported == before else []
    reader.unique([item.id for item in characteristics], f"{path}.characteristics")
    codes = [item.reason.code for item in characteristics]
    codes += [bin_.reason.code for item in characteristics for bin_ in item.bins if bin_.reason]
    reader.unique(codes, f"{path}.characteristics", "duplicate-code")
    return Scorecard(top, tuple(characteristics), tuple(sound))


def read_text(reader: Reader, raw: object, path: str) -> Text:
    """Read a text that must exist in both languages."""
    fields = reader.fields(raw, path, ("en", "zh"))
    return Text(
        en=reader.text(fields, "en", f"{path}.en"), zh=reader.text(fields, "zh", f"{path}.zh")
    )


def _characteristic(
    reader: Reader, raw: object, at: int, catalogue: Mapping[str, Fact]
) -> Characteristic:
    place = f"scorecard.characteristics[{entry_name(raw, at)}]"
    fields = reader.fields(
        raw, place, ("id", "dimension", "input", "reason", "bins"), optional=("trend",)
    )
    name = reader.name(fields, "id", f"{place}.id")
    dimension = reader.name(fields, "dimension", f"{place}.dimension")
    trend = (
        reader.choice(fields, "trend", f"{place}.trend", [item.value for item in Trend])
        if "trend" in fields
        else Trend.NONE
    )
    reason = _reason(reader, fields.get("reason"), f"{place}.reason", known="reason" in fields)
    source = reader.text(fields, "input", f"{place}.input")
    bins: tuple[Bin, ...] = ()
    if source in catalogue:
        bins = _bins(reader, fields, place, source, domain_of(catalogue[source]))
    elif "input" in fields:
        reader.report(
            f"{place}.input",
            "unknown-fact",
            f"{source} is not in the facts catalogue.",
            "A characteristic reads one fact of the catalogue.",
        )
    return Characteristic(name, dimension, source, Trend(trend), reason, bins)


def entry_name(raw: object, at: int) -> str:
    """Return what a path calls an entry: its id where it has a sensible one, else its place."""
    name = raw.get("id") if isinstance(raw, Mapping) else None
    return name if isinstance(name, str) and ROW_ID.fullmatch(name) else str(at)


def _reason(reader: Reader, raw: object, path: str, *, known: bool) -> ReasonText:
    if not known:
        return ReasonText("", Text("?", "?"))
    fields = reader.fields(raw, path, ("code", "en", "zh"))
    texts = Text(
        en=reader.text(fields, "en", f"{path}.en"), zh=reader.text(fields, "zh", f"{path}.zh")
    )
    return ReasonText(reader.name(fields, "code", f"{path}.code", REASON_CODE), texts)


def _bins(
    reader: Reader, fields: Mapping[str, object], place: str, name: str, domain: Domain
) -> tuple[Bin, ...]:
    path = f"{place}.bins"
    before = reader.reported
    bins = tuple(
        _bin(reader, raw, f"{path}[{at}]", domain)
        for at, raw in enumerate(reader.items(fields, "bins", path))
    )
    # A bin that could not be read stands in as "-", which would overlap with every other.
    if bins and reader.reported == before:
        _check_bins(reader, bins, path, name, domain)
    return bins


def _bin(reader: Reader, raw: object, path: str, domain: Domain) -> Bin:
    fields = reader.fields(raw, path, ("when", "points"), optional=("reason",))
    when = reader.cell(fields.get("when", "-"), f"{path}.when", domain)
    points = reader.integer(fields, "points", f"{path}.points", (-MAX_POINTS, MAX_POINTS))
    if "reason" not in fields:
        return Bin(when, points)
    if when != Cell(has_null=True):
        reader.report(
            f"{path}.reason",
            "reason-not-null",
            "Only the bin for null alone may carry its own reason.",
            'Write the reason at the characteristic, or make the bin "null".',
        )
    return Bin(when, points, _reason(reader, fields["reason"], f"{path}.reason", known=True))


def _check_bins(
    reader: Reader, bins: tuple[Bin, ...], path: str, name: str, domain: Domain
) -> None:
    covered = Cell(has_null=False)
    for at, bin_ in enumerate(bins):
        twice = intersection(domain, covered, bin_.when)
        if not twice.is_empty:
            _report_bin(
                reader,
                (f"{path}[{at}].when", "bin-overlap"),
                f"{print_cell(twice, domain)} is in an earlier bin, too.",
                _parted(bin_.when, twice, domain),
                Side(name, twice, domain),
            )
        covered = union(domain, covered, bin_.when)
    missing = complement(domain, covered)
    if not missing.is_empty:
        text = print_cell(missing, domain)
        _report_bin(
            reader,
            (path, "bin-gap"),
            f"No bin takes {text}.",
            f'Add a bin with when: "{text}", or move a bound.',
            Side(name, missing, domain),
        )
    if domain.nullable and not covered.has_null:
        _report_bin(
            reader,
            (path, "bin-null"),
            "No bin takes null, but the fact may be null.",
            'Add a bin with when: "null".',
            Side(name, Cell(has_null=True), domain),
        )


def _parted(when: Cell, twice: Cell, domain: Domain) -> str:
    """Say what a bin is left with that other bins do not take."""
    kept = intersection(domain, when, complement(domain, twice))
    left = Cell(when.has_null and not twice.has_null, kept.spans, kept.words, kept.others)
    if left.is_empty:
        return "Remove this bin, or move a bound."
    return f'Let its when be "{print_cell(left, domain)}", or move the bound of the other.'


def _report_bin(
    reader: Reader, place: tuple[str, str], message: str, remedy: str, side: Side
) -> None:
    """Report what is wrong with the bins of a fact, and one of its values that shows it."""
    example = first_value(side.cell)
    text = value_text(side.domain, None if example is None else fact_value(side.domain, example))
    reader.report_values(place, (message, remedy), side, text)
