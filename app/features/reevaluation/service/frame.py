"""A batch of the book: decided on frames, compared with what stands, and written out as CSV."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

import polars as pl

from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.frame import ArrowStream, facts_frame
from app.domain.rules.counterfactual.frame import gap
from app.domain.rules.frame import evaluate
from app.domain.rules.model import DIMENSION_PREFIX, Stability
from app.domain.snapshots.frame import OVERRIDE, STATE_BEFORE, snapshots
from app.domain.tiering.decision import COMPLETENESS_SCALE
from app.domain.tiering.frame import (
    deciding_line,
    facts_completeness,
    outputs_digest,
    override,
    settle,
)
from app.domain.tiering.ladder import LADDER
from app.features.reevaluation.service.summary import NO_TIER, Tally
from app.features.rule_sets.service import RuleSet
from app.infra.ids import new_ids

_STATES: Final = pl.Schema(
    {
        "customer_id": pl.String,
        "previous_decision_id": pl.String,
        "previous_digest": pl.Binary,
        **{f"before.{name}": pl.Date for name in STATE_BEFORE},
        "before.tier": pl.String,
    }
)
_OVERRIDES: Final = pl.Schema(
    {
        "customer_id": pl.String,
        **{f"override.{name}": pl.String for name in OVERRIDE},
        "override.until": pl.Date,
        # The columns of those that do not serve on the day are emptied, but for this one.
        "active_override_id": pl.String,
    }
)
_LINE: Final = "deciding_line"
_DIGEST_ROWS: Final = 4_000
_NO_DIGESTS: Final = pl.Series("outputs_digest", [], dtype=pl.Binary)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a whole run decides by."""

    run_id: UUID
    as_of: date
    evaluated_at: datetime
    in_force: Mapping[str, RuleSet]
    benchmark_versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Changes:
    """The customers of one batch whom one rule set decided otherwise than before."""

    rule_set: RuleSet
    rows: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Judged:
    """A batch after evaluation: what it came to, and what of it differs from what stands."""

    tally: Tally
    changes: Sequence[Changes]


@dataclass(frozen=True, slots=True)
class Held:
    """What stands of the customers of a batch.

    `states` are their scoring states and `overrides` their active overrides, as
    `repository.STATES_QUERY` and `repository.OVERRIDES_QUERY` give them.
    """

    states: ArrowStream
    overrides: ArrowStream


def judge(facts: ArrowStream, held: Held, rules: Rules) -> Judged:
    """Decide on a batch of facts.

    Args:
        facts: customer id and every fact.
        held: what stands of the same customers.
        rules: what the run decides by.
    """
    batch = with_standings(facts, held)
    tally, changes = Tally(customers=batch.height), []
    lines = batch.with_columns(deciding_line(rules.in_force).alias(_LINE))
    for (line,), part in lines.partition_by(_LINE, as_dict=True, include_key=False).items():
        rule_set = rules.in_force[str(line)]
        settled = _settled(part, rule_set, rules, tally)
        changed = settled.filter(
            ~pl.col("refused") & pl.col("outputs_digest").ne_missing(pl.col("previous_digest"))
        )
        _count(settled, tally)
        tally.changed += changed.height
        if changed.height:
            changes.append(Changes(rule_set, changed))
    return Judged(tally, changes)


def with_standings(facts: ArrowStream, held: Held) -> pl.DataFrame:
    """The facts of a batch, each customer with what stands of him.

    Args:
        facts: customer id and every fact.
        held: what stands of the same customers.

    Returns:
        The facts with the state before as `before.…`, `previous_decision_id` and `previous_digest`,
        and the active override as `override.…` and `active_override_id`, all null where none is.
    """
    known = pl.DataFrame(held.states).rename(
        {"decision_id": "previous_decision_id", "outputs_digest": "previous_digest"}
        | {name: f"before.{name}" for name in STATE_BEFORE}
    )
    batch = facts_frame(facts).join(
        known.cast(_STATES), on="customer_id", how="left", maintain_order="left"
    )
    return _with_overrides(batch, pl.DataFrame(held.overrides))


def served(decided: pl.DataFrame, policy: Stability, as_of: date) -> pl.DataFrame:
    """What serves after stability and overrides, of rows that `with_standings` made.

    Args:
        decided: the rows with `outcome.tier`, as the rules alone give it.
        policy: the stability block of the rule set that decided for all of them.
        as_of: business day of the evaluation.

    Returns:
        The rows with what `app.domain.tiering.frame.settle` and `override` add.
    """
    judged = decided.with_columns(
        pl.col("outcome.tier").alias("tier_evaluated"),
        *(pl.col(f"before.{name}").alias(name) for name in STATE_BEFORE),
    )
    return override(settle(judged, as_of, policy, LADDER), as_of, LADDER)


def _with_overrides(batch: pl.DataFrame, overrides: pl.DataFrame) -> pl.DataFrame:
    """The batch with each customer's active override, mostly without any."""
    if overrides.is_empty():
        nothing = (pl.lit(None, dtype=kind).alias(name) for name, kind in _OVERRIDES.items())
        return batch.with_columns(column for column in list(nothing)[1:])
    found = overrides.with_columns(pl.col("id").alias("active_override_id")).rename(
        {name: f"override.{name}" for name in OVERRIDE}
    )
    return batch.join(found.cast(_OVERRIDES), on="customer_id", how="left", maintain_order="left")


def _settled(part: pl.DataFrame, rule_set: RuleSet, rules: Rules, tally: Tally) -> pl.DataFrame:
    """The rows that can be judged, with facts, outputs, state after and digest."""
    compiled = rule_set.compiled
    outputs = evaluate(compiled, part).drop("customer_id")
    decided = part.hstack(outputs).with_columns(
        facts_completeness(compiled.document.facts).alias("facts_completeness")
    )
    errors = decided["input_error"].drop_nulls()
    if len(errors):
        tally.input_errors.update(errors.to_list())
        decided = decided.filter(pl.col("input_error").is_null())
    settled = served(decided, compiled.document.stability, rules.as_of)
    # The outputs as text are by far the widest thing there is, so few rows have theirs at a time.
    digests = [
        outputs_digest(rows, rule_set.stored.hash) for rows in settled.iter_slices(_DIGEST_ROWS)
    ]
    return settled.with_columns(pl.concat(digests) if digests else _NO_DIGESTS)


def _count(settled: pl.DataFrame, tally: Tally) -> None:
    counted = settled.filter(~pl.col("refused"))
    tally.refused += settled.height - counted.height
    moves = counted.group_by(pl.col("before.tier").fill_null(NO_TIER), "tier").len()
    tally.moves.update({(old, new): count for old, new, count in moves.iter_rows()})
    tally.segments += _counts(counted["outcome.segment"])
    tally.life_cycle_stages += _counts(counted["outcome.life_cycle_stage"])
    tally.risk_grades += _counts(counted["outcome.risk_grade"])


def _counts(column: pl.Series) -> Counter[str]:
    found: Counter[str] = Counter()
    found.update(dict(column.value_counts().iter_rows()))
    return found


@dataclass(frozen=True, slots=True)
class Chunk:
    """Changes that are written together, with everything that is stored of them."""

    rows: pl.DataFrame

    @property
    def customer_ids(self) -> list[str]:
        """Whose they are, in order."""
        return self.rows["customer_id"].to_list()

    def without(self, customer_ids: Sequence[str]) -> Chunk:
        """The chunk without some customers."""
        if not customer_ids:
            return self
        return Chunk(self.rows.filter(~pl.col("customer_id").is_in(customer_ids)))

    def snapshots(self) -> Iterator[tuple[str, str, str]]:
        """Customer id, decision id and snapshot of each row."""
        yield from self.rows.select("customer_id", "id", "snapshot").iter_rows()

    def standings_csv(self, columns: Sequence[str]) -> bytes:
        """The rows as staged standings."""
        rows = self.rows.with_columns(
            decision_id="id",
            override_id="overridden_by",
            outputs_digest=_hex("outputs_digest"),
        )
        return _csv(rows.select(columns))

    def decisions_csv(self, columns: Sequence[str], sealed: Sequence[bytes]) -> bytes:
        """The rows as decisions, with the sealed snapshots in their order."""
        ciphers = pl.Series("snapshot_cipher", sealed, dtype=pl.Binary)
        rows = self.rows.with_columns(ciphers).with_columns(
            snapshot_cipher=_hex("snapshot_cipher"),
            facts_completeness=pl.col("facts_completeness") / COMPLETENESS_SCALE,
        )
        return _csv(rows.select(columns))


def chunks(changes: Sequence[Changes], rules: Rules, size: int) -> Iterator[Chunk]:
    """Changes as they are written, at most `size` together.

    Those of one rule set are worked on together: looking for what would lift a tier takes the same
    time for ten customers as for a thousand.
    """
    by_rule_set: dict[str, list[Changes]] = {}
    for change in changes:
        by_rule_set.setdefault(change.rule_set.stored.hash, []).append(change)
    waiting: list[pl.DataFrame] = []
    rows = 0
    for group in by_rule_set.values():
        for piece in pl.concat(change.rows for change in group).iter_slices(size):
            if waiting and rows + piece.height > size:
                yield Chunk(pl.concat(waiting))
                waiting, rows = [], 0
            waiting.append(_written(piece, group[0].rule_set, rules))
            rows += piece.height
    if waiting:
        yield Chunk(pl.concat(waiting))


def _written(rows: pl.DataFrame, rule_set: RuleSet, rules: Rules) -> pl.DataFrame:
    """Everything that is stored of some changes, in columns that do not depend on the rule set."""
    document, stored = rule_set.compiled.document, rule_set.stored
    ids = [str(new) for new in new_ids(2 * rows.height)]
    version = rules.benchmark_versions.get
    return rows.select(
        "customer_id",
        "previous_decision_id",
        "tier",
        "source",
        "overridden_by",
        "active_override_id",
        "since",
        "last_downgrade_on",
        "first_lower_on",
        "grace_until",
        "evaluated_on",
        "outputs_digest",
        "primary_line",
        "score",
        "tier_evaluated",
        "tier_applied",
        "facts_completeness",
        pl.Series("id", ids[: rows.height], dtype=pl.String),
        pl.Series("assignment_id", ids[rows.height :], dtype=pl.String),
        snapshots(rows, list(CATALOGUE)),
        gaps(rows, rule_set),
        override_id="override.id",
        as_of=pl.lit(rules.as_of),
        evaluated_at=pl.lit(rules.evaluated_at.isoformat()),
        cause=pl.lit(f"run:{rules.run_id}"),
        rule_set_id=pl.lit(stored.rule_set_id),
        rule_set_version=pl.lit(stored.version),
        rule_set_hash=pl.lit(stored.hash),
        segment="outcome.segment",
        life_cycle_stage="outcome.life_cycle_stage",
        risk_grade="outcome.risk_grade",
        dimensions=_object({name: DIMENSION_PREFIX + name for name in document.dimensions}),
        outcomes=_object(
            {table.output.name: f"outcome.{table.output.name}" for table in document.tables}
        ),
        fired=_object({table.id: f"fired.{table.id}" for table in document.tables}),
        reasons=_json_list("reasons"),
        risk_model_version=pl.lit(document.risk_model, dtype=pl.String),
        benchmark_version=pl.when("is_corporate")
        .then(pl.lit(version("corporate"), dtype=pl.String))
        .otherwise(pl.lit(version("individual"), dtype=pl.String)),
    )


def gaps(rows: pl.DataFrame, rule_set: RuleSet) -> pl.Series:
    """What would lift each row's tier, as JSON text; null where nothing is above it."""
    found = gap(rule_set.compiled, rows)
    both = pl.struct("target", "moves").struct.json_encode()
    return found.select(gap=pl.when(pl.col("target").is_not_null()).then(both)).to_series()


def _object(columns: Mapping[str, str]) -> pl.Expr:
    return pl.struct(
        pl.col(column).alias(name) for name, column in columns.items()
    ).struct.json_encode()


def _json_list(name: str) -> pl.Expr:
    """A list column as JSON; only a struct can be encoded, so what is around the list is cut."""
    text = pl.struct(pl.col(name).alias("l")).struct.json_encode()
    return text.str.slice(len('{"l":'), text.str.len_chars() - len('{"l":}'))


def _hex(name: str) -> pl.Expr:
    return pl.concat_str(pl.lit("\\x"), pl.col(name).bin.encode("hex"))


def _csv(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_csv(buffer, include_header=False)
    return buffer.getvalue()
