"""Evaluating a whole frame of customers: same compiled data, same answers, no loop over rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from app.domain.rules.compiled import (
    CompiledDimension,
    CompiledRuleSet,
    CompiledTable,
    Result,
    Steps,
    collected,
)
from app.domain.rules.ingress.frame import (
    INPUT_ERROR,
    class_column,
    fact_classes,
    index_type,
    ordered_classes,
)
from app.domain.rules.model import DIMENSION_PREFIX, SCORE
from app.domain.rules.reasons.frame import reasons

CUSTOMER_ID = "customer_id"
WORD_BITS = 64
CACHED_TABLES = 256


def evaluate(
    compiled: CompiledRuleSet, frame: pl.DataFrame, *, explain: bool = True
) -> pl.DataFrame:
    """Evaluate every row of a facts frame, in its order.

    Facts are columns named as in the catalogue: Int64 (decimals and money scaled), Boolean, String
    and Date; a missing column is null, and ``customer_id`` is passed through. The answer has
    ``score`` and ``dimension.<d>`` (Int64), ``outcome.<name>`` (String, null where no row matched;
    List(String) under collect), with ``explain`` also ``fired.<table>`` (List(String)) and
    ``reasons`` (List(Struct{code, characteristic, points, lost})), and ``input_error`` (String).
    Where the evaluation of one customer would raise InputError, ``input_error`` holds its message
    and every answer is null.
    """
    classes, errors = fact_classes(compiled, frame)
    decided = decide(compiled, classes, compiled.tables)
    columns = [
        decided.numbers[SCORE].cast(pl.Int64),
        *(
            decided.numbers[DIMENSION_PREFIX + dimension.name].cast(pl.Int64)
            for dimension in compiled.dimensions
        ),
    ]
    texts = [
        (*_texts(table, results), decided.numbers[result_column(table)])
        for table, results in zip(compiled.tables, decided.results, strict=True)
    ]
    columns += [answer.gather(at) for answer, _, at in texts]
    if explain:
        columns += [fired.gather(at) for _, fired, at in texts]
        columns.append(reasons(compiled, classes))
    answered = pl.DataFrame(columns)
    if errors is None:
        answered = answered.with_columns(pl.lit(None, dtype=pl.String).alias(INPUT_ERROR))
    else:
        sound = pl.when(errors.is_null())
        answered = answered.select(sound.then(pl.all()).otherwise(None).name.keep(), errors)
    if CUSTOMER_ID in frame.columns:
        answered.insert_column(0, frame[CUSTOMER_ID])
    return answered


@dataclass(frozen=True, slots=True)
class Decided:
    """Scores and places in ``results`` for each row; ``results`` has one list per table."""

    numbers: pl.DataFrame
    results: Sequence[Sequence[Result]]


def result_column(table: CompiledTable) -> str:
    """Return the name of the column that holds a table's results."""
    return f"result {table.table.id}"


def decide(
    compiled: CompiledRuleSet, known: pl.DataFrame, tables: Sequence[CompiledTable]
) -> Decided:
    """Return scores and the results of the tables from the classes of the facts."""
    known = _scored(compiled, known)
    results: list[Sequence[Result]] = []
    for table in tables:
        found, at = _table_results(table, known)
        results.append(found)
        known = known.with_columns(at.alias(result_column(table)))
        if table.slot >= 0:
            codes = _answer_classes(compiled, table)
            known = known.with_columns(codes.gather(at).alias(class_column(table.slot)))
    return Decided(known, results)


def _scored(compiled: CompiledRuleSet, known: pl.DataFrame) -> pl.DataFrame:
    """Add the dimensions, the score and the classes of both."""
    dimensions = compiled.dimensions
    known = known.with_columns(_scaled(dimension) for dimension in dimensions)
    weighted = pl.lit(500, dtype=pl.Int32)
    for dimension in dimensions:
        scaled = pl.col(DIMENSION_PREFIX + dimension.name).cast(pl.Int32)
        weighted += scaled * dimension.weight
    known = known.with_columns((weighted // 1000).alias(SCORE))
    slots = {DIMENSION_PREFIX + dimension.name: dimension.slot for dimension in dimensions}
    return known.with_columns(
        ordered_classes(pl.col(name).cast(pl.Int32), compiled.inputs[slot], pl.Int32).alias(
            class_column(slot)
        )
        for name, slot in {**slots, SCORE: compiled.score_slot}.items()
        if slot >= 0
    )


@lru_cache(maxsize=CACHED_TABLES)
def _scaled(dimension: CompiledDimension) -> pl.Expr:
    """Look the dimension's score up by the sum of what each of its facts adds."""
    scores = pl.lit(_scale(dimension)).gather(_sum(dimension.steps))
    return scores.alias(DIMENSION_PREFIX + dimension.name)


def _sum(steps: Steps) -> pl.Expr:
    """Return the sum of the steps, which indexes a dense array."""
    found = pl.lit(0, dtype=pl.UInt32)
    for slot, numbers in steps:
        found += _looked_up(pl.Series(numbers, dtype=pl.UInt32), slot)
    return found


@lru_cache(maxsize=CACHED_TABLES)
def _scale(dimension: CompiledDimension) -> pl.Series:
    scores = [dimension.scaled(at) for at in range(dimension.high - dimension.low + 1)]
    return pl.Series(scores, dtype=pl.Int16)


def _looked_up(entries: pl.Series, slot: int) -> pl.Expr:
    return pl.lit(entries).gather(pl.col(class_column(slot)))


def _table_results(table: CompiledTable, known: pl.DataFrame) -> tuple[Sequence[Result], pl.Series]:
    if table.dense is not None:
        return table.results, known.select(_dense_result(table)).to_series()
    words = known.select(_matching_rows(table))
    if table.is_collect:
        return _collected(table, words)
    return table.results, words.select(_first_row(words.columns)).to_series()


@lru_cache(maxsize=CACHED_TABLES)
def _dense_result(table: CompiledTable) -> pl.Expr:
    results = pl.Series(table.dense, dtype=index_type(len(table.results)))
    return pl.lit(results).gather(_sum(table.steps))


def _matching_rows(table: CompiledTable) -> list[pl.Expr]:
    """Return the matching rows as bitmasks of 64 rows each, lowest first."""
    full = (1 << WORD_BITS) - 1
    words: list[pl.Expr] = []
    for shift in range(0, len(table.ranked), WORD_BITS):
        word = pl.lit(full, dtype=pl.UInt64)
        for slot, column, masks in zip(table.slots, table.columns, table.masks, strict=True):
            entries = [masks[code] >> shift & full for code in column]
            word &= _looked_up(pl.Series(entries, dtype=pl.UInt64), slot)
        words.append(word.alias(str(shift)))
    return words


def _first_row(words: Sequence[str]) -> pl.Expr:
    """Return one more than the lowest set bit, or 0 where none is set."""
    lowest = [
        pl.when(pl.col(word) != 0)
        .then(pl.col(word).bitwise_trailing_zeros() + int(word) + 1)
        .otherwise(None)
        for word in words
    ]
    return pl.coalesce(*lowest, pl.lit(0, dtype=pl.UInt32))


def _collected(table: CompiledTable, words: pl.DataFrame) -> tuple[Sequence[Result], pl.Series]:
    """Work each distinct set of matching rows out once."""
    distinct = words.unique()
    sets = [
        sum(word << at * WORD_BITS for at, word in enumerate(row)) for row in distinct.iter_rows()
    ]
    results = [collected(table.table, mask) for mask in sets]
    placed = words.join(
        distinct.with_row_index("result"), on=words.columns, how="left", maintain_order="left"
    )
    return results, placed["result"]


def _answer_classes(compiled: CompiledRuleSet, table: CompiledTable) -> pl.Series:
    """Return the class that each result has for later tables; a null class of -1 cannot occur."""
    partition = compiled.inputs[table.slot]
    codes = [
        max(partition.null_class, 0)
        if result.answer is None
        else partition.word_classes[str(result.answer)]
        for result in table.results
    ]
    return pl.Series(codes, dtype=index_type(partition.size))


def _texts(table: CompiledTable, results: Sequence[Result]) -> tuple[pl.Series, pl.Series]:
    """Return the answer and the fired rows of each result."""
    if results is table.results:
        return _own_texts(table)
    return _result_texts(table, results)


@lru_cache(maxsize=CACHED_TABLES)
def _own_texts(table: CompiledTable) -> tuple[pl.Series, pl.Series]:
    return _result_texts(table, table.results)


def _result_texts(table: CompiledTable, results: Sequence[Result]) -> tuple[pl.Series, pl.Series]:
    given = [result.answer for result in results]
    answers = (
        _lists([answer for answer in given if isinstance(answer, tuple)])
        if table.is_collect
        else pl.Series(given, dtype=pl.String)
    )
    fired = _lists([result.fired for result in results])
    return answers.alias(f"outcome.{table.table.output.name}"), fired.alias(
        f"fired.{table.table.id}"
    )


def _lists(rows: Sequence[Sequence[str]]) -> pl.Series:
    """Return names as List(String), of which each row has some.

    Polars takes them out of one text per row, since handing it thousands of lists one by one takes
    many times as long. No name holds a blank.
    """
    joined = pl.Series([" ".join(row) for row in rows], dtype=pl.String)
    return joined.str.extract_all(r"\S+")
