"""Reading the tests that a document carries."""

from collections.abc import Mapping, Sequence

from app.domain.facts.model import Fact, FactValue
from app.domain.rules.cells import value_of
from app.domain.rules.domains import SCORE_DOMAIN, Kind, domain_of
from app.domain.rules.findings import DocumentError
from app.domain.rules.literals import CellError
from app.domain.rules.model import DIMENSION_PREFIX, SCORE, Example, HitPolicy, Table
from app.domain.rules.reading import Reader
from app.domain.rules.values import fact_value


def read_examples(
    reader: Reader,
    entries: Sequence[object],
    catalogue: Mapping[str, Fact],
    tables: Sequence[Table],
    dimensions: Sequence[str],
) -> tuple[Example, ...]:
    """Read the ``tests`` part; findings go to the reader."""
    scores = (SCORE, *(DIMENSION_PREFIX + name for name in dimensions))
    outputs = {table.output.name: table for table in tables}
    examples: list[Example] = []
    for at, raw in enumerate(entries):
        path = f"tests[{at}]"
        fields = reader.fields(raw, path, ("in", "expect"))
        facts = _facts(reader, fields, f"{path}.in", catalogue)
        expect = {
            name: _answer(reader, value, (f"{path}.expect.{name}", name), (scores, outputs))
            for name, value in reader.mapping(fields, "expect", f"{path}.expect").items()
        }
        if not expect and "expect" in fields:
            reader.report(f"{path}.expect", "empty", "Nothing is expected.", "Name an outcome.")
        examples.append(Example(facts, expect))
    return tuple(examples)


def read_facts(raw: Mapping[str, object], catalogue: Mapping[str, Fact]) -> dict[str, FactValue]:
    """Read facts by name, written as documents write them in their tests.

    Raises DocumentError with everything that is wrong, each at ``facts.<name>``.
    """
    reader = Reader()
    facts = _facts(reader, {"in": raw}, "facts", catalogue)
    if reader.findings:
        raise DocumentError(reader.findings)
    return facts


def _facts(
    reader: Reader, fields: Mapping[str, object], path: str, catalogue: Mapping[str, Fact]
) -> dict[str, FactValue]:
    facts: dict[str, FactValue] = {}
    for name, raw in reader.mapping(fields, "in", path).items():
        if name not in catalogue:
            reader.report(
                f"{path}.{name[:60]}",
                "unknown-fact",
                f"{name[:60]} is not in the facts catalogue.",
                "Correct the name.",
            )
        else:
            value = _value(reader, raw, f"{path}.{name}", catalogue[name])
            # A fact that is said to be null is the same as one left out.
            facts.update({} if value is None else {name: value})
    return facts


def _value(reader: Reader, raw: object, path: str, fact: Fact) -> FactValue:
    """Read a fact as YAML writes it: whole numbers and true/false bare, decimals as text."""
    if raw is None and fact.nullable:
        return None
    if isinstance(raw, bool):
        raw = "true" if raw else "false"
    elif isinstance(raw, int):
        raw = str(raw)
    domain = domain_of(fact)
    if not isinstance(raw, str):
        null = "null is" if raw is None else f"{type(raw).__name__} is"
        reader.report(
            path,
            "wrong-type",
            f"A {null} not a value of {fact.name}.",
            'Write decimals and dates in quotes, like "3.2" or "2027-01-31".',
        )
        return None
    if raw == "null" and fact.nullable and domain.kind is not Kind.TEXT:
        return None
    try:
        return fact_value(domain, value_of(raw, domain))
    except CellError as error:
        reader.report(path, error.code, error.message, error.remedy)
        return None


def _answer(
    reader: Reader,
    raw: object,
    place: tuple[str, str],
    known: tuple[Sequence[str], Mapping[str, Table]],
) -> int | str | tuple[str, ...] | None:
    path, name = place
    scores, outputs = known
    if name in scores:
        return reader.integer({name: raw}, name, path, (SCORE_DOMAIN.low, SCORE_DOMAIN.high))
    if name not in outputs:
        reader.report(
            path,
            "unknown-outcome",
            f"{name[:60]} is no score and no output.",
            f"Known are {', '.join((*scores, *outputs))}.",
        )
        return None
    values = outputs[name].output.values
    if outputs[name].hit_policy is HitPolicy.COLLECT:
        wanted = [
            reader.choice({name: item}, name, f"{path}[{at}]", values)
            for at, item in enumerate(raw if isinstance(raw, list | tuple) else [raw])
        ]
        return tuple(value for value in values if value in wanted)
    return None if raw is None else reader.choice({name: raw}, name, path, values)
