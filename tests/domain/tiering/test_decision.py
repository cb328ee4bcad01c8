"""What a decision records: causes, completeness, outputs, staleness, reviews."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.rules.evaluation import Answer, Evaluation, Reason
from app.domain.rules.model import DowngradeStep, Stability
from app.domain.tiering.calendar import months_later
from app.domain.tiering.decision import (
    Cause,
    CauseKind,
    RuleSetReference,
    TierDecision,
    facts_completeness,
    is_stale,
    next_review_on,
    outputs_digest,
    outputs_text,
)
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.override import OverrideInForce
from app.domain.tiering.stability import settle

AS_OF = date(2026, 12, 31)
POLICY = Stability(90, DowngradeStep.ONE, 30, 30)
OUTCOMES: dict[str, Answer] = {
    "tier": "gold",
    "segment": "mid_market",
    "life_cycle_stage": "stable",
    "risk_grade": "B",
    "labels": ("vip_care",),
}
EVALUATION = Evaluation(
    dimensions={"value": 500, "loyalty": 700},
    score=600,
    outcomes=OUTCOMES,
    fired={"tier": ("TIER4",)},
    reasons=(Reason("V01", "premium_ratio", 55, 45, 72_000),),
)
DECISION = TierDecision(
    customer_id="C1",
    as_of=AS_OF,
    cause=Cause(CauseKind.API),
    rule_set=RuleSetReference("all", 1, "cafe"),
    primary_line="motor",
    evaluation=EVALUATION,
    settled=settle(None, "gold", AS_OF, POLICY, LADDER),
    facts_completeness=7_500,
)


def test_a_decision_answers_by_name() -> None:
    assert (DECISION.tier_evaluated, DECISION.tier_applied) == ("gold", "gold")
    assert (DECISION.segment, DECISION.life_cycle_stage) == ("mid_market", "stable")
    assert (DECISION.risk_grade, DECISION.labels) == ("B", ("vip_care",))


def test_a_rule_set_without_labels_gives_none() -> None:
    bare = replace(EVALUATION, outcomes={"tier": "gold"})
    assert replace(DECISION, evaluation=bare).labels == ()


@pytest.mark.parametrize("answer", [None, ("gold",)])
def test_a_decision_without_a_single_tier_is_refused(answer: Answer) -> None:
    unmatched = replace(EVALUATION, outcomes={"tier": answer})
    with pytest.raises(Invalid, match="decides no tier") as refused:
        _ = replace(DECISION, evaluation=unmatched).tier_evaluated
    assert refused.value.type == "rule-unmatched"


@pytest.mark.parametrize(
    "text", ["api", "timer", "event:a:b", "run:1", "override:0192-f", "run:a b"]
)
def test_a_cause_is_read_and_written_alike(text: str) -> None:
    assert str(Cause.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "cron", "api:1", "timer:", "event", "event:", "run: 1", "run:1 ", "run:a\nb", "Run:1",
     f"run:{'x' * 201}"],
)  # fmt: skip
def test_any_other_cause_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="A cause is api") as refused:
        Cause.parse(text)
    assert refused.value.type == "bad-cause"


@given(text=st.text())
def test_law_what_is_accepted_as_a_cause_is_written_back_unchanged(text: str) -> None:
    try:
        cause = Cause.parse(text)
    except Invalid:
        return
    assert str(cause) == text


@pytest.mark.parametrize(
    ("known", "inputs", "scaled"),
    [(0, 0, 10_000), (0, 4, 0), (3, 4, 7_500), (1, 3, 3_333), (2, 3, 6_667), (1, 32, 313)],
)
def test_completeness_is_rounded_half_up_to_four_digits(
    known: int, inputs: int, scaled: int
) -> None:
    names = [f"fact_{at}" for at in range(inputs)]
    assert facts_completeness(dict.fromkeys(names[:known], 0), names) == scaled


def test_the_outputs_have_one_canonical_form() -> None:
    assert outputs_text(DECISION).decode() == (
        '{"dimensions":{"loyalty":700,"value":500},"facts_completeness":7500,'
        '"fired":{"tier":["TIER4"]},"gap":null,"outcomes":{"labels":["vip_care"],'
        '"life_cycle_stage":"stable","risk_grade":"B","segment":"mid_market","tier":"gold"},'
        '"overridden_by":null,"primary_line":"motor","reasons":[{"characteristic":"premium_ratio","code":"V01",'
        '"lost":45,"points":55}],"rule_set_hash":"cafe","score":600,"tier_applied":"gold",'
        '"tier_evaluated":"gold"}'
    )
    assert len(outputs_digest(DECISION)) == 32


def test_when_and_why_it_was_decided_is_no_output() -> None:
    later = replace(
        DECISION,
        as_of=AS_OF + timedelta(1),
        cause=Cause(CauseKind.RUN, "1"),
        rule_set=RuleSetReference("all", 2, "cafe"),
        risk_model_version="2027",
        benchmark_version="2027",
    )
    assert outputs_digest(later) == outputs_digest(DECISION)


PIN = OverrideInForce(UUID(int=1), "pin", "diamond", AS_OF + timedelta(1))


def test_an_override_that_changes_nothing_is_no_output() -> None:
    floor = replace(PIN, mode="floor", tier="standard")
    assert outputs_digest(replace(DECISION, override=floor)) == outputs_digest(DECISION)


@pytest.mark.parametrize(
    "other",
    [
        replace(DECISION, primary_line=None),
        replace(DECISION, facts_completeness=7_501),
        replace(DECISION, gap="{}"),
        replace(DECISION, rule_set=RuleSetReference("all", 1, "beef")),
        replace(DECISION, evaluation=replace(EVALUATION, score=601)),
        replace(DECISION, evaluation=replace(EVALUATION, reasons=())),
        replace(DECISION, evaluation=replace(EVALUATION, fired={"tier": ("TIER1",)})),
        replace(DECISION, evaluation=replace(EVALUATION, outcomes=OUTCOMES | {"labels": ()})),
        replace(DECISION, settled=settle(None, "diamond", AS_OF, POLICY, LADDER)),
        replace(DECISION, override=PIN),
        # The tier is the same, but who decided it is not.
        replace(DECISION, override=replace(PIN, tier="gold")),
    ],
)
def test_any_stored_output_that_differs_makes_another_decision(other: TierDecision) -> None:
    assert outputs_digest(other) != outputs_digest(DECISION)


NOW = datetime(2026, 12, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "event", "rules", "stale"),
    [
        (timedelta(days=30), False, False, False),
        (timedelta(days=30, microseconds=1), False, False, True),
        (timedelta(0), True, False, True),
        (timedelta(0), False, True, True),
    ],
)
def test_a_tier_goes_stale_by_age_event_or_rule_set(
    *, age: timedelta, event: bool, rules: bool, stale: bool
) -> None:
    found = is_stale(
        evaluated_at=NOW - age,
        now=NOW,
        stale_after=timedelta(days=30),
        has_unapplied_event=event,
        has_newer_rule_set=rules,
    )
    assert found is stale


@pytest.mark.parametrize(
    ("cycle", "as_of", "review"),
    [
        ("half_yearly", date(2026, 8, 31), date(2027, 2, 28)),
        ("half_yearly", date(2027, 2, 27), date(2027, 2, 28)),
        ("half_yearly", date(2027, 2, 28), date(2027, 8, 31)),
        ("yearly", date(2026, 1, 1), date(2027, 8, 31)),
        ("yearly", date(2029, 8, 31), date(2030, 8, 31)),
    ],
)
def test_the_next_review_counts_from_the_decision(cycle: str, as_of: date, review: date) -> None:
    assert next_review_on(cycle, date(2026, 8, 31), as_of) == review


@pytest.mark.parametrize("cycle", [None, "no_review"])
def test_without_a_cycle_there_is_no_review(cycle: str | None) -> None:
    assert next_review_on(cycle, AS_OF, AS_OF) is None


@given(
    decided=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    as_of=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    cycle=st.sampled_from(["half_yearly", "yearly"]),
)
def test_law_the_next_review_is_the_first_one_after_the_day(
    decided: date, as_of: date, cycle: str
) -> None:
    step = {"half_yearly": 6, "yearly": 12}[cycle]
    reviews = (months_later(decided, step * turn) for turn in range(1, 300))
    assert next_review_on(cycle, decided, as_of) == next(day for day in reviews if day > as_of)
