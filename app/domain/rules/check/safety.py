"""What keeps a rule set from deciding: claims of its tables that do not hold."""

from collections.abc import Sequence
from itertools import islice

from app.domain.rules.compiled import CompiledRuleSet, CompiledTable
from app.domain.rules.findings import Finding
from app.domain.rules.limits import Limits
from app.domain.rules.model import HitPolicy
from app.domain.rules.partition import Partition
from app.domain.rules.proof import InconclusiveError, find_gap, find_overlaps
from app.domain.rules.values import value_text

MAX_OVERLAPS = 20


def unsafe(compiled: CompiledRuleSet, limits: Limits) -> list[Finding]:
    """Return the errors that make a rule set unsafe to execute."""
    findings: list[Finding] = []
    for at, table in enumerate(compiled.tables):
        partitions = [compiled.inputs[slot] for slot in table.slots]
        findings += prove_table(table, partitions, f"tables[{at}]", limits)
    return findings


def prove_table(
    compiled: CompiledTable, inputs: Sequence[Partition], path: str, limits: Limits
) -> list[Finding]:
    """Return what a table claims and does not keep: gaps and overlaps, each with a witness."""
    table = compiled.table
    findings: list[Finding] = []
    if table.complete:
        try:
            gap = find_gap(compiled.masks, len(table.rules), limits.proof_steps)
        except InconclusiveError:
            findings.append(
                Finding(
                    path,
                    "inconclusive",
                    f"{table.id} is too large to prove that it takes every case.",
                    "Split the table, or let the last row take the rest under hit policy first.",
                )
            )
        else:
            if gap is not None:
                findings.append(_gap_finding(path, _witness(compiled, inputs, gap)))
    if table.hit_policy in (HitPolicy.UNIQUE, HitPolicy.ANY):
        findings += _overlap_findings(compiled, inputs, path)
    return findings


def _gap_finding(path: str, witness: tuple[tuple[str, str], ...]) -> Finding:
    return Finding(
        path,
        "gap",
        f"The table is complete, but no row matches {_in_words(witness)}.",
        "Add a row for it or move a bound.",
        witness,
    )


def _overlap_findings(
    compiled: CompiledTable, inputs: Sequence[Partition], path: str
) -> list[Finding]:
    table = compiled.table
    answers = [rule.then for rule in table.rules]
    is_any = table.hit_policy is HitPolicy.ANY
    findings = []
    overlaps = find_overlaps(compiled.masks, answers if is_any else None, len(table.rules))
    for first, second, classes in islice(overlaps, MAX_OVERLAPS):
        rules = table.rules[first], table.rules[second]
        same = rules[0].then == rules[1].then
        witness = _witness(compiled, inputs, classes)
        findings.append(
            Finding(
                f"{path}.rules[{rules[1].id}]",
                "overlap-same" if same else "overlap-conflict",
                f"{rules[0].id} and {rules[1].id} both match {_in_words(witness)}.",
                "Let the rows exclude each other, or choose another hit policy.",
                witness,
            )
        )
    return findings


def _witness(
    compiled: CompiledTable, inputs: Sequence[Partition], classes: Sequence[int]
) -> tuple[tuple[str, str], ...]:
    """Name one value per column from the table's own classes."""
    named: list[tuple[str, str]] = []
    for partition, own, wanted in zip(inputs, compiled.columns, classes, strict=True):
        value = partition.representatives[own.index(wanted)]
        named.append((partition.name, value_text(partition.domain, value)))
    return tuple(named)


def _in_words(witness: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in witness)
