"""Digests and snapshots over a whole book: the same meanings as their scalar twins, on columns."""

from collections.abc import Sequence

import polars as pl

from app.domain.decisions.digest import digest_of
from app.domain.rules.model import DIMENSION_PREFIX, HitPolicy, RuleSetDocument

STATE_BEFORE = ("tier", "since", "last_downgrade_on", "first_lower_on", "evaluated_on")


def outputs_digest(frame: pl.DataFrame, document: RuleSetDocument, rule_set_hash: str) -> pl.Series:
    """SHA-256 of the outputs of each decision; see `digest.outputs_digest`.

    Reads the columns of an evaluation under this document, those that `tiering.frame.settle` adds,
    `primary_line`, `facts_completeness` and `benchmark_version`.
    """
    parts = [
        pl.lit(rule_set_hash),
        pl.col("primary_line"),
        pl.col("facts_completeness"),
        pl.col("score"),
        *(pl.col(DIMENSION_PREFIX + name) for name in document.dimensions),
        *(
            _listed(f"outcome.{table.output.name}")
            if table.hit_policy is HitPolicy.COLLECT
            else pl.col(f"outcome.{table.output.name}")
            for table in document.tables
        ),
        *(_listed(f"fired.{table.id}") for table in document.tables),
        _reasons(),
        pl.col("tier_applied"),
        pl.col("source"),
        pl.col("grace_until"),
        pl.col("benchmark_version"),
    ]
    text = pl.concat_str([part.cast(pl.String).fill_null("") for part in parts], separator="|")
    written = frame.select(text).to_series()
    return pl.Series("outputs_digest", [digest_of(line) for line in written], dtype=pl.Binary)


def snapshots(frame: pl.DataFrame, facts: Sequence[str]) -> pl.Series:
    """The snapshot of each row as JSON; see `snapshot.write_snapshot`.

    Args:
        frame: the facts, and the state before the evaluation in columns `before.<name>`.
        facts: the names of the facts that are kept.
    """
    state = pl.struct(pl.col(f"before.{name}").alias(name) for name in STATE_BEFORE)
    known = pl.when(pl.col("before.tier").is_not_null()).then(state)
    both = pl.struct(facts=pl.struct(pl.col(name) for name in facts), state=known)
    return frame.select(snapshot=both.struct.json_encode()).to_series()


def _listed(name: str) -> pl.Expr:
    return pl.col(name).list.join(",")


def _reasons() -> pl.Expr:
    fields = ("code", "characteristic", "points", "lost")
    element = pl.element().struct
    one = pl.concat_str([element.field(name).cast(pl.String) for name in fields], separator=":")
    return pl.col("reasons").list.eval(one).list.join(";")
