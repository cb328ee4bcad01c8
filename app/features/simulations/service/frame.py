"""A batch of the book under two sets of rules: what is counted of it, and who moves."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from uuid import UUID

import polars as pl

from app.domain.facts.frame import ArrowStream
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.frame import evaluate
from app.domain.tiering.frame import deciding_line
from app.domain.tiering.ladder import LADDER
from app.features.reevaluation.service.frame import Held, served, with_standings
from app.features.simulations.service.plan import Decider, Plan
from app.features.simulations.service.report import UNKNOWN, Attribute
from app.features.simulations.service.tally import OWN, Answered, Cell, Group, Tally

_BEFORE: Final = "line.before"
_AFTER: Final = "line.after"
_OUTCOME: Final = "outcome."
_ERROR: Final = "input_error"
_SEGMENT: Final = "outcome.segment"
_VIEWS: Final = ("evaluated_before", "evaluated_after", "serving_before", "serving_after")
#: What stability and overrides read of a customer.
_STANDING: Final = ("before.", "override.")
_PEOPLE: Final = pl.Schema(
    {"customer_id": pl.String, "gender": pl.String, "city": pl.String, "channel": pl.String}
)
#: First year of age of each band but the youngest; ten years tell less than the bands of birth.
_AGES: Final = (18, 30, 40, 50, 60, 70)
_POSITIONS: Final = {tier: position for position, tier in enumerate(LADDER.tiers)}
_CENTS: Final = 100


@dataclass(frozen=True, slots=True)
class Movers:
    """The customers of a batch whose tier differs."""

    rows: pl.DataFrame

    def __len__(self) -> int:
        return self.rows.height

    def csv(self, simulation_id: UUID, columns: Sequence[str]) -> bytes:
        """The rows as they are stored of a simulation."""
        cents = pl.col("premium")
        money = pl.concat_str(
            (cents // _CENTS).cast(pl.String),
            pl.lit("."),
            (cents % _CENTS).cast(pl.String).str.zfill(2),
        )
        written = self.rows.with_columns(money, simulation_id=pl.lit(str(simulation_id)))
        buffer = io.BytesIO()
        written.select(columns).write_csv(buffer, include_header=False)
        return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Compared:
    """A batch after evaluation under both sets of rules."""

    tally: Tally
    movers: Movers


def compare(facts: ArrowStream, held: Held, people: ArrowStream, plan: Plan) -> Compared:
    """Decide on a batch of facts twice, and count what differs.

    For whom the same rule set decides before and after, it decides once.

    Args:
        facts: customer id and every fact.
        held: what stands of the same customers.
        people: what else is known of them, as `repository.PEOPLE_QUERY` gives it.
        plan: what decides.
    """
    batch = with_standings(facts, held).join(
        pl.DataFrame(people).cast(_PEOPLE), on="customer_id", how="left", maintain_order="left"
    )
    tally, moved = Tally(customers=batch.height), []
    lines = batch.with_columns(
        deciding_line(plan.before).alias(_BEFORE), deciding_line(plan.after).alias(_AFTER)
    )
    for (old, new), part in lines.partition_by([_BEFORE, _AFTER], as_dict=True).items():
        pair = _Pair(plan, plan.before[str(old)], plan.after[str(new)])
        moved.append(pair.compare(part, tally))
    movers = Movers(pl.concat(moved))
    tally.movers = len(movers)
    return Compared(tally, movers)


@dataclass(frozen=True, slots=True)
class _Pair:
    """What decides for some customers before and after."""

    plan: Plan
    before: Decider
    after: Decider

    @property
    def is_same(self) -> bool:
        """Whether nothing can change for them."""
        return self.before.hash == self.after.hash

    def compare(self, part: pl.DataFrame, tally: Tally) -> pl.DataFrame:
        """Count the customers, and give those who move."""
        if self.plan.is_candidate(self.after):
            tally.decided += part.height
            tally.inside.update(dict(enumerate(self.plan.counter.count(part))))
        before = evaluate(self.before.compiled, part, explain=False)
        after = before if self.is_same else evaluate(self.after.compiled, part, explain=False)
        if self.is_same:
            tally.undecided += part.height
        mask = _sound(before, after, part, self.plan, tally)
        part, before = part.filter(mask), before.filter(mask)
        after = before if self.is_same else after.filter(mask)
        compared = part.select(
            "customer_id",
            line=_AFTER,
            segment=before[_SEGMENT],
            premium="annual_premium",
        ).hstack(self._tiers(part, before, after))
        _count_cells(compared, OWN, tally)
        _count_groups(compared, part, tally)
        _count_answers(before, after, tally)
        for name, weighed in self.plan.objectives.items():
            other = self._weighed(weighed, part, after)
            tiers = self._tiers(part, before, other)
            _count_cells(compared.drop(_VIEWS).hstack(tiers), name, tally)
        return compared.filter(
            (pl.col("evaluated_before") != pl.col("evaluated_after"))
            | (pl.col("serving_before") != pl.col("serving_after"))
        )

    def _weighed(
        self, weighed: CompiledRuleSet, part: pl.DataFrame, after: pl.DataFrame
    ) -> pl.DataFrame:
        """What comes of the candidate under another objective; others have none of its names."""
        if not self.plan.is_candidate(self.after):
            return after
        return evaluate(weighed, part, explain=False)

    def _tiers(self, part: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
        """The tiers in both views, before and after."""
        old = self._served(part, before, self.before)
        new = old if after is before else self._served(part, after, self.after)
        return pl.DataFrame(
            [
                old["tier_evaluated"].alias("evaluated_before"),
                new["tier_evaluated"].alias("evaluated_after"),
                old["tier_applied"].alias("serving_before"),
                new["tier_applied"].alias("serving_after"),
            ]
        )

    def _served(self, part: pl.DataFrame, outputs: pl.DataFrame, decider: Decider) -> pl.DataFrame:
        standing = [name for name in part.columns if name.startswith(_STANDING)]
        decided = part.select(standing).with_columns(outputs["outcome.tier"])
        return served(decided, decider.compiled.document.stability, self.plan.as_of)


def _sound(
    before: pl.DataFrame, after: pl.DataFrame, part: pl.DataFrame, plan: Plan, tally: Tally
) -> pl.Series:
    """Who can be compared; who cannot be is counted."""
    tally.errors_before.update(before[_ERROR].drop_nulls().to_list())
    tally.errors_after.update(after[_ERROR].drop_nulls().to_list())
    judged = before[_ERROR].is_null() & after[_ERROR].is_null()
    refused = (part["before.evaluated_on"] > plan.as_of).fill_null(value=False)
    tally.unjudged += int((~judged).sum())
    tally.refused += int((judged & refused).sum())
    return judged & ~refused


def _count_cells(compared: pl.DataFrame, objective: str, tally: Tally) -> None:
    names = ["line", "segment", *_VIEWS]
    counted = (
        compared.with_columns(pl.col("segment").fill_null(UNKNOWN))
        .group_by(names)
        .agg(pl.len().alias("number"), pl.col("premium").fill_null(0).sum().alias("money"))
    )
    for *values, number, money in counted.iter_rows():
        cell = Cell(objective, *values)
        tally.cells[cell] += number
        tally.premiums[cell] += money


def _count_groups(compared: pl.DataFrame, part: pl.DataFrame, tally: Tally) -> None:
    """How the customers of each group move by the rules alone."""
    old, new = (
        pl.col(name).replace_strict(_POSITIONS, return_dtype=pl.Int8)
        for name in ("evaluated_before", "evaluated_after")
    )
    direction = (
        pl.when(new < old)
        .then(pl.lit("up"))
        .when(new > old)
        .then(pl.lit("down"))
        .otherwise(pl.lit("same"))
    )
    known = part.select(_ATTRIBUTES.values()).with_columns(
        compared.select(direction=direction).to_series()
    )
    for attribute in _ATTRIBUTES:
        counted = known.group_by(pl.col(attribute).fill_null(UNKNOWN), "direction").len()
        for group, way, number in counted.iter_rows():
            tally.groups[Group(attribute, group, way)] += number


def _age_band() -> pl.Expr:
    """The band of an age, as `30-39`; null where the age is not known."""
    age = pl.col("age")
    bands = {f"0-{_AGES[0] - 1}": age < _AGES[0]}
    bands |= {f"{first}-{after - 1}": age < after for first, after in pairwise(_AGES)}
    bands[f"{_AGES[-1]}+"] = age >= _AGES[-1]
    # Each band is what the ones before it left.
    return pl.coalesce(pl.when(holds).then(pl.lit(band)) for band, holds in bands.items())


_ATTRIBUTES: Final[Mapping[Attribute, pl.Expr]] = {
    "age": _age_band().alias("age"),
    "gender": pl.col("gender"),
    "region": pl.col("city").alias("region"),
    "channel": pl.col("channel"),
}


def _count_answers(before: pl.DataFrame, after: pl.DataFrame, tally: Tally) -> None:
    old = dict(_answers(before))
    tally.before.update(old)
    tally.after.update(old if after is before else dict(_answers(after)))


def _answers(outputs: pl.DataFrame) -> Iterator[tuple[Answered, int]]:
    """How many customers were given each answer of each table, no answer included."""
    for name in outputs.columns:
        if not name.startswith(_OUTCOME):
            continue
        column = outputs[name]
        if column.dtype == pl.List:
            # Of a set each of its words is an answer, and an empty one is none.
            column = column.explode().drop_nulls()
        counted = column.fill_null(UNKNOWN).value_counts()
        for value, number in counted.iter_rows():
            yield Answered(name.removeprefix(_OUTCOME), value), number
