"""What the import does with frames: cleaning, typing for COPY, cutting at groups, alias ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.records.keys.frame import FINGERPRINT
from app.domain.records.mapping.frame import DATED, ROW, Frame, Plan
from app.domain.records.reasons import REJECTING
from app.domain.records.specs import CURRENCY, ColumnType, Record

__all__ = ["Frame"]

#: Some hundred thousand years.
_FARTHEST_DAYS: Final = 36_500_000
_DAY: Final = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
_LARGEST: Final = 2**63 - 1

_SCALED: Final = frozenset({ColumnType.MONEY, ColumnType.DECIMAL})


def read_rows(batch: pa.RecordBatch, first_row: int, nulls: Sequence[str]) -> Frame:
    """A batch of a file as a frame: numbered, texts trimmed, empty ones and null words absent."""
    frame = pl.from_arrow(_within_reach(batch))
    if not isinstance(frame, pl.DataFrame):
        message = "a record batch is a frame"
        raise TypeError(message)
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    trimmed = (pl.col(name).str.strip_chars() for name in texts)
    absent = ["", *nulls]
    return frame.with_columns(
        pl.when(~text.is_in(absent)).then(text) for text in trimmed
    ).with_columns(pl.int_range(first_row, first_row + frame.height, dtype=pl.Int64).alias(ROW))


def _within_reach(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with its days and times no farther from 1970 than Polars can reckon.

    Beyond, it ends the process, or takes them for others. What is brought in lies outside every
    record's days still, so that the checks refuse it.
    """
    for place, field in enumerate(batch.schema):
        farthest = _farthest(field.type)
        if farthest is not None:
            number = pa.int32() if pa.types.is_date32(field.type) else pa.int64()
            counted = batch.column(place).view(number)
            low, high = pa.scalar(-farthest, number), pa.scalar(farthest, number)
            near = pc.max_element_wise(
                pc.min_element_wise(counted, high, skip_nulls=False), low, skip_nulls=False
            )
            batch = batch.set_column(place, field, near.view(field.type))
    return batch


def _farthest(kind: pa.DataType) -> int | None:
    """How far values of this type may lie from 1970, in their own unit."""
    if pa.types.is_date32(kind):
        return _FARTHEST_DAYS
    if pa.types.is_date64(kind):
        return _FARTHEST_DAYS * _DAY["ms"]
    if pa.types.is_timestamp(kind):
        # Another day fits below the largest number: that of another zone.
        return min(_FARTHEST_DAYS * _DAY[kind.unit], _LARGEST - _DAY[kind.unit])
    return None


def from_rows(rows: Sequence[Mapping[str, str | None]], names: Sequence[str]) -> Frame:
    """Rows given one by one as a frame like that of a file."""
    columns = [pa.array([row[name] for row in rows], pa.string()) for name in names]
    return read_rows(pa.RecordBatch.from_arrays(columns, names=list(names)), 1, ())


def header_of(schema: pa.Schema) -> pl.Schema:
    """The columns of a file with their Polars types."""
    empty = pl.from_arrow(schema.empty_table())
    return empty.schema if isinstance(empty, pl.DataFrame) else pl.Schema()


def cut_chunk(plan: Plan, frame: Frame, size: int) -> tuple[Frame, Frame]:
    """The rows of a chunk, and those left for the next; of groups only the last may go on."""
    if not plan.by:
        return frame.slice(0, size), frame.slice(size)
    changes = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in plan.by)
    starts = frame.select((changes & (pl.int_range(pl.len()) > 0)).alias("starts"))["starts"]
    places = starts.arg_true()
    last = int(places[-1]) if len(places) else 0
    return frame.slice(0, last), frame.slice(last)


def weight(frame: Frame) -> int:
    """The bytes that a frame's values take, about."""
    return int(frame.estimated_size())


def find_unordered(plan: Plan, frame: Frame) -> int | None:
    """The first row that stands before its predecessor in the order of its group."""
    if not plan.order:
        return None
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in plan.by)
    keys = frame.select(
        ROW,
        same.alias("same"),
        *(order.alias(str(place)) for place, order in enumerate(plan.order)),
    )
    descends, ties = pl.lit(value=False), pl.lit(value=True)
    for place in range(len(plan.order)):
        here, before = pl.col(str(place)), pl.col(str(place)).shift(1)
        descends |= ties & (here < before).fill_null(value=False)
        ties &= here.eq_missing(before)
    found = keys.filter(pl.col("same") & descends)
    return None if found.is_empty() else int(found[ROW][0])


def with_survivors(frame: Frame, aliases: Mapping[str, str]) -> Frame:
    """The frame with ids that were merged away replaced by the customers they stand for."""
    if not aliases or "customer_id" not in frame.columns:
        return frame
    return frame.with_columns(pl.col("customer_id").replace(dict(aliases)))


def merged_away(record: Record, frame: Frame, aliases: Mapping[str, str]) -> Frame:
    """Findings for customers whose id was merged into another's."""
    hit = frame.filter(pl.col("customer_id").is_in(list(aliases)))
    return hit.select(
        pl.col(ROW).alias("row"),
        pl.lit(record.name).alias("record"),
        pl.lit("customer_id").alias("column"),
        pl.lit("merged-customer").alias("code"),
        pl.col("customer_id").alias("value"),
    )


def merged_back(record: Record, frame: Frame, aliases: Mapping[str, str]) -> Frame:
    """Findings for merges that lead back to the merged id: nobody would be left to stand for it."""
    merges = frame.select("alias_id", "customer_id").iter_rows()
    known = dict(aliases) | dict(merges)
    back = [alias_id for alias_id in frame["alias_id"] if _leads_back(known, alias_id)]
    return frame.filter(pl.col("alias_id").is_in(back)).select(
        pl.col(ROW).alias("row"),
        pl.lit(record.name).alias("record"),
        pl.lit("alias_id").alias("column"),
        pl.lit("merged-back").alias("code"),
        pl.col("alias_id").alias("value"),
    )


def _leads_back(merged: Mapping[str, str], alias_id: str) -> bool:
    seen: set[str] = set()
    found = merged[alias_id]
    while found in merged and found not in seen:
        if found == alias_id:
            return True
        seen.add(found)
        found = merged[found]
    return False


def kinds_changed(record: Record, frame: Frame, kinds: Mapping[str, str]) -> Frame:
    """Findings for customers who are something else already; a person's name would be unmasked.

    Of a customer who is new, the first row says what he is, however the rows fall into chunks.
    """
    known = pl.col("customer_id").replace_strict(kinds, default=None, return_dtype=pl.String)
    first = pl.col("kind").sort_by(ROW).first().over("customer_id")
    return frame.filter(pl.col("kind") != known.fill_null(first)).select(
        pl.col(ROW).alias("row"),
        pl.lit(record.name).alias("record"),
        pl.lit("kind").alias("column"),
        pl.lit("kind-fixed").alias("code"),
        pl.col("kind").alias("value"),
    )


def without_strangers(record: Record, frame: Frame, known: set[str]) -> tuple[Frame, Frame]:
    """The rows of known customers, and findings for the others."""
    is_known = pl.col("customer_id").is_in(list(known))
    strangers = frame.filter(~is_known)
    return frame.filter(is_known), strangers.select(
        pl.col(ROW).alias("row"),
        pl.lit(record.name).alias("record"),
        pl.lit("customer_id").alias("column"),
        pl.lit("unknown-parent").alias("code"),
        pl.col("customer_id").alias("value"),
    )


def findings_at(record: Record, frame: Frame, rows: Mapping[int, str], column: str) -> Frame:
    """Findings for rows that the database would not take, each with its code."""
    codes = pl.DataFrame(
        {"row": list(rows), "code": list(rows.values())},
        schema={"row": pl.Int64, "code": pl.String},
    )
    shown = record.columns[column].may_be_shown
    return frame.join(codes, left_on=ROW, right_on="row", how="inner").select(
        pl.col(ROW).alias("row"),
        pl.lit(record.name).alias("record"),
        pl.lit(column).alias("column"),
        pl.col("code"),
        (pl.col(column) if shown else pl.lit(None, dtype=pl.String)).alias("value"),
    )


def joined(frames: Sequence[Frame]) -> Frame:
    """Frames below each other; columns that one does not have are absent there."""
    return pl.concat(frames, how="diagonal") if len(frames) > 1 else frames[0]


def count_codes(findings: Frame) -> tuple[dict[str, int], dict[str, int]]:
    """How many rows were rejected for which first reason, and how many doubts there are."""
    is_rejecting = pl.col("code").is_in(sorted(REJECTING))
    rejected = findings.filter(is_rejecting).unique("row", keep="first", maintain_order=True)
    return _counted(rejected), _counted(findings.filter(~is_rejecting))


def rejected_rows(findings: Frame) -> int:
    """How many rows of the file had a record rejected."""
    return findings.filter(pl.col("code").is_in(sorted(REJECTING)))["row"].n_unique()


def _counted(findings: Frame) -> dict[str, int]:
    counts = findings.group_by("code").len().sort("code")
    return dict(zip(counts["code"].to_list(), counts["len"].to_list(), strict=True))


def to_copy(record: Record, frame: Frame, columns: Sequence[str]) -> bytes:
    """Rows as CSV for COPY: row number and these columns, scaled integers as decimals."""
    written = []
    for name in columns:
        column = record.columns.get(name)
        if column is not None and column.type in _SCALED:
            unit = pl.lit(Decimal(1).scaleb(-column.scale))
            written.append(pl.col(name).cast(pl.Decimal(38, column.scale)) * unit)
        else:
            written.append(pl.col(DATED if name == "is_dated" else name))
    content: str | bytes = frame.select(ROW, *written).write_csv(include_header=False)
    return content.encode() if isinstance(content, str) else content


def without_currency(frame: Frame) -> Frame:
    """The frame without the currency, which is checked and not stored."""
    return frame.drop(CURRENCY, strict=False)


def fingerprints_from(table: pa.Table) -> Frame:
    """Fingerprints that were set aside."""
    frame = pl.from_arrow(table)
    return frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(schema=FINGERPRINT)
