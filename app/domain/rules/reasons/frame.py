"""The reasons of every row, worked out once for each combination of reasons that occurs."""

from collections.abc import Sequence

import polars as pl

from app.domain.rules.compiled import CompiledCharacteristic, CompiledRuleSet
from app.domain.rules.evaluation import Reason
from app.domain.rules.ingress.frame import class_column

REASONS = "reasons"
REASON_TYPE = pl.Struct(
    {"code": pl.String, "characteristic": pl.String, "points": pl.Int64, "lost": pl.Int64}
)
MAX_KEY = 2**62
_ROW = "row"
_PLACE = "place"


def reasons(compiled: CompiledRuleSet, classes: pl.DataFrame) -> pl.Series:
    """Return each row's best reasons, the highest rank first, ties as declared.

    The reasons of one row depend only on which reason, if any, each characteristic gives it. These
    few possibilities per characteristic are numbered, the numbers combined into a key (several
    keys where one would overflow), and the keys that occur looked up.
    """
    columns = [_Column(member) for member in compiled.characteristics]
    groups = _grouped(columns)
    keys = classes.select(_key(group).alias(f"key {at}") for at, group in enumerate(groups))
    distinct = keys.unique().with_row_index(_ROW)
    given = _given(columns, groups, distinct, compiled.document.top_reasons)
    placed = keys.join(distinct, on=keys.columns, how="left", maintain_order="left")
    return given.gather(placed[_ROW]).alias(REASONS)


class _Column:
    """One characteristic: its possible reasons, None among them, and the one of each class."""

    def __init__(self, member: CompiledCharacteristic) -> None:
        self.possible = list(dict.fromkeys(member.reasons))
        self.numbers = [self.possible.index(reason) for reason in member.reasons]
        self.slot = member.slot


def _grouped(columns: Sequence[_Column]) -> list[list[_Column]]:
    groups: list[list[_Column]] = [[]]
    size = 1
    for column in columns:
        size *= len(column.possible)
        if size > MAX_KEY:
            groups.append([])
            size = len(column.possible)
        groups[-1].append(column)
    return groups


def _key(group: Sequence[_Column]) -> pl.Expr:
    key = pl.lit(0, dtype=pl.Int64)
    stride = 1
    for column in group:
        digits = pl.Series([number * stride for number in column.numbers], dtype=pl.Int64)
        key += pl.lit(digits).gather(pl.col(class_column(column.slot)))
        stride *= len(column.possible)
    return key


def _given(
    columns: Sequence[_Column], groups: Sequence[Sequence[_Column]], keys: pl.DataFrame, top: int
) -> pl.Series:
    """Return the reasons of each distinct combination.

    All reasons that can ever be given stand in one list in the order of rank and declaration, so
    the best ones are those with the smallest places in it.
    """
    entries = [
        (reason, at)
        for at, column in enumerate(columns)
        for reason in column.possible
        if reason is not None
    ]
    entries.sort(key=lambda entry: (-entry[0].rank, entry[1]))
    places = {entry: place for place, entry in enumerate(entries)}
    found = []
    at = 0
    for number, group in enumerate(groups):
        stride = 1
        for column in group:
            mapped = [None if r is None else places[r, at] for r in column.possible]
            digit = pl.col(f"key {number}") // stride % len(column.possible)
            place = pl.lit(pl.Series(mapped, dtype=pl.UInt32)).gather(digit)
            found.append(keys.select(_ROW, place.alias(_PLACE)).drop_nulls())
            stride *= len(column.possible)
            at += 1
    best = (
        pl.concat(found)
        .sort(_ROW, _PLACE)
        .group_by(_ROW, maintain_order=True)
        .agg(pl.col(_PLACE).head(top))
    )
    listed = _texts([reason for reason, _ in entries])
    best = best.explode(_PLACE).select(_ROW, listed.gather(pl.col(_PLACE)).alias(REASONS))
    best = best.group_by(_ROW, maintain_order=True).agg(REASONS)
    whole = keys.select(_ROW).join(best, on=_ROW, how="left", maintain_order="left")
    return whole[REASONS].fill_null(pl.Series([[]], dtype=pl.List(REASON_TYPE)))


def _texts(reasons: Sequence[Reason]) -> pl.Expr:
    rows = [
        {
            "code": reason.code,
            "characteristic": reason.characteristic,
            "points": reason.points,
            "lost": reason.lost,
        }
        for reason in reasons
    ]
    return pl.lit(pl.Series(rows, dtype=REASON_TYPE))
