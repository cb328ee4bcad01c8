"""What can be checked of a document with errors: the tables that could be read.

What they read of parts that have errors is given to them like facts, which may have any value:
nothing is missed by that, though something may be told of a case that turns out never to occur.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.domain.facts.model import Fact, FactType
from app.domain.rules.domains import Domain
from app.domain.rules.findings import Finding, Severity
from app.domain.rules.model import DIMENSION_PREFIX, SCORE, RuleSetDocument
from app.domain.rules.tables import ReadTable

_PLACE = re.compile(r"tables\[([0-9]+)\]")
_REMEDY = "Mend the errors and check again."


@dataclass(frozen=True, slots=True)
class Understood:
    """The part of a document that could be read, as a document without tests.

    ``given`` are the scores and answers that it reads and does not decide, as facts, ``places``
    where its tables stand in the whole document. ``remarks`` name the tables that are left out, and
    those that read what may have any value.
    """

    document: RuleSetDocument
    given: Mapping[str, Fact]
    places: tuple[int, ...]
    remarks: tuple[Finding, ...]

    def placed(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield findings about this part with their places in the whole document."""
        for finding in findings:
            path = _PLACE.sub(lambda found: f"tables[{self.places[int(found[1])]}]", finding.path)
            yield replace(finding, path=path)


def understood(
    document: RuleSetDocument, tables: Sequence[ReadTable], *, is_scored: bool
) -> Understood:
    """Return what could be read of a document.

    A table is left out if it has errors of its own, or reads an output of which not even the
    values could be read. ``is_scored`` says that the scorecard and its weights have no errors.
    """
    scores = (SCORE, *(DIMENSION_PREFIX + name for name in document.dimensions))
    unknown: set[str] = set()
    loose: set[str] = set() if is_scored else set(scores)
    decided: set[str] = set()
    given: dict[str, Domain] = {}
    places: list[int] = []
    remarks: list[Finding] = []
    for at, read in enumerate(tables):
        table = read.table
        lacking = [name for name in table.inputs if name in unknown]
        anything = [name for name in table.inputs if name in loose]
        if lacking or not read.is_sound:
            (loose if read.is_answer_known else unknown).add(table.output.name)
            remarks.append(_left_out(at, table.id, lacking if read.is_sound else ()))
            continue
        places.append(at)
        given |= {name: table.domains[name] for name in anything if name not in decided}
        decided.add(table.output.name)
        if anything:
            loose.add(table.output.name)
            remarks.append(_loosely(at, table.id, anything))
    part = replace(
        document,
        characteristics=document.characteristics if is_scored else (),
        tables=tuple(tables[at].table for at in places),
        tests=(),
        domains={**document.domains, **given},
    )
    facts = {name: _as_fact(name, domain) for name, domain in given.items()}
    return Understood(part, facts, tuple(places), tuple(remarks))


def _left_out(at: int, table: str, lacking: Sequence[str]) -> Finding:
    why = (
        f"it reads {' and '.join(lacking)}, whose values could not be read"
        if lacking
        else "it has errors of its own"
    )
    return Finding(
        f"tables[{at}]",
        "not-checked",
        f"{table or 'This table'} was not checked for gaps, overlaps and dead rows: {why}.",
        _REMEDY,
        severity=Severity.WARNING,
        table=table or None,
    )


def _loosely(at: int, table: str, anything: Sequence[str]) -> Finding:
    return Finding(
        f"tables[{at}]",
        "partly-checked",
        f"{table} was checked as if {' and '.join(anything)} could be anything, since errors"
        " elsewhere leave open what occurs.",
        _REMEDY,
        severity=Severity.INFO,
        table=table,
    )


def _as_fact(name: str, domain: Domain) -> Fact:
    """Return a fact that may have every value of a score or of a table's answer."""
    return Fact(
        name=name,
        type=FactType.INT if domain.is_ordered else FactType.ENUM,
        scale=0,
        unit=None,
        minimum=domain.low,
        maximum=domain.high,
        values=domain.words,
        nullable=domain.nullable,
        sensitivity="internal",
        meaning=name,
        meaning_zh=name,
        source="",
        influenceable=False,
        consent=None,
    )
