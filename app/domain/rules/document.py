"""Reading a rule-set document: raw YAML or JSON data in, a checked document or findings out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.domain.facts.model import Fact
from app.domain.rules.domains import Domain, domain_of
from app.domain.rules.examples import read_examples
from app.domain.rules.findings import DocumentError, Finding
from app.domain.rules.model import (
    FORMAT,
    Characteristic,
    DowngradeStep,
    Example,
    RuleSetDocument,
    Stability,
    Table,
)
from app.domain.rules.overlay import Resolve, resolve_extends
from app.domain.rules.paths import check_paths
from app.domain.rules.reading import DOCUMENT_ID, NAME, VERSION, Reader
from app.domain.rules.scorecard import Scorecard, read_scorecard, read_text
from app.domain.rules.tables import located, read_tables
from app.domain.rules.understood import Understood, understood
from app.domain.words import RULE_SET_LINES

PER_MILLE = 1000
MAX_DAYS = 3660
_REQUIRED = (
    "format",
    "id",
    "product_line",
    "title",
    "objective",
    "objectives",
    "scorecard",
    "tables",
    "stability",
)
_SCORING = frozenset({"scorecard", "objectives", "objective"})


@dataclass(frozen=True, slots=True)
class Reading:
    """A document as far as it could be read.

    If there are no ``findings`` the ``document`` is all of it, else placeholders stand in it for
    what is wrong. ``characteristics`` are those without an error.
    """

    findings: tuple[Finding, ...]
    document: RuleSetDocument
    characteristics: tuple[Characteristic, ...]
    understood: Understood


def parse_document(
    raw: Mapping[str, object], catalogue: Mapping[str, Fact], resolve: Resolve | None = None
) -> RuleSetDocument:
    """Read a document as YAML or JSON gives it, resolving what it extends.

    ``resolve`` returns the raw document for a reference such as ``motor@1``. Raises
    DocumentError with everything that is wrong. Whether tables are complete and free of overlaps
    is proved by `compile_rule_set`.
    """
    reading = read_document(raw, catalogue, resolve)
    if reading.findings:
        raise DocumentError(reading.findings)
    return reading.document


def read_document(
    raw: Mapping[str, object], catalogue: Mapping[str, Fact], resolve: Resolve | None = None
) -> Reading:
    """Read as much of a document as can be; see `parse_document`.

    Raises DocumentError only where what it extends cannot be resolved.
    """
    resolved, lineage = resolve_extends(raw, resolve)
    reader = Reader()
    fields = reader.fields(resolved, "", _REQUIRED, optional=("tests", "risk_model"))
    reader.choice(fields, "format", "format", (FORMAT,))
    before = reader.reported
    scorecard = Scorecard(1, ())
    if "scorecard" in fields:
        scorecard = read_scorecard(reader, fields["scorecard"], catalogue)
    dimensions = tuple(dict.fromkeys(item.dimension for item in scorecard.characteristics))
    objectives = _objectives(reader, fields, dimensions)
    objective = reader.choice(fields, "objective", "objective", tuple(objectives))
    is_scored = fields.keys() >= _SCORING and reader.reported == before
    read = read_tables(reader, reader.items(fields, "tables", "tables"), catalogue, dimensions)
    tables = tuple(each.table for each in read)
    examples = read_examples(
        reader,
        reader.items(fields, "tests", "tests", may_be_empty=True),
        catalogue,
        tables,
        dimensions,
    )
    document = RuleSetDocument(
        id=reader.name(fields, "id", "id", DOCUMENT_ID),
        product_line=reader.choice(fields, "product_line", "product_line", RULE_SET_LINES),
        title=read_text(reader, fields.get("title", {"en": "?", "zh": "?"}), "title"),
        objective=objective,
        objectives=objectives,
        top_reasons=scorecard.top_reasons,
        characteristics=scorecard.characteristics,
        tables=tables,
        stability=_stability(reader, fields),
        tests=examples,
        domains=_domains(catalogue, scorecard, tables, examples),
        risk_model=reader.name(fields, "risk_model", "risk_model", VERSION) or None,
        lineage=lineage,
    )
    part = understood(document, read, is_scored=is_scored)
    findings = (*located(reader.findings, tables), *_paths(part, catalogue))
    return Reading(findings, document, scorecard.sound, part)


def _paths(part: Understood, catalogue: Mapping[str, Fact]) -> Iterator[Finding]:
    """Yield the forbidden paths of what could be read."""
    reader = Reader()
    check_paths(reader, part.document, catalogue)
    yield from part.placed(located(reader.findings, part.document.tables))


def _objectives(
    reader: Reader, fields: Mapping[str, object], dimensions: tuple[str, ...]
) -> dict[str, dict[str, int]]:
    objectives: dict[str, dict[str, int]] = {}
    for name, raw in reader.mapping(fields, "objectives", "objectives").items():
        path = f"objectives.{reader.name({'name': name}, 'name', 'objectives', NAME)}"
        # Without a readable scorecard no dimension is known, and nothing can be said here.
        profile = reader.fields(raw, path, dimensions) if dimensions else {}
        weights = {
            dimension: reader.integer(profile, dimension, f"{path}.{dimension}", (0, PER_MILLE))
            for dimension in dimensions
            if dimension in profile
        }
        total = sum(weights.values())
        if dimensions and len(weights) == len(dimensions) and total != PER_MILLE:
            reader.report(
                path,
                "weights-sum",
                f"The weights sum to {total} per mille.",
                f"Let them sum to {PER_MILLE}.",
            )
        objectives[name] = weights
    if "objectives" in fields and not objectives:
        reader.report("objectives", "empty", "There is no profile of weights.", "Add one.")
    return objectives


def _stability(reader: Reader, fields: Mapping[str, object]) -> Stability:
    days = ("downgrade_cooldown_days", "grace_days", "min_dwell_days")
    part: dict[str, object] = {}
    if "stability" in fields:
        part = reader.fields(fields["stability"], "stability", (*days, "downgrade_step"))
    read = {name: reader.integer(part, name, f"stability.{name}", (0, MAX_DAYS)) for name in days}
    steps = [step.value for step in DowngradeStep]
    return Stability(
        downgrade_cooldown_days=read["downgrade_cooldown_days"],
        downgrade_step=DowngradeStep(
            reader.choice(part, "downgrade_step", "stability.downgrade_step", steps)
        ),
        grace_days=read["grace_days"],
        min_dwell_days=read["min_dwell_days"],
    )


def _domains(
    catalogue: Mapping[str, Fact],
    scorecard: Scorecard,
    tables: Sequence[Table],
    examples: Sequence[Example],
) -> dict[str, Domain]:
    named = [item.input for item in scorecard.characteristics]
    named += [name for table in tables for name in table.inputs]
    named += [name for example in examples for name in example.facts]
    return {name: domain_of(catalogue[name]) for name in named if name in catalogue}
