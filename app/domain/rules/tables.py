"""Reading the decision tables of a document."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.domain.facts.model import Fact
from app.domain.rules.cell_sets import Cell, everything
from app.domain.rules.domains import SCORE_DOMAIN, Domain, domain_of, output_domain
from app.domain.rules.findings import Finding
from app.domain.rules.model import (
    DIMENSION_PREFIX,
    SCORE,
    HitPolicy,
    Output,
    Rule,
    Table,
)
from app.domain.rules.reading import ROW_ID, VALUE, Reader
from app.domain.rules.scorecard import entry_name
from app.domain.words import MANDATORY_OUTPUTS, SET_OUTPUTS

_PLACE = re.compile(r"tables\[([0-9]+)\](?:\.rules\[([^\]]+)\])?")


@dataclass(slots=True)
class _Names:
    """What a table may read: facts, scores and the outputs of the tables before it."""

    catalogue: Mapping[str, Fact]
    dimensions: Sequence[str]
    outputs: dict[str, Table] = field(default_factory=dict)

    def domain(self, name: str) -> Domain | str:
        """Return the input's domain, or say what is wrong with the name."""
        if name in self.outputs:
            table = self.outputs[name]
            if table.hit_policy is HitPolicy.COLLECT:
                return f"{name} is a set of answers; a cell compares a single value."
            return output_domain(table.output.values, complete=table.complete)
        if name in self.catalogue:
            return domain_of(self.catalogue[name])
        if name in (SCORE, *(DIMENSION_PREFIX + dimension for dimension in self.dimensions)):
            return SCORE_DOMAIN
        return f"{name} is no fact, no score and no output of an earlier table."

    def is_taken(self, name: str) -> bool:
        """Say whether an output may not have this name."""
        return name in self.catalogue or name == SCORE or name in self.outputs


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A table as far as it could be read: all of it, or at least what answers it can give."""

    table: Table
    is_sound: bool
    is_answer_known: bool


def read_tables(
    reader: Reader, entries: list[object], catalogue: Mapping[str, Fact], dimensions: Sequence[str]
) -> tuple[ReadTable, ...]:
    """Read the ``tables`` part; findings go to the reader."""
    names = _Names(catalogue, dimensions)
    found: list[ReadTable] = []
    for at, raw in enumerate(entries):
        found.append(_table(reader, raw, f"tables[{at}]", names))
        table = found[-1].table
        names.outputs[table.output.name] = table
    tables = [each.table for each in found]
    reader.unique([table.id for table in tables], "tables")
    for name in MANDATORY_OUTPUTS:
        _check_mandatory(reader, name, tables)
    _check_sets(reader, tables)
    return tuple(found)


def located(findings: Iterable[Finding], tables: Sequence[Table]) -> Iterator[Finding]:
    """Yield findings with the ids of the table and the row in which their places lie."""
    for finding in findings:
        place = _PLACE.match(finding.path)
        # A field that nobody knows may have any name, that of a table which is not there, too.
        if place is None or int(place[1]) >= len(tables):
            yield finding
        else:
            table, row = tables[int(place[1])], place[2]
            rows = (row,) if row in {rule.id for rule in table.rules} else ()
            yield replace(finding, table=table.id or None, rules=rows)


def _check_sets(reader: Reader, tables: list[Table]) -> None:
    """Refuse single answers where a customer's profile lists what a decision stores."""
    for at, table in enumerate(tables):
        if table.output.name in SET_OUTPUTS and table.hit_policy is not HitPolicy.COLLECT:
            reader.report(
                f"tables[{at}].hit_policy",
                "set-output",
                f"The table {table.id} gives one of {table.output.name}, a customer has any number"
                " of them.",
                "Use hit_policy: collect.",
            )


def _check_mandatory(reader: Reader, name: str, tables: list[Table]) -> None:
    for at, table in enumerate(tables):
        if table.output.name != name:
            continue
        if not table.complete:
            reader.report(
                f"tables[{at}].complete",
                "mandatory-output",
                f"The table for {name} must be complete.",
                "Write complete: true and let the rows take every case.",
            )
        if table.hit_policy is HitPolicy.COLLECT:
            reader.report(
                f"tables[{at}].hit_policy",
                "mandatory-output",
                f"A customer has one {name}, a set is no answer.",
                "Use another hit policy.",
            )
        _check_answers(reader, name, table, f"tables[{at}].output.values")
        return
    reader.report(
        "tables",
        "mandatory-output",
        f"No table decides {name}.",
        f"Every rule set decides {', '.join(MANDATORY_OUTPUTS)}.",
    )


def _check_answers(reader: Reader, name: str, table: Table, path: str) -> None:
    """Refuse answers for which decisions have no word, before a run fails at writing one."""
    known = MANDATORY_OUTPUTS[name]
    for at, value in enumerate(table.output.values):
        if value and value not in known:
            reader.report(
                f"{path}[{at}]",
                "unstorable-outcome",
                f"{value} is no {name} that decisions store.",
                f"Use {', '.join(known)}.",
            )
    ranks = [known.index(value) for value in table.output.values if value in known]
    # What would lift a tier goes by this order, and so must be the order in which tiers serve.
    if name == "tier" and ranks != sorted(ranks):
        reader.report(
            path,
            "tier-order",
            "The tiers do not stand in their order.",
            f"List the best first, as in {', '.join(known)}.",
        )


def _table(reader: Reader, raw: object, path: str, names: _Names) -> ReadTable:
    before = reader.reported
    fields = reader.fields(
        raw, path, ("id", "output", "inputs", "rules"), optional=("hit_policy", "complete")
    )
    output = _output(reader, fields, f"{path}.output", names)
    policies = [policy.value for policy in HitPolicy]
    policy = HitPolicy(reader.choice(fields, "hit_policy", f"{path}.hit_policy", policies))
    complete = reader.flag(fields, "complete", f"{path}.complete")
    is_answer_known = reader.reported == before
    name = reader.name(fields, "id", f"{path}.id")
    domains = _domains(reader, fields, f"{path}.inputs", names)
    rows = reader.items(fields, "rules", f"{path}.rules")
    rules = tuple(
        _rule(reader, row, f"{path}.rules[{entry_name(row, at)}]", (domains, output))
        for at, row in enumerate(rows)
    )
    reader.unique([rule.id for rule in rules], f"{path}.rules")
    known = {key: domain for key, domain in domains.items() if domain is not None}
    table = Table(name, output, policy, complete, tuple(known), known, rules)
    return ReadTable(table, reader.reported == before, is_answer_known)


def _output(reader: Reader, raw: Mapping[str, object], path: str, names: _Names) -> Output:
    if "output" not in raw:
        return Output("", ())
    fields = reader.fields(raw["output"], path, ("name", "values"))
    name = reader.name(fields, "name", f"{path}.name")
    if names.is_taken(name):
        reader.report(
            f"{path}.name",
            "name-taken",
            f"{name} is a fact, a score or the output of another table.",
            "Give the output a name of its own.",
        )
    values = tuple(
        reader.name({"value": value}, "value", f"{path}.values[{at}]", VALUE)
        for at, value in enumerate(reader.items(fields, "values", f"{path}.values"))
    )
    reader.unique(values, f"{path}.values", "duplicate-value")
    return Output(name, values)


def _domains(
    reader: Reader, fields: Mapping[str, object], path: str, names: _Names
) -> dict[str, Domain | None]:
    """Return the domain of each declared input, None where the name means nothing."""
    domains: dict[str, Domain | None] = {}
    for at, raw in enumerate(reader.items(fields, "inputs", path)):
        name = reader.text({"input": raw}, "input", f"{path}[{at}]")
        if name in domains:
            reader.report(f"{path}[{at}]", "duplicate-id", f"{name} occurs twice.", "Drop one.")
            continue
        domain = names.domain(name)
        if isinstance(domain, str):
            reader.report(
                f"{path}[{at}]",
                "unknown-input",
                domain,
                "Read a fact, score, dimension.<name> or an output decided before.",
            )
        domains[name] = None if isinstance(domain, str) else domain
    return domains


def _rule(
    reader: Reader, raw: object, path: str, table: tuple[dict[str, Domain | None], Output]
) -> Rule:
    domains, output = table
    fields = reader.fields(raw, path, ("id", "then"), optional=("when",))
    name = reader.name(fields, "id", f"{path}.id", ROW_ID)
    when: dict[str, Cell] = {}
    for key, text in reader.mapping(fields, "when", f"{path}.when").items():
        if key not in domains:
            reader.report(
                f"{path}.when.{key[:60]}",
                "undeclared-input",
                f"{key[:60]} is not among the table's inputs.",
                "Add it to inputs, or correct the name.",
            )
        elif (domain := domains[key]) is not None:
            cell = reader.cell(text, f"{path}.when.{key}", domain)
            if cell != everything(domain):
                when[key] = cell
    then = fields.get("then")
    if then not in output.values:
        reader.choice(fields, "then", f"{path}.then", output.values)
    return Rule(name, when, then if isinstance(then, str) else "")
