"""Explanations say in both languages what was decided and what would lift it."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import FactValue
from app.domain.rules.counterfactual.levers import Move
from app.domain.rules.model import DowngradeStep, ReasonText, RuleSetDocument, Text
from app.domain.tiering.decision import RuleSetReference
from app.domain.tiering.explanation import (
    Grounds,
    LiftPiece,
    ReasonPiece,
    explain,
    fact_name,
    reason_piece,
    segment_name,
    value_text,
)
from app.domain.tiering.ladder import LADDER
from app.domain.tiering.override import OverrideInForce, overridden_tier
from app.domain.tiering.record import GivenReason
from app.domain.tiering.stability import StabilityState, settle
from app.domain.words import SEGMENTS, OverrideMode
from tests.domain.templates.books import template

AS_OF = date(2026, 12, 31)
ABOUT_PREMIUMS = Text("Annual premium against the market average", "年保费与行业均值之比")
DOCUMENT: RuleSetDocument = template("all").document


UNTIL = date(2027, 3, 1)


def override(mode: OverrideMode, tier: str, until: date = UNTIL) -> OverrideInForce:
    return OverrideInForce(UUID(int=1), mode, tier, until)


def grounds(tier: str, held: str | None = None, override: OverrideInForce | None = None) -> Grounds:
    since = date(2026, 1, 1)
    state = None if held is None else StabilityState(held, since, None, None, since)
    settled = settle(state, tier, AS_OF, DOCUMENT.stability, LADDER)
    return Grounds(
        tier_applied=overridden_tier(settled.applied_tier, override, LADDER),
        tier_held=settled.applied_tier,
        tier_evaluated=tier,
        since=settled.state.since,
        grace_until=settled.grace_until,
        held_by=settled.held_by,
        segment="mid_market",
        reasons=[GivenReason("V01", "premium_ratio", 55, 45)],
        rule_set=RuleSetReference("all", 3, "cafe"),
        as_of=AS_OF,
        override=override,
    )


def test_an_explanation_has_tier_segment_reasons_lifts_and_rule_set() -> None:
    move = Move("annual_premium", 1_200_000, 8_000_001, "diamond")
    told = explain(grounds("gold"), DOCUMENT, [move], LADDER)
    assert told.tier == Text(
        "The tier is Gold, since 2026-12-31.", "当前等级为黄金，自 2026-12-31 起。"
    )
    assert told.segment == Text("The value segment is mid market.", "价值分层为中端。")
    assert (told.waiting, told.held_by, told.no_lift) == (None, None, None)
    assert told.reasons == (
        ReasonPiece(
            "V01",
            ReasonText("V01", ABOUT_PREMIUMS),
            55,
            45,
            Text(
                "Annual premium against the market average: 45 of 100 points are missing.",
                "年保费与行业均值之比：100 分中尚缺 45 分。",
            ),
        ),
    )
    assert told.lifts == (
        LiftPiece(
            "annual_premium",
            "diamond",
            Text(
                "Annual premium from 12,000.00 to 80,000.01 would reach Diamond.",
                "年保费由 12,000.00 变为 80,000.01，可达到钻石等级。",
            ),
        ),
    )
    assert told.rule_set == Text(
        "Decided by the rule set All lines (all, version 3), on what was known on 2026-12-31.",
        "由规则集“全险种”（all，第 3 版）依据截至 2026-12-31 的信息评定。",
    )


def test_a_waiting_downgrade_says_until_when_and_to_which_tier() -> None:
    told = explain(grounds("standard", held="diamond"), DOCUMENT, [], LADDER)
    assert told.tier.en == "The tier is Diamond, since 2026-01-01."
    assert told.waiting == Text(
        "The rules now give Standard. Diamond goes on serving until 2027-01-30; if nothing changes "
        "by then, the tier becomes Gold.",
        "规则现评定为标准。钻石服务延续至 2027-01-30；届时若无变化，等级将变为黄金。",
    )
    assert told.held_by == Text(
        "A downgrade is announced before it takes effect.", "降级生效前留有通知期。"
    )


def test_without_steps_a_waiting_downgrade_goes_to_the_evaluated_tier() -> None:
    stability = replace(DOCUMENT.stability, downgrade_step=DowngradeStep.ANY)
    document = replace(DOCUMENT, stability=stability)
    told = explain(grounds("standard", held="diamond"), document, [], LADDER)
    assert told.waiting is not None
    assert told.waiting.en.endswith("the tier becomes Standard.")


@pytest.mark.parametrize(
    ("tier", "text"),
    [
        ("diamond", "There is no better tier."),
        ("gold", "No single change would reach a better tier."),
    ],
)
def test_where_nothing_lifts_it_says_so(tier: str, text: str) -> None:
    told = explain(grounds(tier), DOCUMENT, [], LADDER)
    assert told.no_lift is not None
    assert told.no_lift.en == text


def test_a_null_bin_speaks_with_its_own_words() -> None:
    piece = reason_piece(GivenReason("R05", "driving", 15, 15), DOCUMENT)
    assert piece.text.en == "No driving data shared: 15 of 30 points are missing."
    assert (piece.code, piece.heading) == (
        "R05",
        ReasonText("R04", Text("Driving record", "驾驶行为")),
    )


@pytest.mark.parametrize(
    ("fact", "value", "en", "zh"),
    [
        ("annual_premium", 123_456_789, "1,234,567.89", "1,234,567.89"),
        ("clv", -105, "-1.05", "-1.05"),
        ("premium_ratio", 30_001, "3.0001", "3.0001"),
        ("premium_change_pct", -30, "-30%", "-30%"),
        ("product_lines", 2, "2", "2"),
        ("smoker", True, "yes", "是"),
        ("smoker", False, "no", "否"),
        ("nps", None, "unknown", "未知"),
        ("career_stage", "rising", "rising", "rising"),
    ],
)
def test_values_are_written_for_people(fact: str, value: FactValue, en: str, zh: str) -> None:
    assert value_text(CATALOGUE[fact], value) == Text(en, zh)


def test_every_fact_that_a_customer_can_change_has_a_short_name() -> None:
    for fact in CATALOGUE.values():
        name = fact_name(fact.name)
        assert (name.en != fact.name) == (name.zh != fact.name) == fact.influenceable


def test_every_segment_has_a_name_of_its_own() -> None:
    assert segment_name("high_net_worth") == Text("high net worth", "高净值")
    assert len({segment_name(segment) for segment in SEGMENTS}) == len(SEGMENTS)


@pytest.mark.parametrize(
    ("mode", "wanted", "wanted_zh"),
    [
        ("pin", "Gold", "定为黄金"),
        ("floor", "Gold at least", "不低于黄金"),
        ("ceiling", "Gold at most", "不高于黄金"),
    ],
)
def test_it_says_that_people_decided_what_and_until_when(
    mode: OverrideMode, wanted: str, wanted_zh: str
) -> None:
    evaluated = "diamond" if mode == "ceiling" else "standard"
    told = explain(grounds(evaluated, override=override(mode, "gold")), DOCUMENT, [], LADDER)
    assert told.override == Text(
        "People decided this: on a request, two officers of different departments approved that"
        f" the tier is {wanted}. From 2027-03-01 on the rules decide again.",
        f"该等级由人工决定：经申请，两名不同部门的主管批准等级{wanted_zh}。"
        "自 2027-03-01 起恢复由规则评定。",
    )
    assert told.tier.en == "The tier is Gold, since 2026-12-31."
    name = LADDER.display_names[evaluated].en
    assert told.evaluated is not None
    assert told.evaluated.en == f"Without that decision the tier would be {name}."
    # Gold is not the best tier, whatever the rules give.
    assert told.no_lift is not None
    assert told.no_lift.en == "No single change would reach a better tier."


@pytest.mark.parametrize(("mode", "tier"), [("floor", "gold"), ("ceiling", "diamond")])
def test_an_override_that_changes_nothing_is_not_why(mode: OverrideMode, tier: str) -> None:
    told = explain(grounds("gold", override=override(mode, tier)), DOCUMENT, [], LADDER)
    assert (told.override, told.evaluated) == (None, None)


def test_a_pin_to_the_evaluated_tier_is_why_all_the_same() -> None:
    told = explain(grounds("gold", override=override("pin", "gold")), DOCUMENT, [], LADDER)
    assert told.override is not None


def test_while_people_decide_no_downgrade_is_announced() -> None:
    waiting = grounds("standard", "gold")
    assert explain(waiting, DOCUMENT, [], LADDER).waiting is not None
    pinned = grounds("standard", "gold", override("pin", "diamond"))
    told = explain(pinned, DOCUMENT, [], LADDER)
    assert pinned.grace_until is not None
    assert (told.waiting, told.held_by) == (None, None)


def test_a_floor_that_will_keep_the_tier_leaves_no_downgrade_to_announce() -> None:
    due = grounds("standard", "gold").grace_until
    assert due is not None
    kept = grounds("standard", "gold", override("floor", "gold", due + timedelta(1)))
    assert explain(kept, DOCUMENT, [], LADDER).waiting is None
    ends_before = grounds("standard", "gold", override("floor", "gold", due))
    assert explain(ends_before, DOCUMENT, [], LADDER).waiting is not None
