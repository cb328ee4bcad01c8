"""Every code of the checker: what it says, how much it matters, who proves it, what to change."""

import json
import re
from typing import Any

import pytest
import yaml

from app.domain.rules import Finding, evaluate, parse_document
from app.domain.rules.check import CheckReport, box_text, check_compiled, check_document
from app.domain.rules.check.listing import MAX_LISTED
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.findings import Severity
from app.domain.rules.limits import Limits
from tests.domain.rules.samples import CATALOGUE, Raw, facts, sample


def sound() -> Raw:
    """The sample without what the checker rightly finds in it."""
    raw = sample()
    risk, segment, _, _, tier, module = raw["tables"]
    risk["hit_policy"] = "first"
    risk["rules"] = [risk["rules"][at] for at in (2, 3, 0, 1, 4)]
    segment["output"]["values"].remove("potential")
    tier["rules"].pop()
    module["complete"] = True
    module["output"]["values"].append("off")
    module["rules"].append(
        {"id": "M3", "when": {"occupation": "not(high), null", "smoker": "false, null"},
         "then": "off"}
    )  # fmt: skip
    return raw


def report(raw: Raw, limits: Limits = Limits()) -> CheckReport:  # noqa: B008 - frozen
    return check_document(raw, CATALOGUE, limits=limits)


def the(raw: Raw, code: str) -> Finding:
    """The one finding with this code."""
    (finding,) = [finding for finding in report(raw).findings if finding.code == code]
    return finding


def test_a_sound_rule_set_has_no_errors_and_no_warnings() -> None:
    found = report(sound())
    assert found.ok
    assert found.document is not None
    assert found.compiled is not None
    assert {finding.severity for finding in found.findings} <= {Severity.INFO, Severity.HINT}


def test_what_cannot_be_read_is_in_the_report_and_makes_no_document() -> None:
    raw = sound()
    raw["tables"][1]["rules"][0]["when"]["ratio"] = "> 100"
    found = report(raw)
    assert (found.ok, found.document, found.compiled) == (False, None, None)
    errors = [finding for finding in found.findings if finding.severity is Severity.ERROR]
    assert [finding.code for finding in errors] == ["cell-empty"]


def test_tests_of_the_document_run_where_the_rule_set_is_safe() -> None:
    raw = sound()
    raw["tests"][0]["expect"]["tier"] = "gold"
    assert the(raw, "test-failed").severity is Severity.ERROR
    raw["tables"][1]["rules"].pop()
    codes = {finding.code for finding in report(raw).findings}
    assert "gap" in codes
    assert "test-failed" not in codes


def test_gap_by_a_bound_to_move() -> None:
    raw = sound()
    raw["tables"][1]["rules"][1]["when"]["ratio"] = "[1..3)"
    finding = the(raw, "gap")
    assert finding.severity is Severity.ERROR
    assert finding.message == "The table is complete, but no row matches ratio = 3."
    assert finding.witness == (("ratio", "3"), ("growth", "0"))
    assert finding.remedy == 'In the row S2 let ratio be "[1..3]".'
    assert finding.box is not None
    assert box_text(finding.box) == "ratio = 3"
    raw["tables"][1]["rules"][1]["when"]["ratio"] = "[1..3]"
    assert report(raw).ok


def followed(table: Raw, remedy: str) -> None:
    """Do to a table what a remedy proposes."""
    if remedy.startswith("Add the row "):
        row = remedy.removeprefix("Add the row ").split("; its answer")[0]
        table["rules"].append(yaml.safe_load(row))
    else:
        found = re.fullmatch(r"In the row (\S+) let (\S+) be (\".*\")\.", remedy)
        assert found is not None
        name, column, cell = found.groups()
        (rule,) = [rule for rule in table["rules"] if rule["id"] == name]
        rule["when"][column] = json.loads(cell)


def test_gaps_are_closed_by_following_what_is_proposed_as_it_is_written() -> None:
    raw = sound()
    table = raw["tables"][1]
    table["rules"] = [
        {"id": "S1", "when": {"ratio": "< 1", "growth": "< 2"}, "then": "base"},
        {"id": "S2", "when": {"ratio": "> 3", "growth": "> 5"}, "then": "mid_market"},
    ]
    raw["tests"] = []
    followed_remedies = []
    while gaps := [f for f in report(raw).findings if f.code in ("gap", "null-unhandled")]:
        followed_remedies.append(gaps[0].remedy)
        followed(table, gaps[0].remedy)
        assert len(followed_remedies) < 10
    assert {remedy.split(" ", 1)[0] for remedy in followed_remedies} == {"Add", "In"}
    assert report(raw).ok


def test_gap_of_a_table_that_is_not_complete_is_a_warning() -> None:
    raw = sound()
    raw["tables"][5]["complete"] = False
    raw["tables"][5]["rules"].pop(0)
    finding = the(raw, "gap")
    assert finding.severity is Severity.WARNING
    assert finding.message == "No row matches occupation is high."


def test_a_set_may_be_empty_and_has_no_gap_unless_it_claims_to_be_complete() -> None:
    raw = sound()
    labels = raw["tables"][3]
    assert "gap" not in {f.code for f in report(raw).findings}
    labels["complete"] = True
    gaps = [f for f in report(raw).findings if f.code in ("gap", "null-unhandled")]
    assert {(f.table, f.severity) for f in gaps} == {("labels", Severity.ERROR)}


def test_a_new_row_gets_a_name_that_is_free() -> None:
    raw = sound()
    rules = raw["tables"][5]["rules"]
    raw["tables"][5]["rules"] = [
        {**rules[0], "id": "NEW", "when": {"occupation": "high", "smoker": "true"}},
        {**rules[1], "id": "NEW2", "when": {"occupation": "low", "smoker": "false"}},
    ]
    raw["tables"][5]["output"]["values"] = ["on"]
    remedies = [f.remedy for f in report(raw).findings if f.code == "gap"]
    assert any(remedy.startswith("Add the row {id: NEW3, when:") for remedy in remedies)


def test_null_unhandled() -> None:
    raw = sound()
    raw["tables"][1]["rules"][3]["when"]["ratio"] = "< 1"
    finding = the(raw, "null-unhandled")
    assert finding.severity is Severity.ERROR
    assert finding.message.startswith(
        "The table is complete, but no row matches ratio is missing. Only the missing ratio"
    )
    assert finding.witness == (("ratio", "null"), ("growth", "0"))
    assert finding.remedy == 'In the row S2 let ratio be "[1..3], null".'


def test_null_unhandled_where_two_inputs_are_missing_together() -> None:
    raw = sound()
    table = raw["tables"][5]
    table["rules"] = [
        {"id": "M1", "when": {"occupation": "not(null)"}, "then": "on"},
        {"id": "M2", "when": {"occupation": "null", "smoker": "true"}, "then": "off"},
        {"id": "M3", "when": {"occupation": "null", "smoker": "false"}, "then": "off"},
    ]
    finding = the(raw, "null-unhandled")
    assert finding.box is not None
    assert box_text(finding.box) == "occupation is missing, smoker is missing"


@pytest.mark.parametrize(
    ("policy", "severity"),
    [("unique", "error"), ("any", "error"), ("first", "info"), ("priority", "info")],
)
def test_overlap_conflict(policy: str, severity: str) -> None:
    raw = sound()
    raw["tables"][1] |= {"hit_policy": policy}
    raw["tables"][1]["rules"][1]["when"]["ratio"] = "[0.9..3]"
    found = report(raw).findings
    (finding,) = [f for f in found if f.code == "overlap-conflict" and f.table == "segment"]
    assert finding.severity.value == severity
    assert finding.rules == ("S2", "S4")
    assert finding.path == "tables[1].rules[S4]"
    assert finding.message.startswith("S2 and S4 both match ratio in [0.9..1): mid_market or base?")
    assert finding.witness == (("ratio", "0.9"), ("growth", "0"))
    if severity == "error":
        assert finding.remedy == 'In the row S4 let ratio be "< 0.9, null".'
    else:
        assert finding.message.endswith("S2 comes first.")


def test_the_bound_that_is_proposed_ends_the_overlap_and_opens_no_gap() -> None:
    raw = sound()
    raw["tables"][1]["rules"][1]["when"]["ratio"] = "[0.9..3]"
    raw["tables"][1]["rules"][3]["when"]["ratio"] = "< 0.9, null"
    assert report(raw).ok


@pytest.mark.parametrize(("policy", "severity"), [("unique", "error"), ("first", "info")])
def test_overlap_same(policy: str, severity: str) -> None:
    raw = sound()
    raw["tables"][1]["hit_policy"] = policy
    raw["tables"][1]["rules"].insert(
        0, {"id": "S5", "when": {"ratio": "0.95", "growth": "7"}, "then": "base"}
    )
    finding = the(raw, "overlap-same")
    assert (finding.severity.value, finding.rules) == (severity, ("S5", "S4"))
    assert finding.message.startswith("S5 and S4 both match ratio = 0.95, growth = 7, both with")
    if policy == "unique":
        assert finding.remedy == "Remove the row S5."


def test_overlaps_that_cannot_be_mended_by_one_bound_say_what_is_left_over() -> None:
    raw = sound()
    raw["tables"][1]["rules"].append(
        {"id": "S5", "when": {"ratio": "[2..5]", "growth": "1"}, "then": "base"}
    )
    remedies = {f.rules: f.remedy for f in report(raw).findings if f.code == "overlap-conflict"}
    assert remedies["S2", "S5"] == 'In the row S5 let ratio be "(3..5]".'
    raw["tables"][1]["rules"][4]["when"] = {"ratio": "2"}
    remedies = {f.rules: f.remedy for f in report(raw).findings if f.code == "overlap-conflict"}
    assert remedies["S2", "S5"] == 'In the row S2 let ratio be "[1..2), (2..3]".'
    raw["tables"][1]["rules"][4]["when"] = {"ratio": "[1..3]"}
    remedies = {f.rules: f.remedy for f in report(raw).findings if f.code == "overlap-conflict"}
    assert remedies["S2", "S5"] == "Remove S2 or S5."
    raw["tables"][1]["rules"][4]["when"] = {"ratio": "[2..5]", "growth": "[1..3]"}
    remedies = {f.rules: f.remedy for f in report(raw).findings if f.code == "overlap-conflict"}
    assert remedies["S1", "S5"].endswith("What it then leaves out needs a row of its own.")


def test_a_row_is_dead_by_the_union_of_better_ones() -> None:
    raw = sound()
    raw["tables"][2]["rules"][2:2] = [
        {"id": "L4", "when": {"policies": "[1..9]", "since": "null"}, "then": "new"},
        {"id": "L5", "when": {"policies": ">= 5", "since": "null"}, "then": "stable"},
        {"id": "L6", "when": {"since": "null"}, "then": "new"},
    ]
    finding = the(raw, "dead-rule")
    assert (finding.severity, finding.path) == (Severity.ERROR, "tables[2].rules[L6]")
    assert finding.rules == ("L6", "L1", "L4", "L5")
    assert finding.message == "L6 never answers: better rows take all of it, L1, L4, L5."
    assert finding.remedy == "Remove the row L6, or let it come before L1."
    assert dict(finding.witness)["since"] == "null"


def test_a_row_of_an_any_table_that_others_say_as_well_is_a_warning() -> None:
    raw = sound()
    raw["tables"][5]["hit_policy"] = "any"
    raw["tables"][5]["rules"].append({"id": "M4", "when": {"smoker": "true"}, "then": "on"})
    finding = the(raw, "dead-rule")
    assert (finding.severity, finding.rules) == (Severity.WARNING, ("M4", "M1", "M2"))
    assert finding.message == "M4 is not needed: others answer all of it alike, M1, M2."
    assert finding.remedy == "Remove the row M4."


def test_of_many_rows_the_first_are_named() -> None:
    raw = sound()
    raw["tables"][2]["rules"] = [
        {"id": f"L{at}", "when": {"policies": at if at < 50 else ">= 50"}, "then": "new"}
        for at in range(51)
    ] + [{"id": "END", "then": "stable"}]
    finding = the(raw, "dead-rule")
    assert finding.message.endswith("L0, L1, L2, L3, L4 and 46 more.")
    assert len(finding.rules) == 52


def unreachable() -> Raw:
    """Loyalty gives no points any more, so that the score ends at 600."""
    raw = sound()
    for bin_ in raw["scorecard"]["characteristics"][2]["bins"]:
        bin_["points"] = 0
    raw["tables"][4]["rules"][1]["when"]["score"] = ">= 700"
    raw["tables"][4]["rules"][2]["when"]["score"] = "< 700"
    raw["tests"] = []
    return raw


def test_a_row_that_asks_for_what_cannot_occur_never_matches() -> None:
    finding = the(unreachable(), "dead-rule")
    assert (finding.severity, finding.rules) == (Severity.WARNING, ("T2",))
    assert finding.message == "T2 matches nothing that can occur: score <= 699 always."
    assert (finding.box, finding.witness) == (None, ())


def test_unreachable_outcome_by_the_score() -> None:
    finding = the(unreachable(), "unreachable-outcome")
    assert (finding.severity, finding.rules) == (Severity.WARNING, ("T2",))
    assert finding.path == "tables[4].output.values.gold"
    assert finding.message == "Nobody can get gold: T2 never matches, since score <= 699 always."
    assert finding.remedy == "score goes from 0 to 600; move the bound of T2 to within."


def test_unreachable_outcome_without_a_row_and_by_better_rows() -> None:
    raw = sound()
    raw["tables"][2]["output"]["values"].append("dormant")
    assert the(raw, "unreachable-outcome").message == "No row gives dormant."
    raw["tables"][2]["rules"].insert(
        1, {"id": "L4", "when": {"policies": 0, "since": "null"}, "then": "dormant"}
    )
    finding = the(raw, "unreachable-outcome")
    assert finding.message == "Nobody can get dormant: better rows take all of L4."
    assert finding.remedy == "Move the bounds of L4 or take dormant out."


def test_a_gap_at_scores_that_nobody_reaches_is_none() -> None:
    raw = unreachable()
    raw["tables"][4]["rules"][1]["when"]["score"] = ">= 300"
    raw["tables"][4]["rules"][2]["when"]["score"] = "< 300"
    raw["tables"][4]["rules"].insert(
        0, {"id": "T0", "when": {"segment": "mid_market", "score": "> 600"}, "then": "diamond"}
    )
    codes = {finding.code for finding in report(raw).findings if finding.table == "tier"}
    assert codes == {"dead-rule"}


def test_partly_shadowed_is_a_hint() -> None:
    found = [f for f in report(sound()).findings if f.code == "partly-shadowed"]
    (stage,) = [f for f in found if f.table == "stage"]
    assert (stage.severity, stage.rules) == (Severity.HINT, ("L2", "L1"))
    assert stage.message.endswith("since >= 2020-01-01, L1 comes first. Such rows: L1.")
    assert stage.remedy == "Nothing is to be done if these are meant as exceptions to L2."
    assert dict(stage.witness) == {"policies": "0", "since": "2020-01-01"}


def test_subsumed_in_a_set_is_a_warning() -> None:
    raw = sound()
    raw["tables"][3]["rules"].append(
        {"id": "B5", "when": {"app_user": "true", "ratio": "> 3"}, "then": "digital"}
    )
    finding = the(raw, "subsumed")
    assert (finding.severity, finding.rules) == (Severity.WARNING, ("B5", "B1"))
    assert finding.message.startswith("B1 matches all that B5 does and answers the same.")
    assert finding.remedy == "Remove the row B5."
    assert dict(finding.witness)["ratio"] == "3.0001"


@pytest.mark.parametrize(("between", "told"), [("stable", True), ("new", False)])
def test_subsumed_by_a_later_row_is_a_hint_unless_their_order_matters(
    between: str, *, told: bool
) -> None:
    raw = sound()
    raw["tables"][2]["rules"][1:1] = [
        {"id": "L4", "when": {"policies": "[1..9]", "since": "null"}, "then": "stable"},
        {"id": "L5", "when": {"policies": "[2..3]"}, "then": between},
    ]
    rules = [f.rules for f in report(raw).findings if f.code == "subsumed"]
    assert (("L4", "L3") in rules) == told


def test_mergeable_is_a_hint_with_the_row_to_write() -> None:
    raw = sound()
    raw["tables"][1]["rules"][1:2] = [
        {"id": "S2", "when": {"ratio": "[1..2]"}, "then": "mid_market"},
        {"id": "S5", "when": {"ratio": "(2..3]"}, "then": "mid_market"},
    ]
    finding = the(raw, "mergeable")
    assert (finding.severity, finding.rules) == (Severity.HINT, ("S2", "S5"))
    assert finding.message.startswith("S2 and S5 differ in ratio only and answer the same.")
    row = '{id: S2, when: {ratio: "[1..3]"}, then: mid_market}'
    assert finding.remedy == f"Write one row: {row}."
    raw["tables"][1]["rules"][1:3] = [yaml.safe_load(row)]
    assert report(raw).findings == report(sound()).findings


@pytest.mark.parametrize(("between", "told"), [("[20..30]", True), ("[2..6]", False)])
def test_mergeable_rows_of_a_first_table_have_none_between_them_that_matters(
    between: str, *, told: bool
) -> None:
    raw = sound()
    raw["tables"][2]["rules"][1:1] = [
        {"id": "L4", "when": {"policies": "[1..3]"}, "then": "new"},
        {"id": "L5", "when": {"policies": between, "since": "null"}, "then": "stable"},
        {"id": "L6", "when": {"policies": "[4..9]"}, "then": "new"},
    ]
    rules = [f.rules for f in report(raw).findings if f.code == "mergeable"]
    assert (("L4", "L6") in rules) == told


def test_rows_that_take_everything_together_are_written_without_conditions() -> None:
    raw = sound()
    raw["tables"][1]["rules"] = [
        {"id": "S1", "when": {"ratio": "not(null)"}, "then": "base"},
        {"id": "S2", "when": {"ratio": "null"}, "then": "base"},
    ]
    assert the(raw, "mergeable").remedy == "Write one row: {id: S1, then: base}."


def test_duplicate() -> None:
    raw = sound()
    raw["tables"][3]["rules"].append({"id": "B5", "when": {"app_user": True}, "then": "digital"})
    finding = the(raw, "duplicate")
    assert (finding.severity, finding.rules) == (Severity.WARNING, ("B1", "B5"))
    assert finding.message.startswith("B1 and B5 match the same and answer the same.")
    assert finding.remedy == "Keep B1 and remove B5."
    assert finding.path == "tables[3].rules[B5]"


def test_unused_column() -> None:
    raw = sound()
    raw["tables"][1]["inputs"].append("premium")
    finding = the(raw, "unused-column")
    assert (finding.severity, finding.path) == (Severity.WARNING, "tables[1].inputs.premium")
    assert finding.message == "No row of segment asks about premium."
    assert finding.remedy == "Take premium out of the inputs, or let a row use it."


def test_non_monotone_points_with_null_aside() -> None:
    raw = sound()
    ratio = raw["scorecard"]["characteristics"][0]
    ratio["bins"][1]["points"] = 300
    ratio["bins"][3]["points"] = -50
    finding = the(raw, "non-monotone")
    assert (finding.severity, finding.witness) == (Severity.WARNING, (("ratio", "3.0001"),))
    assert finding.path == "scorecard.characteristics[ratio].bins"
    assert finding.message == (
        "ratio is increasing, but ratio > 3 gets 100 points after 300 for ratio in [1..3]."
    )
    assert finding.remedy == "Give ratio > 3 at least 300 points, or write trend: none."


def test_non_monotone_words_in_their_declared_order() -> None:
    raw = sound()
    health = raw["scorecard"]["characteristics"][3]
    health["trend"] = "decreasing"
    assert report(raw).ok
    health["bins"] = [{"when": "A, C", "points": 10}, {"when": "B, D, E, null", "points": 0}]
    finding = the(raw, "non-monotone")
    assert finding.witness == (("health", "C"),)
    assert finding.remedy == "Give health is C at most 0 points, or write trend: none."


def test_the_budget_ends_in_a_refusal_and_never_in_a_silent_pass() -> None:
    found = report(sound(), Limits(proof_steps=0))
    assert not found.ok
    tables = {f.table for f in found.findings if f.code == "inconclusive"}
    assert {"segment", "stage", "tier"} <= tables
    assert "inconclusive" not in {finding.code for finding in report(sound()).findings}


def test_facts_that_count_in_too_many_dimensions_are_said_to_be_too_many() -> None:
    raw = sound()
    items = raw["scorecard"]["characteristics"]
    # Each fact counts in two dimensions, in more ways together than are tried.
    for at, name in enumerate(("ratio", "growth", "claims", "delta")):
        for place, dimension in enumerate(("value", "loyalty")):
            items.append(
                {
                    "id": f"x{at}{place}",
                    "dimension": dimension,
                    "input": name,
                    "reason": {"code": f"X{at}{place}", "en": "x", "zh": "x"},
                    "bins": [
                        *({"when": f"{n}", "points": 3**n + place * n} for n in range(5)),
                        {"when": "not(0, 1, 2, 3, 4), null", "points": 0},
                    ],
                }
            )
    raw["tests"] = []
    finding = the(raw, "inconclusive")
    assert finding.path == "scorecard.characteristics"


def test_more_findings_than_are_listed_are_counted() -> None:
    raw = sound()
    raw["tables"][3]["rules"] = [
        {"id": f"B{at}", "when": {"ratio": "> 3"}, "then": "big"} for at in range(30)
    ] + [{"id": f"C{at}", "when": {"growth": str(at % 11)}, "then": "digital"} for at in range(60)]
    raw["tables"][3]["inputs"] = [*raw["tables"][3]["inputs"], *(["premium"])]
    found = [f for f in report(raw).findings if f.code == "duplicate"]
    assert len(found) == 12
    raw["tables"][3]["rules"] = [
        {"id": f"{side}{at}", "when": {"premium": str(at)}, "then": "digital"}
        for at in range(30)
        for side in "BC"
    ]
    found = [f for f in report(raw).findings if f.code == "duplicate"]
    assert len(found) == MAX_LISTED + 1
    assert found[-1].message == "There are 10 more like the 20 that are listed."
    assert (found[-1].path, found[-1].rules, found[-1].box) == ("tables[3]", (), None)


def test_the_same_rule_set_is_told_the_same_in_the_same_order() -> None:
    raw = unreachable()
    assert report(raw).findings == report(raw).findings
    document = parse_document(raw, CATALOGUE)
    again = check_compiled(compile_unproved(document, CATALOGUE))
    assert again == report(raw).findings


def test_a_witness_behind_scores_and_earlier_tables_is_a_customer() -> None:
    raw = sound()
    raw["tables"][4]["rules"][2]["when"]["score"] = "< 400"
    finding = the(raw, "gap")
    assert finding.box is not None
    assert box_text(finding.box) == "segment is mid_market, score in [400..499]"
    named: dict[str, Any] = dict(finding.witness)
    assert not {"segment", "score"} & set(named)
    compiled = compile_unproved(parse_document(raw, CATALOGUE), CATALOGUE)
    known = {"ratio": int(float(named.pop("ratio")) * 10_000)}
    known |= {name: int(value) for name, value in named.items() if value.isdigit()}
    answer = evaluate(compiled, facts(**known, policies=known.get("policies", 0)))
    assert answer.outcomes["segment"] == "mid_market"
    assert 400 <= answer.score <= 499
    assert answer.outcomes["tier"] is None


def test_a_witness_that_no_facts_bear_out_says_so() -> None:
    raw = sound()
    raw["tables"][4]["hit_policy"] = "unique"
    raw["tables"][4]["rules"].append(
        {"id": "T5", "when": {"segment": "base", "score": "> 900"}, "then": "gold"}
    )
    (clash,) = [
        f for f in report(raw).findings if f.code == "overlap-conflict" and f.table == "tier"
    ]
    assert clash.witness == (("segment", "base"), ("score", "901"))
    assert clash.message.endswith("The witness is at column level.")
