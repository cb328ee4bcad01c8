"""What would lift the outcome of every row of a frame."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.counterfactual.levers import Levers, levers
from app.domain.rules.domains import Domain, Kind
from app.domain.rules.frame import CUSTOMER_ID, decide, result_column
from app.domain.rules.ingress.frame import EPOCH, class_column, fact_classes
from app.domain.rules.partition import Partition

CHUNK_ROWS = 250_000
MOVES_TYPE = pl.List(
    pl.Struct({"fact": pl.String, "from": pl.String, "to": pl.String, "reaches": pl.String})
)
_ROW, _RANK = "row", "rank"
_DISTANCE, _REACHED, _TO = "distance", "reached", "to"


def gap(
    compiled: CompiledRuleSet,
    frame: pl.DataFrame,
    *,
    outcome: str = "tier",
    chunk_rows: int = CHUNK_ROWS,
) -> pl.DataFrame:
    """Return for each row the next better answer and the moves towards a better one.

    The columns are ``customer_id`` (if the frame has it), ``target`` (String) and ``moves``, a
    list of {fact, from, to, reaches}, all text, values written as `value_text` does. Both are null
    where the gap of one customer is None or its facts cannot be judged; ``moves`` is empty where
    no single change helps. Rows are worked on in chunks, which bounds the memory.
    """
    known = levers(compiled, outcome)
    chunks = [_chunk(compiled, known, part) for part in frame.iter_slices(chunk_rows)]
    found = pl.concat(chunks) if chunks else _chunk(compiled, known, frame)
    if CUSTOMER_ID in frame.columns:
        found.insert_column(0, frame[CUSTOMER_ID])
    return found


def _chunk(compiled: CompiledRuleSet, known: Levers, frame: pl.DataFrame) -> pl.DataFrame:
    classes, errors = fact_classes(compiled, frame)
    decided = decide(compiled, classes, known.tables).numbers
    rank = _ranks(known, decided)
    if errors is not None:
        rank = rank.zip_with(
            errors.is_null(), pl.repeat(None, len(rank), dtype=rank.dtype, eager=True)
        )
    rows = pl.DataFrame({_RANK: rank}).with_row_index(_ROW).filter(pl.col(_RANK) > 0)
    kept = _Rows(compiled, known, decided[rows[_ROW]], frame[rows[_ROW]], rows[_RANK])
    moves = [kept.moves(slot) for slot in known.slots]
    values = known.table.table.output.values
    targets = pl.Series(values, dtype=pl.String).gather(rows[_RANK] - 1)
    listed = _listed(moves, rows.height)
    lifted = pl.DataFrame({_ROW: rows[_ROW], "target": targets, "moves": listed})
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
    decided: pl.DataFrame
    frame: pl.DataFrame
    ranks: pl.Series

    def moves(self, slot: int) -> pl.DataFrame:
        """Return the best move of one fact for the rows that have one."""
        partition = self.compiled.inputs[slot]
        value = _values(self.frame, partition)
        best = pl.DataFrame(
            {
                _DISTANCE: pl.repeat(None, len(value), dtype=pl.UInt64, eager=True),
                _REACHED: pl.repeat(None, len(value), dtype=pl.Int32, eager=True),
                _TO: pl.repeat(None, len(value), dtype=pl.Int64, eager=True),
            }
        )
        if value.null_count() < len(value):
            reached: dict[int, pl.Series] = {}
            for code, near in _candidates(partition, value):
                if code not in reached:
                    reached[code] = self._reached(slot, code)
                best = _better(best, near.with_columns(reached[code].alias(_REACHED)))
        return self._named(partition, best.with_row_index(_ROW).drop_nulls())

    def _reached(self, slot: int, code: int) -> pl.Series:
        """Return the rank that the class would lift each row to, null where it lifts nothing."""
        column = class_column(slot)
        dtype = self.decided.schema[column]
        moved = self.decided.with_columns(pl.lit(code, dtype=dtype).alias(column))
        decided = decide(self.compiled, moved, self.known.tables, frozenset({slot})).numbers
        reached = _ranks(self.known, decided)
        lifts = (reached < self.ranks) & (self.decided[column] != code)
        return pl.select(pl.when(lifts).then(reached)).to_series()

    def _named(self, partition: Partition, best: pl.DataFrame) -> pl.DataFrame:
        domain = partition.domain
        current = self.frame[partition.name].gather(best[_ROW]) if best.height else best[_TO]
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


def _better(best: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Return row by row the smaller change; of equal ones the better outcome, then the value."""
    both = best.hstack(other.select(pl.all().name.prefix("other ")))
    columns = (_DISTANCE, _REACHED, _TO)
    takes = pl.col(f"other {_TO}") < pl.col(_TO)
    for name in (_REACHED, _DISTANCE):
        mine, its = pl.col(name), pl.col(f"other {name}")
        takes = (its < mine) | ((its == mine) & takes)
    takes = (pl.col(_DISTANCE).is_null() | takes) & pl.col(f"other {_REACHED}").is_not_null()
    return both.select(
        pl.when(takes).then(pl.col(f"other {name}")).otherwise(pl.col(name)).alias(name)
        for name in columns
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


def _candidates(partition: Partition, value: pl.Series) -> Iterator[tuple[int, pl.DataFrame]]:
    """Return class, distance and value of each candidate, null where there is no value."""
    if not partition.domain.is_ordered:
        for place, code in enumerate(partition.word_classes.values()):
            yield code, pl.DataFrame({_DISTANCE: (value + 1).cast(pl.UInt64), _TO: value + place})
        return
    for low, high, code in partition.spans():
        near = value.clip(low, high)
        # Two 64-bit integers may lie further apart than a signed one can say: the difference wraps
        # round, and read without a sign it is right again.
        apart = pl.when(near < value).then(value - near).otherwise(near - value)
        distance = pl.select(apart.reinterpret(signed=False)).to_series()
        yield code, pl.DataFrame({_DISTANCE: distance, _TO: near})


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
