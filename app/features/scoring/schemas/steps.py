"""The steps of a trace in full, for whoever may know every fact it comes from."""

from __future__ import annotations

from pydantic import Field

from app.domain.rules.trace import (
    FailingCell,
    Trace,
    TracedCharacteristic,
    TracedDimension,
    TracedRow,
    TracedTable,
)
from app.domain.tiering.ladder import in_language
from app.features.scoring.schemas.sight import answered
from app.infra.locale import Locale
from app.infra.masking import Open, ReadModel


class SeenRead(ReadModel):
    """One input of a table, and the value that was seen there."""

    input: Open[str] = Field(
        description="A fact, `score`, `dimension.<name>` or an earlier output."
    )
    value: Open[str] = Field(description="The value as documents write it; `null` where none is.")


class FailingCellRead(ReadModel):
    """One condition that the value seen does not meet."""

    input: Open[str] = Field(description="The input.")
    value: Open[str] = Field(description="The value seen.")
    condition: Open[str] = Field(description="What it would have to be, as documents write it.")
    nearest: Open[str | None] = Field(
        description="The closest value that would do; null where values have no order."
    )
    distance: Open[str | None] = Field(
        description="How far away that is: in the input's unit, of dates in days."
    )

    @classmethod
    def of(cls, cell: FailingCell) -> FailingCellRead:
        """One cell."""
        return cls(
            input=cell.seen.input,
            value=cell.seen.text,
            condition=cell.condition,
            nearest=cell.nearest_text,
            distance=cell.distance_text,
        )


class RowRead(ReadModel):
    """One row of a table."""

    rule: Open[str] = Field(description="Its id.")
    answer: Open[str] = Field(description="What it answers.")
    conditions: Open[dict[str, str]] = Field(
        description="What it asks for, by input; an input it leaves out may have any value."
    )
    failing: list[FailingCellRead] = Field(description="The conditions that are not met.")

    @classmethod
    def of(cls, row: TracedRow) -> RowRead:
        """One row."""
        return cls(
            rule=row.rule.id,
            answer=row.rule.then,
            conditions=row.conditions,
            failing=[FailingCellRead.of(cell) for cell in row.failing],
        )


class RowsToldRead(ReadModel):
    """What became of a table's rows."""

    fired: list[RowRead] = Field(
        description="What gave the answer: one row, all that match where the answer is a set, none"
        " where no row matches."
    )
    passed_over: list[RowRead] = Field(
        description="Rows that match too, and come after the one that gave the answer."
    )
    nearest: RowRead | None = Field(
        description="The row that does not match and has the fewest failing conditions; of equal"
        " ones the one with the better answer, then the one declared first."
    )

    @classmethod
    def of(cls, table: TracedTable) -> RowsToldRead:
        """All that is told of one table's rows."""
        return cls(
            fired=[RowRead.of(row) for row in table.fired],
            passed_over=[RowRead.of(row) for row in table.passed_over],
            nearest=None if table.nearest is None else RowRead.of(table.nearest),
        )


class TableTraceRead(ReadModel):
    """How one table came to its answer."""

    table: Open[str] = Field(description="Its id.")
    output: Open[str] = Field(description="What it decides.")
    hit_policy: Open[str] = Field(description="unique, any, first, priority or collect.")
    answer: Open[str | list[str] | None] = Field(description="The answer; null where unmatched.")
    is_unmatched: Open[bool] = Field(description="Whether no row matches.")
    inputs: list[SeenRead] = Field(description="What it reads.")
    rows: RowsToldRead = Field(description="Which rows matched, and which nearly did.")

    @classmethod
    def of(cls, table: TracedTable) -> TableTraceRead:
        """One table."""
        return cls(
            table=table.table.id,
            output=table.table.output.name,
            hit_policy=table.table.hit_policy,
            answer=answered(table.answer),
            is_unmatched=table.is_unmatched,
            inputs=[SeenRead(input=seen.input, value=seen.text) for seen in table.inputs],
            rows=RowsToldRead.of(table),
        )


class CharacteristicTraceRead(ReadModel):
    """The points of one characteristic."""

    characteristic: Open[str] = Field(description="Its id.")
    dimension: Open[str] = Field(description="The dimension it counts for.")
    input: Open[str] = Field(description="The fact it reads.")
    value: Open[str] = Field(description="The value as documents write it; `null` where none is.")
    bin: Open[str] = Field(description="The condition of the bin that holds the value.")
    points: Open[int] = Field(description="Points given.")
    best: Open[int] = Field(description="Points of the best bin.")
    lost: Open[int] = Field(description="Points missing.")
    weight: Open[int] = Field(description="Weight of the dimension, per mille.")
    rank: Open[int] = Field(description="How much the missing points weigh; 0 is no reason.")
    code: Open[str] = Field(description="Code of the reason for missing points.")
    text: Open[str] = Field(description="What it says, in the caller's language.")

    @classmethod
    def of(cls, item: TracedCharacteristic, locale: Locale) -> CharacteristicTraceRead:
        """One characteristic."""
        return cls(
            characteristic=item.characteristic.id,
            dimension=item.characteristic.dimension,
            input=item.seen.input,
            value=item.seen.text,
            bin=item.condition,
            points=item.bin.points,
            best=item.best,
            lost=item.lost,
            weight=item.weight,
            rank=item.rank,
            code=item.reason.code,
            text=in_language(item.reason.text, locale),
        )


class DimensionTraceRead(ReadModel):
    """One dimension: its points, what they can reach, and the score."""

    dimension: Open[str] = Field(description="Its name.")
    weight: Open[int] = Field(description="Per mille of the score.")
    points: Open[int] = Field(description="Sum of the points of its characteristics.")
    lowest: Open[int] = Field(description="The least that anybody's points can sum to.")
    highest: Open[int] = Field(description="The most.")
    score: Open[int] = Field(
        description="1000 × (points − lowest) / (highest − lowest), rounded half up."
    )

    @classmethod
    def of(cls, item: TracedDimension) -> DimensionTraceRead:
        """One dimension."""
        return cls(
            dimension=item.name,
            weight=item.weight,
            points=item.raw,
            lowest=item.low,
            highest=item.high,
            score=item.score,
        )


class TraceRead(ReadModel):
    """The way from facts to answers, step by step."""

    characteristics: list[CharacteristicTraceRead] = Field(description="In the document's order.")
    dimensions: list[DimensionTraceRead] = Field(description="Likewise.")
    weighted: Open[int] = Field(description="Sum over the dimensions of weight × score.")
    score: Open[int] = Field(description="weighted / 1000, rounded half up.")
    tables: list[TableTraceRead] = Field(description="In their order, later ones reading earlier.")

    @classmethod
    def from_domain(cls, trace: Trace, locale: Locale) -> TraceRead:
        """A whole trace."""
        return cls(
            characteristics=[
                CharacteristicTraceRead.of(item, locale) for item in trace.characteristics
            ],
            dimensions=[DimensionTraceRead.of(item) for item in trace.dimensions],
            weighted=trace.weighted,
            score=trace.evaluation.score,
            tables=[TableTraceRead.of(table) for table in trace.tables],
        )
