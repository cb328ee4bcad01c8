"""Which rows of a file share a key: found by fingerprints, so that any size fits into memory.

A fingerprint is two independent 64-bit hashes of the key, one of the whole row, and its number.
Rows that share both key hashes share the key; that two of a thousand million rows do so by accident
has a chance of less than 1 in 10^20.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from app.domain.records.mapping.document import OnDuplicate
from app.domain.records.mapping.frame import ROW, Frame, list_findings, no_findings
from app.domain.records.specs import RECORD_NAMES, Record

__all__ = ["Frame"]

_KEY: Final = ("key", "key2")
_DUPLICATE: Final = "duplicate-key"

#: What is kept of each row until all rows are read.
FINGERPRINT: Final[dict[str, type[pl.DataType]]] = {
    "record": pl.UInt8,
    "key": pl.UInt64,
    "key2": pl.UInt64,
    "content": pl.UInt64,
    "row": pl.Int64,
}

#: What is kept of keys that occur more than once.
REPEATED: Final[dict[str, type[pl.DataType]]] = {
    "record": pl.UInt8,
    "key": pl.UInt64,
    "key2": pl.UInt64,
    "first": pl.Int64,
    "last": pl.Int64,
    "differs": pl.Boolean,
}
#: Groups of rows are told apart from records by a number no record has.
GROUP: Final = 255


@dataclass(frozen=True, slots=True)
class SortedOut:
    """The rows to keep, how many equal or superseded ones were passed over, and the rejected.

    ``clashing`` are the rejected rows themselves, which may have other faults as well.
    """

    frame: pl.DataFrame
    passed_over: int
    clashing: pl.DataFrame
    findings: pl.DataFrame


def fingerprint(record: Record, frame: pl.DataFrame) -> pl.DataFrame:
    """The fingerprints of a record's rows; rows without a whole key have none."""
    keyed = frame.drop_nulls(list(record.key))
    content = [name for name in frame.columns if name != ROW]
    return _fingerprint(keyed, RECORD_NAMES.index(record.name), list(record.key), content)


def group_starts(frame: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """The fingerprints of the rows at which groups begin; the frame holds whole groups."""
    changes = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in by)
    starts = frame.filter(changes | (pl.int_range(pl.len()) == 0))
    return _fingerprint(starts, GROUP, by, by)


def find_torn_group(known: pl.DataFrame) -> int | None:
    """The row at which a group goes on that had ended before, if there is one."""
    torn = known.filter(pl.col("record") == GROUP)["last"]
    return None if torn.is_empty() else int(torn.sort()[0])


def _fingerprint(
    frame: pl.DataFrame, number: int, key: list[str], content: list[str]
) -> pl.DataFrame:
    names = pl.struct(key)
    return frame.select(
        pl.lit(number, dtype=pl.UInt8).alias("record"),
        names.hash(1).alias("key"),
        names.hash(2).alias("key2"),
        pl.struct(content).hash(3).alias("content"),
        pl.col(ROW).alias("row"),
    )


def in_buckets(fingerprints: pl.DataFrame, buckets: int) -> dict[int, pl.DataFrame]:
    """The fingerprints by bucket; equal keys share theirs."""
    if buckets == 1:
        return {0: fingerprints}
    marked = fingerprints.with_columns((pl.col("key") % buckets).cast(pl.Int64).alias("#bucket"))
    parts = marked.partition_by("#bucket", as_dict=True, include_key=False)
    return {int(number): part for (number,), part in parts.items()}


def nothing_repeated() -> pl.DataFrame:
    """A frame of repeated keys without rows."""
    return pl.DataFrame(schema=REPEATED)


def repeated(fingerprints: pl.DataFrame) -> pl.DataFrame:
    """The keys that occur more than once, with the first and the last row of each."""
    return (
        fingerprints.lazy()
        .group_by("record", *_KEY)
        .agg(
            pl.len().alias("rows"),
            pl.col("row").min().alias("first"),
            pl.col("row").max().alias("last"),
            (pl.col("content").min() != pl.col("content").max()).alias("differs"),
        )
        .filter(pl.col("rows") > 1)
        .select(*REPEATED)
        .collect()
    )


def sort_out(
    record: Record, frame: pl.DataFrame, known: pl.DataFrame, on_duplicate: OnDuplicate
) -> SortedOut:
    """The rows to keep of a frame, given the keys that occur more than once in the whole file.

    Equal rows count once. Of different rows with one key none is kept, unless the mapping says that
    the last one wins.
    """
    number = RECORD_NAMES.index(record.name)
    mine = known.filter(pl.col("record") == number).drop("record")
    if mine.is_empty() or frame.is_empty():
        return SortedOut(frame, 0, frame.clear(), no_findings())
    names = pl.struct(list(record.key))
    joined = frame.with_columns(names.hash(1).alias("#key"), names.hash(2).alias("#key2")).join(
        mine.rename({name: f"#{name}" for name in mine.columns}),
        on=["#key", "#key2"],
        how="left",
        maintain_order="left",
    )
    clashes = pl.col("#differs").fill_null(value=False)
    if on_duplicate is OnDuplicate.LAST:
        keeper = pl.when(clashes).then(pl.col("#last")).otherwise(pl.col("#first"))
        clashes = pl.lit(value=False)
    else:
        keeper = pl.col("#first")
    is_kept = ~clashes & (keeper.is_null() | (pl.col(ROW) == keeper))
    flags = joined.select(clashes.alias("0"), is_kept.alias("kept"))
    shown = [record.columns[name] for name in record.key]
    value = (
        pl.concat_str(list(record.key), separator=" ")
        if all(column.may_be_shown for column in shown)
        else None
    )
    findings = list_findings(
        joined, flags.select("0"), [(record.name, ", ".join(record.key), _DUPLICATE, value)]
    )
    kept = frame.filter(flags["kept"]).unique(list(record.key), keep="last", maintain_order=True)
    passed_over = frame.height - kept.height - findings.height
    return SortedOut(kept, passed_over, frame.filter(flags["0"]), findings)
