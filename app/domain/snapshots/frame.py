"""Snapshots over a whole book: what the scalar twin writes, from columns."""

from collections.abc import Sequence

import polars as pl

OVERRIDE = ("id", "mode", "tier", "until")
STATE_BEFORE = ("tier", "since", "last_downgrade_on", "first_lower_on", "evaluated_on")


def snapshots(frame: pl.DataFrame, facts: Sequence[str]) -> pl.Series:
    """The snapshot of each row as JSON; see `snapshot.write_snapshot`.

    Args:
        frame: the facts, the state before the evaluation in columns `before.<name>`, and the
            override that served on the day in columns `override.<name>`; null where there is none.
        facts: the names of the facts that are kept.
    """
    state = pl.struct(pl.col(f"before.{name}").alias(name) for name in STATE_BEFORE)
    known = pl.when(pl.col("before.tier").is_not_null()).then(state)
    override = pl.struct(pl.col(f"override.{name}").alias(name) for name in OVERRIDE)
    serving = pl.when(pl.col("override.id").is_not_null()).then(override)
    read = pl.struct(facts=pl.struct(pl.col(name) for name in facts), state=known, override=serving)
    return frame.select(snapshot=read.struct.json_encode()).to_series()
