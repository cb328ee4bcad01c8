"""The way to a stored decision, masked so that nothing is told that the decision itself hides.

What is told is made of the rule set, of facts that the viewer is shown in clear, and of what
`DecisionRead` shows him; nothing else about the customer bears on it. So of a table that reads
anything else, by however many steps, no row is told: not which fired, and not which nearly did,
whose failing cells would say what the others hold.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field
from pydantic.types import UUID7

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.masks import BANDS
from app.domain.privacy.roles import Viewer
from app.domain.privacy.sensitive import Sensitive
from app.domain.rules.model import DIMENSION_PREFIX, SCORE
from app.domain.rules.trace import Seen, Trace, TracedCharacteristic, TracedDimension, TracedTable
from app.domain.tiering.explanation import reason_piece
from app.domain.tiering.record import GivenReason
from app.features.customers.service import Subject
from app.features.scoring.schemas.decision import DecidingRuleSetRead
from app.features.scoring.schemas.sight import Class, Sight, answered
from app.features.scoring.schemas.steps import RowsToldRead
from app.features.scoring.service import TracedDecision
from app.features.tiers.schemas import ReasonRead, ReasonTeller, least_shown
from app.infra.locale import Locale
from app.infra.masking import Derived, Internal, MaskedRead, Open, ReadModel, internal


class SeenMaskedRead(ReadModel):
    """One input of a table, and the value that was seen there."""

    input: Internal[str] = Field(
        description="A fact, `score`, `dimension.<name>` or an earlier output."
    )
    value: Derived[str] = Field(description="The value; a band where that is all to see.")


class DecidedTableRead(ReadModel):
    """How one table came to its answer."""

    table: Internal[str] = Field(description="Its id.")
    output: Internal[str] = Field(description="What it decides.")
    hit_policy: Internal[str] = Field(description="unique, any, first, priority or collect.")
    answer: Derived[str | list[str]] = Field(description="The answer; null where unmatched.")
    inputs: list[SeenMaskedRead] = Field(description="What it reads.")
    rows: Internal[RowsToldRead] = Field(
        description="Which rows matched, and which nearly did; null where any fact behind the table"
        " is banded or withheld."
    )


class DecidedCharacteristicRead(ReadModel):
    """The points of one characteristic."""

    characteristic: Internal[str] = Field(description="Its id.")
    dimension: Internal[str] = Field(description="The dimension it counts for.")
    input: Internal[str] = Field(description="The fact it reads.")
    value: Derived[str] = Field(description="The value; a band where that is all to see.")
    bin: Derived[str] = Field(description="The condition of the bin that holds the value.")
    best: Internal[int] = Field(description="Points of the best bin.")
    weight: Internal[int] = Field(description="Weight of the dimension, per mille.")
    rank: Derived[int] = Field(description="How much the missing points weigh; 0 is no reason.")
    reason: ReasonRead = Field(description="The points given and missing, and what they say.")


class DecidedDimensionRead(ReadModel):
    """One dimension: its points, what they can reach, and the score."""

    dimension: Internal[str] = Field(description="Its name.")
    weight: Internal[int] = Field(description="Per mille of the score.")
    points: Internal[int] = Field(description="Sum of the points of its characteristics.")
    lowest: Internal[int] = Field(description="The least that anybody's points can sum to.")
    highest: Internal[int] = Field(description="The most.")
    score: Internal[int] = Field(
        description="1000 × (points − lowest) / (highest − lowest), rounded half up."
    )


class DecisionTraceRead(MaskedRead):
    """The way from the facts of then to a decision, step by step."""

    decision_id: Open[UUID7] = Field(description="The decision.")
    customer_id: Open[str] = Field(description="The customer, by the id he is stored under.")
    rule_set: DecidingRuleSetRead = Field(description="What decided.")
    data_as_of: Open[date] = Field(description="Business day of the facts.")
    characteristics: list[DecidedCharacteristicRead] = Field(
        description="In the order of the rule set."
    )
    dimensions: list[DecidedDimensionRead] = Field(description="Likewise.")
    weighted: Internal[int] = Field(description="Sum over the dimensions of weight × score.")
    score: Internal[int] = Field(description="weighted / 1000, rounded half up.")
    tables: list[DecidedTableRead] = Field(
        description="In their order, later ones reading earlier."
    )

    @classmethod
    def from_domain(
        cls, traced: TracedDecision, subject: Subject, locale: Locale
    ) -> DecisionTraceRead:
        """The trace of a stored decision, ready to be masked for who looks at the customer."""
        record, trace = traced.stored.record, traced.trace
        teller = _Teller(traced, subject.viewer, locale)
        return cls(
            decision_id=record.id,
            customer_id=subject.customer_id,
            rule_set=DecidingRuleSetRead(
                id=internal(record.rule_set.id),
                version=internal(record.rule_set.version),
                hash=internal(record.rule_set.hash),
            ),
            data_as_of=record.as_of,
            characteristics=[teller.characteristic(item) for item in trace.characteristics],
            dimensions=[teller.dimension(item) for item in trace.dimensions],
            weighted=teller.weighted(trace),
            score=internal(trace.evaluation.score),
            tables=[teller.table(table) for table in trace.tables],
        )


class _Teller:
    """Tells the steps of one trace to one viewer, in one language."""

    def __init__(self, traced: TracedDecision, viewer: Viewer, locale: Locale) -> None:
        self._document = traced.stored.rule_set.compiled.document
        self._viewer = viewer
        self._sight = Sight(self._document, viewer)
        self._reasons = ReasonTeller(self._document, viewer, locale)

    def characteristic(self, item: TracedCharacteristic) -> DecidedCharacteristicRead:
        """One characteristic; its bin and rank tell the value as its points do."""
        given = GivenReason(item.reason.code, item.characteristic.id, item.bin.points, item.lost)
        sensitivity = self._class_of(item.seen.input)
        return DecidedCharacteristicRead(
            characteristic=internal(item.characteristic.id),
            dimension=internal(item.characteristic.dimension),
            input=internal(item.seen.input),
            value=self._fact(item.seen),
            bin=Sensitive(sensitivity, item.condition),
            best=internal(item.best),
            weight=internal(item.weight),
            rank=Sensitive(sensitivity, item.rank),
            reason=self._reasons.read(reason_piece(given, self._document)),
        )

    def dimension(self, item: TracedDimension) -> DecidedDimensionRead:
        """One dimension; its points are a finer form of its score."""
        is_shown = self._sight.shows_dimension(item.name)
        return DecidedDimensionRead(
            dimension=internal(item.name),
            weight=internal(item.weight),
            points=internal(item.raw) if is_shown else Sensitive.sealed(Class.INTERNAL),
            lowest=internal(item.low),
            highest=internal(item.high),
            score=self._sight.dimension(item.name, item.score, item.score),
        )

    def weighted(self, trace: Trace) -> Sensitive[int]:
        """The sum before it is rounded, which tells more of a hidden dimension than the score."""
        if all(self._sight.shows_dimension(item.name) for item in trace.dimensions):
            return internal(trace.weighted)
        return Sensitive.sealed(Class.INTERNAL)

    def table(self, table: TracedTable) -> DecidedTableRead:
        """One table; all about its rows, or nothing."""
        output = table.table.output.name
        is_shown = self._sight.shows_rules(output)
        return DecidedTableRead(
            table=internal(table.table.id),
            output=internal(output),
            hit_policy=internal(table.table.hit_policy.value),
            answer=self._sight.outcome(output, answered(table.answer)),
            inputs=[
                SeenMaskedRead(input=internal(seen.input), value=self._seen(seen))
                for seen in table.inputs
            ],
            rows=internal(RowsToldRead.of(table)) if is_shown else Sensitive.sealed(Class.INTERNAL),
        )

    def _seen(self, seen: Seen) -> Sensitive[str]:
        """The value at an input, in the form it has where it is told by itself."""
        if seen.input in CATALOGUE:
            return self._fact(seen)
        if seen.input == SCORE:
            return internal(seen.text)
        if seen.input.startswith(DIMENSION_PREFIX):
            name = seen.input.removeprefix(DIMENSION_PREFIX)
            return self._sight.dimension(name, int(seen.text), seen.text)
        return self._sight.outcome(seen.input, seen.text)

    def _fact(self, seen: Seen) -> Sensitive[str]:
        """A fact; amounts of money have bands."""
        is_banded = CATALOGUE[seen.input].unit == "money" and seen.value is not None
        band = BANDS["premium"].band(Decimal(seen.text)) if is_banded else None
        return Sensitive(self._class_of(seen.input), seen.text, band=band)

    def _class_of(self, fact: str) -> Class:
        """The class of what is told of a fact among steps, which are for staff."""
        return least_shown(self._viewer, Class.INTERNAL, Class(CATALOGUE[fact].sensitivity))
