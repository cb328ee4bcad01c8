"""The reasons of every row of a frame."""

from collections.abc import Sequence
from functools import lru_cache

import polars as pl

from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.evaluation import Reason
from app.domain.rules.ingress.frame import class_column

REASONS = "reasons"
CACHED_RULE_SETS = 32
REASON_TYPE = pl.Struct(
    {"code": pl.String, "characteristic": pl.String, "points": pl.Int64, "lost": pl.Int64}
)
_ROW, _PLACE = "row", "place"


def reasons(compiled: CompiledRuleSet, classes: pl.DataFrame) -> pl.Series:
    """Return each row's best reasons, the highest rank first, ties as declared.

    All reasons that can ever be given stand in one list in the order of rank and declaration, so a
    row's best reasons are those with the smallest places in it. These are found place by place,
    and each combination that occurs is written out once.
    """
    columns, possible = _places(compiled)
    best = _smallest(classes.select(columns), len(possible), compiled.document.top_reasons)
    distinct = best.unique().with_row_index(_ROW)
    written = _written(distinct, possible)
    placed = best.join(distinct, on=best.columns, how="left", maintain_order="left")
    return written.gather(placed[_ROW]).alias(REASONS)


@lru_cache(maxsize=CACHED_RULE_SETS)
def _places(compiled: CompiledRuleSet) -> tuple[Sequence[pl.Expr], Sequence[Reason]]:
    """Return a column of places for each characteristic, and the reasons at the places."""
    entries = [
        (reason, at)
        for at, member in enumerate(compiled.characteristics)
        for reason in dict.fromkeys(member.reasons)
        if reason is not None
    ]
    entries.sort(key=lambda entry: (-entry[0].rank, entry[1]))
    places = {entry: place for place, entry in enumerate(entries)}
    none = len(entries)
    columns = [
        pl.lit(
            pl.Series(
                [none if r is None else places[r, at] for r in member.reasons], dtype=pl.UInt16
            )
        )
        .gather(pl.col(class_column(member.slot)))
        .alias(member.characteristic.id)
        for at, member in enumerate(compiled.characteristics)
    ]
    return columns, [reason for reason, _ in entries]


def _smallest(places: pl.DataFrame, none: int, top: int) -> pl.DataFrame:
    """Return the ``top`` smallest places of each row in order, ``none`` where there are fewer.

    No two characteristics share a place, so the next smallest is the smallest of the larger ones.
    """
    absent = pl.lit(none, dtype=pl.UInt16)
    found = [places.select(pl.min_horizontal(pl.all())).to_series().alias("0")]
    for at in range(1, top):
        larger = pl.all() > found[-1]
        rest = places.select(pl.min_horizontal(pl.when(larger).then(pl.all()).otherwise(absent)))
        found.append(rest.to_series().alias(str(at)))
    return pl.DataFrame(found)


def _written(combinations: pl.DataFrame, possible: Sequence[Reason]) -> pl.Series:
    """Return the list of reasons of each combination of places."""
    rows = [
        {
            "code": reason.code,
            "characteristic": reason.characteristic,
            "points": reason.points,
            "lost": reason.lost,
        }
        for reason in possible
    ]
    texts = pl.lit(pl.Series(rows, dtype=REASON_TYPE))
    given = (
        combinations.unpivot(index=_ROW, value_name=_PLACE)
        .filter(pl.col(_PLACE) < len(possible))
        .sort(_ROW, _PLACE)
        .select(_ROW, texts.gather(pl.col(_PLACE)).alias(REASONS))
        .group_by(_ROW, maintain_order=True)
        .agg(REASONS)
    )
    whole = combinations.select(_ROW).join(given, on=_ROW, how="left", maintain_order="left")
    # Gathering from a column in several chunks takes thirty times as long.
    return whole[REASONS].fill_null(pl.Series([[]], dtype=pl.List(REASON_TYPE))).rechunk()
