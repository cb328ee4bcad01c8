"""The tiering rules over a whole book: the same meanings as their scalar twins, on columns.

Column names follow the stored scoring state: `tier`, `since`, `last_downgrade_on`,
`first_lower_on`, `evaluated_on` (all null before a customer's first evaluation). Those of an
override are `override.id`, `override.mode`, `override.tier`, `override.until` (all null where there
is none).
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final

import polars as pl

from app.domain.errors import Invalid
from app.domain.rules.model import DowngradeStep, Stability
from app.domain.tiering.decision import COMPLETENESS_SCALE
from app.domain.tiering.ladder import Ladder
from app.domain.tiering.selection import require_all
from app.domain.tiering.stability import CLOCKS, days_between_downgrades
from app.domain.words import ALL, CORPORATE

_STATE: Final = {
    "tier": pl.String(),
    "since": pl.Date(),
    "last_downgrade_on": pl.Date(),
    "first_lower_on": pl.Date(),
    "evaluated_on": pl.Date(),
}
_OVERRIDE: Final = {
    "override.id": pl.String(),
    "override.mode": pl.String(),
    "override.tier": pl.String(),
    "override.until": pl.Date(),
}
_STEPS: Final = ("_evaluated", "_held", "_lower", "_first_lower", "_falls", "_reached")


def deciding_line(in_force: Collection[str]) -> pl.Expr:
    """Per customer, the product line whose rule set decides; see `selection.deciding_line`.

    Reads `is_corporate`, `primary_line` and `last_line`. Raises `Conflict` if `all` has no rule set
    in force: over a book, somebody will need it.
    """
    require_all(in_force)
    line = (
        pl.when(pl.col("is_corporate"))
        .then(pl.lit(CORPORATE))
        .otherwise(pl.coalesce("primary_line", "last_line", pl.lit(ALL)))
    )
    return pl.when(line.is_in(list(in_force))).then(line).otherwise(pl.lit(ALL))


def facts_completeness(inputs: Sequence[str]) -> pl.Expr:
    """Known inputs over all inputs, scaled; see `decision.facts_completeness`."""
    if not inputs:
        return pl.lit(COMPLETENESS_SCALE, dtype=pl.Int64)
    known = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int64) for name in inputs)
    return known.mul(2 * COMPLETENESS_SCALE).add(len(inputs)).floordiv(2 * len(inputs))


def settle(frame: pl.DataFrame, as_of: date, policy: Stability, ladder: Ladder) -> pl.DataFrame:
    """Apply one evaluation to every customer's tier; see `stability.settle`.

    Args:
        frame: any columns, with `tier_evaluated` and the state columns of this module.
        as_of: business day of the evaluation.
        policy: the stability block of the rule set that decided for all of these customers.
        ladder: the tiers in order.

    Returns:
        The frame with the state columns moved on and `tier_applied`, `source`, `grace_until`,
        `held_by`, `changed`, `refused` added. Where `refused` (the customer was already evaluated
        for a later day) nothing moved and the other five say nothing.

    Raises:
        Invalid: `unknown-tier` if a tier is not on the ladder.
    """
    known = pl.col("tier_evaluated").is_in(ladder.tiers) & (
        pl.col("tier").is_null() | pl.col("tier").is_in(ladder.tiers)
    )
    frame = frame.with_columns(pl.col(name).cast(kind) for name, kind in _STATE.items())
    if not frame.select(known.fill_null(value=False).all()).item():
        detail = f"A tier is not on the ladder; it has {', '.join(ladder.tiers)}."
        raise Invalid("unknown-tier", detail)
    steps = _stepped(frame, as_of, policy, ladder)
    moved = steps.with_columns(
        pl.when("refused").then(name).otherwise(value).alias(name)
        for name, value in _moved(as_of, ladder).items()
    )
    waiting = pl.col("first_lower_on").is_not_null() & ~pl.col("refused")
    due, held_by = _due("first_lower_on", policy)
    return moved.with_columns(
        tier_applied=pl.when(~pl.col("refused")).then("tier"),
        source=pl.when(~pl.col("refused")).then(
            pl.when(waiting).then(pl.lit("grace")).otherwise(pl.lit("evaluated"))
        ),
        grace_until=pl.when(waiting).then(due),
        held_by=pl.when(waiting).then(held_by),
        changed=~pl.col("refused") & _changed(),
    ).drop(_STEPS)


def _stepped(frame: pl.DataFrame, as_of: date, policy: Stability, ladder: Ladder) -> pl.DataFrame:
    """Add `refused` and the columns that say how far each customer moves, as ladder positions."""
    positions = {tier: position for position, tier in enumerate(ladder.tiers)}
    evaluated, held = pl.col("_evaluated"), pl.col("_held")
    reached = evaluated
    if policy.downgrade_step is DowngradeStep.ONE:
        reached = pl.min_horizontal(evaluated, held + 1)
    return (
        frame.with_columns(
            _evaluated=pl.col("tier_evaluated").replace_strict(positions, return_dtype=pl.Int64),
            _held=pl.col("tier").replace_strict(positions, default=None, return_dtype=pl.Int64),
            refused=(pl.col("evaluated_on") > as_of).fill_null(value=False),
        )
        .with_columns(_lower=(evaluated > held).fill_null(value=False))
        .with_columns(_first_lower=pl.when("_lower").then(pl.coalesce("first_lower_on", as_of)))
        .with_columns(_falls=pl.col("_lower") & (_due("_first_lower", policy)[0] <= as_of))
        .with_columns(
            _reached=pl.when("_falls").then(reached).when("_lower").then(held).otherwise(evaluated)
        )
    )


def _changed() -> pl.Expr:
    return pl.col("_held").is_null() | (pl.col("_reached") != pl.col("_held"))


def _moved(as_of: date, ladder: Ladder) -> dict[str, pl.Expr]:
    """The state columns after the evaluation."""
    tiers = dict(enumerate(ladder.tiers))
    waits = pl.col("_evaluated") > pl.col("_reached")
    return {
        "tier": pl.col("_reached").replace_strict(tiers, return_dtype=pl.String),
        "since": pl.when(_changed()).then(as_of).otherwise("since"),
        "last_downgrade_on": pl.when("_falls").then(as_of).otherwise("last_downgrade_on"),
        # A further step down gets its own grace, so that each is announced.
        "first_lower_on": pl.when(waits).then(
            pl.when("_falls").then(as_of).otherwise("_first_lower")
        ),
        "evaluated_on": pl.lit(as_of),
    }


def _due(first_lower: str, policy: Stability) -> tuple[pl.Expr, pl.Expr]:
    """The day a downgrade takes effect, and the clock that runs out last."""
    ends = (
        pl.col("since") + timedelta(policy.min_dwell_days),
        pl.col("last_downgrade_on") + timedelta(days_between_downgrades(policy)),
        pl.col(first_lower) + timedelta(policy.grace_days),
    )
    due = pl.max_horizontal(ends)
    clock = pl.coalesce(
        pl.when(end == due).then(pl.lit(name)) for name, end in zip(CLOCKS, ends, strict=True)
    )
    return due, clock


def override(frame: pl.DataFrame, as_of: date, ladder: Ladder) -> pl.DataFrame:
    """Let overrides replace what stability lets serve; see `override.overridden_tier`.

    Args:
        frame: what `settle` answers, with the override columns of this module.
        as_of: business day of the evaluation.
        ladder: the tiers in order.

    Returns:
        The frame with `tier_applied` and `source` as they serve, and `overridden_by` added: the id
        of the override that is why, null where none is. The columns of an override that does not
        serve on the day are null. Where `refused`, nothing is replaced.

    Raises:
        Invalid: `unknown-tier` if a tier is not on the ladder.
    """
    frame = frame.with_columns(pl.col(name).cast(kind) for name, kind in _OVERRIDE.items())
    if frame["override.id"].null_count() == frame.height:
        return frame.with_columns(overridden_by=pl.lit(None, dtype=pl.String))
    known = pl.col("override.tier").is_null() | pl.col("override.tier").is_in(ladder.tiers)
    if not frame.select(known.all()).item():
        detail = f"A tier is not on the ladder; it has {', '.join(ladder.tiers)}."
        raise Invalid("unknown-tier", detail)
    serves = (pl.col("override.until") > as_of).fill_null(value=False)
    frame = frame.with_columns(pl.when(serves).then(name).alias(name) for name in _OVERRIDE)
    positions = {tier: position for position, tier in enumerate(ladder.tiers)}
    own, wanted = (
        pl.col(name).replace_strict(positions, default=None, return_dtype=pl.Int64)
        for name in ("tier_applied", "override.tier")
    )
    mode = pl.col("override.mode")
    replaces = (
        pl.when(mode == "pin")
        .then(own.is_not_null())
        .when(mode == "floor")
        .then(wanted < own)
        .when(mode == "ceiling")
        .then(wanted > own)
    ).fill_null(value=False)
    return frame.with_columns(
        tier_applied=pl.when(replaces).then("override.tier").otherwise("tier_applied"),
        source=pl.when(replaces).then(pl.lit("override")).otherwise("source"),
        overridden_by=pl.when(replaces).then("override.id"),
    )


def outputs_text(frame: pl.DataFrame, rule_set_hash: str) -> pl.Series:
    """The outputs of every decision in one canonical form; see `decision.outputs_text`.

    Args:
        frame: what `rules.frame.evaluate` answers, with `primary_line`, `facts_completeness`,
            `tier_evaluated`, `tier_applied`, `overridden_by` and, where it was asked for, `gap`
            (String).
        rule_set_hash: content of the rule set that decided for all of these customers.

    Returns:
        A String series.
    """
    gap = pl.col("gap") if "gap" in frame.columns else pl.lit(None, dtype=pl.String)
    reason = pl.element().struct
    text = pl.struct(
        dimensions=_grouped(frame, "dimension."),
        facts_completeness="facts_completeness",
        fired=_grouped(frame, "fired."),
        gap=gap,
        outcomes=_grouped(frame, "outcome."),
        overridden_by="overridden_by",
        primary_line="primary_line",
        reasons=pl.col("reasons").list.eval(
            pl.struct(reason.field(name) for name in ("characteristic", "code", "lost", "points"))
        ),
        rule_set_hash=pl.lit(rule_set_hash),
        score="score",
        tier_applied="tier_applied",
        tier_evaluated="tier_evaluated",
    )
    return frame.select(outputs=text.struct.json_encode()).to_series()


def _grouped(frame: pl.DataFrame, prefix: str) -> pl.Expr:
    """The columns of one prefix as a struct with the names after it, sorted."""
    names = sorted(name for name in frame.columns if name.startswith(prefix))
    return pl.struct(pl.col(name).alias(name.removeprefix(prefix)) for name in names)


def outputs_digest(frame: pl.DataFrame, rule_set_hash: str) -> pl.Series:
    """SHA-256 of `outputs_text` per row: a Binary series."""
    texts = outputs_text(frame, rule_set_hash)
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    return pl.Series("outputs_digest", digests, dtype=pl.Binary)
