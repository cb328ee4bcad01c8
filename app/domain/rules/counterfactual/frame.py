"""What would lift the outcome of every row of a frame."""

from dataclasses import dataclass

import polars as pl

from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.counterfactual.levers import Levers, levers
from app.domain.rules.domains import Domain, Kind
from app.domain.rules.frame import CUSTOMER_ID, decide, result_column
from app.domain.rules.ingress.frame import EPOCH, class_column, fact_classes
from app.domain.rules.partition import Partition

TRIALS = 250_000
MOVES_TYPE = pl.List(
    pl.Struct({"fact": pl.String, "from": pl.String, "to": pl.String, "reaches": pl.String})
)
_ROW, _RANK = "row", "rank"
# The place of a fact among the levers, and the class that it is changed to.
_LEVER, _CODE = "lever", "code"
_LOW, _HIGH, _IS_ORDERED = "low", "high", "is ordered"
_VALUE, _DISTANCE, _REACHED, _TO = "value", "distance", "reached", "to"
_TARGETS = pl.Schema(
    {_LEVER: pl.UInt32, _CODE: pl.UInt32, _LOW: pl.Int64, _HIGH: pl.Int64, _IS_ORDERED: pl.Boolean}
)


def gap(
    compiled: CompiledRuleSet,
    frame: pl.DataFrame,
    *,
    outcome: str = "tier",
    trials: int = TRIALS,
) -> pl.DataFrame:
    """Return for each row the next better answer and the moves towards a better one.

    The columns are ``customer_id`` (if the frame has it), ``target`` (String) and ``moves``, a
    list of {fact, from, to, reaches}, all text, values written as `value_text` does. Both are null
    where the gap of one customer is None or its facts cannot be judged; ``moves`` is empty where
    no single change helps. Every row is tried with every class of every lever, so many ``trials``
    at a time (those of one row at least), which bounds the memory.
    """
    known = levers(compiled, outcome)
    targets = _targets(compiled, known)
    rows = max(1, trials // max(1, targets.height))
    chunks = [_chunk(compiled, known, targets, part) for part in frame.iter_slices(rows)]
    found = pl.concat(chunks) if chunks else _chunk(compiled, known, targets, frame)
    if CUSTOMER_ID in frame.columns:
        found.insert_column(0, frame[CUSTOMER_ID])
    return found


def _targets(compiled: CompiledRuleSet, known: Levers) -> pl.DataFrame:
    """Return what each lever may be changed to: spans of numbers, or words by their places."""
    found: list[tuple[int, int, int, int, bool]] = []
    for lever, slot in enumerate(known.slots):
        partition = compiled.inputs[slot]
        if partition.domain.is_ordered:
            found += [(lever, code, low, high, True) for low, high, code in partition.spans()]
        else:
            words = enumerate(partition.word_classes.values())
            found += [(lever, code, place, place, False) for place, code in words]
    return pl.DataFrame(found, schema=_TARGETS, orient="row")


def _chunk(
    compiled: CompiledRuleSet, known: Levers, targets: pl.DataFrame, frame: pl.DataFrame
) -> pl.DataFrame:
    classes, errors = fact_classes(compiled, frame)
    rank = _ranks(known, decide(compiled, classes, known.tables).numbers)
    if errors is not None:
        rank = rank.zip_with(
            errors.is_null(), pl.repeat(None, len(rank), dtype=rank.dtype, eager=True)
        )
    rows = pl.DataFrame({_RANK: rank}).with_row_index(_ROW).filter(pl.col(_RANK) > 0)
    kept = _Rows(compiled, known, classes[rows[_ROW]], frame[rows[_ROW]], rows[_RANK])
    moves = kept.moves(targets)
    values = known.table.table.output.values
    above = pl.Series(values, dtype=pl.String).gather(rows[_RANK] - 1)
    listed = _listed(moves, rows.height)
    lifted = pl.DataFrame({_ROW: rows[_ROW], "target": above, "moves": listed})
    every = pl.DataFrame({_ROW: pl.int_range(frame.height, dtype=pl.UInt32, eager=True)})
    placed = every.join(lifted, on=_ROW, how="left", maintain_order="left")
    return placed.select("target", "moves")


def _ranks(known: Levers, decided: pl.DataFrame) -> pl.Series:
    """Return the place of each row's answer among the outcome's values, null if unmatched."""
    ranks = [
        None if result.answer is None else known.ranks[str(result.answer)]
        for result in known.table.results
    ]
    return pl.Series(ranks, dtype=pl.Int32).gather(decided[result_column(known.table)])


def _listed(moves: list[pl.DataFrame], rows: int) -> pl.Series:
    """Gather the moves of each row in the order of the facts."""
    empty = pl.Series([[]], dtype=MOVES_TYPE)
    if not moves:
        return empty.new_from_index(0, rows)
    grouped = (
        pl.concat(moves)
        .sort(_ROW, maintain_order=True)
        .group_by(_ROW, maintain_order=True)
        .agg(moves=pl.struct("fact", "from", "to", "reaches"))
    )
    every = pl.DataFrame({_ROW: pl.int_range(rows, dtype=pl.UInt32, eager=True)})
    placed = every.join(grouped, on=_ROW, how="left", maintain_order="left")
    return placed["moves"].fill_null(empty)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a chunk that have something better above them."""

    compiled: CompiledRuleSet
    known: Levers
    classes: pl.DataFrame
    frame: pl.DataFrame
    ranks: pl.Series

    def moves(self, targets: pl.DataFrame) -> list[pl.DataFrame]:
        """Return fact by fact the best move of each row that has one."""
        lifts = self._lifts(targets)
        if lifts.is_empty():
            return []
        inputs = [self.compiled.inputs[slot] for slot in self.known.slots]
        values = pl.concat([_values(self.frame, partition) for partition in inputs])
        places = lifts[_LEVER].cast(pl.Int64) * self.frame.height + lifts[_ROW]
        best = _best(lifts.with_columns(values.gather(places).alias(_VALUE)), targets)
        parts = best.partition_by(_LEVER, maintain_order=True)
        return [self._named(inputs[part.item(0, _LEVER)], part) for part in parts]

    def _lifts(self, targets: pl.DataFrame) -> pl.DataFrame:
        """Return the changes of one class that lift a row, and the rank each reaches.

        All are decided on at once: what a step costs in itself is more than what its rows do.
        """
        changes = targets.select(_LEVER, _CODE).unique(maintain_order=True)
        rows = self.classes.with_columns(self.ranks.alias(_RANK)).with_row_index(_ROW)
        columns = {lever: class_column(slot) for lever, slot in enumerate(self.known.slots)}
        tried = changes.join(rows, how="cross").with_columns(
            pl.when(pl.col(_LEVER) == lever)
            .then(pl.col(_CODE).cast(rows.schema[column], strict=False))
            .otherwise(pl.col(column))
            .alias(column)
            for lever, column in columns.items()
        )
        decided = decide(self.compiled, tried, self.known.tables).numbers
        reached = _ranks(self.known, decided).alias(_REACHED)
        return (
            tried.select(_ROW, _RANK, _LEVER, _CODE)
            .with_columns(reached)
            .filter(pl.col(_REACHED) < pl.col(_RANK))
        )

    def _named(self, partition: Partition, best: pl.DataFrame) -> pl.DataFrame:
        domain = partition.domain
        current = self.frame[partition.name].gather(best[_ROW])
        target = best[_TO]
        if not domain.is_ordered:
            target = pl.Series(list(partition.word_classes), dtype=pl.String).gather(target)
            current = current.cast(pl.String)
        else:
            target = _ordered_texts(target, domain)
            current = _ordered_texts(_ordered(current, domain), domain)
        outcomes = pl.Series(self.known.table.table.output.values, dtype=pl.String)
        return pl.DataFrame(
            {
                _ROW: best[_ROW],
                "fact": pl.repeat(partition.name, best.height, dtype=pl.String, eager=True),
                "from": current,
                "to": target,
                "reaches": outcomes.gather(best[_REACHED]),
            }
        )


def _best(lifts: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    """Return the smallest change of each row and lever, lever by lever.

    Of equal ones it is the one with the better outcome, then the one with the smaller value.
    """
    value, near = pl.col(_VALUE), pl.col(_TO)
    # Two 64-bit integers may lie further apart than a signed one can say: the difference wraps
    # round, and read without a sign it is right again.
    apart = pl.when(near < value).then(value - near).otherwise(near - value)
    distance = (
        pl.when(_IS_ORDERED)
        .then(apart.reinterpret(signed=False))
        .otherwise(pl.lit(1, dtype=pl.UInt64))
    )
    return (
        lifts.filter(value.is_not_null())
        .join(targets, on=[_LEVER, _CODE])
        .with_columns(value.clip(pl.col(_LOW), pl.col(_HIGH)).alias(_TO))
        .with_columns(distance.alias(_DISTANCE))
        .sort(_LEVER, _ROW, _DISTANCE, _REACHED, _TO)
        .unique([_LEVER, _ROW], keep="first", maintain_order=True)
    )


def _values(frame: pl.DataFrame, partition: Partition) -> pl.Series:
    """Return a fact as integers, all 0 for words; null where there is no value to change."""
    if partition.name not in frame.columns or frame.schema[partition.name].is_float():
        return pl.repeat(None, frame.height, dtype=pl.Int64, eager=True)
    column = frame[partition.name]
    if partition.domain.is_ordered:
        return _ordered(column, partition.domain)
    return pl.select(pl.when(column.is_not_null()).then(pl.lit(0, dtype=pl.Int64))).to_series()


def _ordered(column: pl.Series, domain: Domain) -> pl.Series:
    if domain.kind is Kind.DATE and column.dtype == pl.Date:
        return column.to_physical().cast(pl.Int64) + EPOCH
    return column.cast(pl.Int64)


def _ordered_texts(values: pl.Series, domain: Domain) -> pl.Series:
    """Write integers of an ordered domain as `value_text` does."""
    if domain.kind is Kind.DATE:
        days = (values - EPOCH).cast(pl.Int32).cast(pl.Date)
        return days.dt.to_string("%Y-%m-%d")
    sign = pl.when(values < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    size = values.abs()
    if not domain.scale:
        return pl.select(sign + size.cast(pl.String)).to_series()
    whole = (size // 10**domain.scale).cast(pl.String)
    digits = (size % 10**domain.scale).cast(pl.String).str.zfill(domain.scale)
    rest = pl.lit(digits.str.strip_chars_end("0"))
    point = pl.when(rest == "").then(pl.lit("")).otherwise(pl.lit("."))
    return pl.select(sign + whole + point + rest).to_series()
