"""What is found in the parts of a document that can be read, beside errors of form elsewhere."""

from collections.abc import Iterable
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.rules import Finding, document_hash, parse_document
from app.domain.rules.check import CheckReport, box_text, check_compiled, check_document
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.findings import Severity
from app.domain.rules.limits import Limits
from app.domain.rules.writing import document_json
from tests.domain.rules.check import drawing
from tests.domain.rules.samples import CATALOGUE, Raw, sample

TABLES = ("risk", "segment", "stage", "labels", "tier", "module")
#: The tables that read what another decides.
READERS = {"segment": {"tier"}}
GAPS = ("gap", "null-unhandled")
OVERLAPS = ("overlap-conflict", "overlap-same")
REMARKS = ("not-checked", "partly-checked")


def planted() -> Raw:
    """The sample with something to find in each of its tables; it can be read."""
    raw = sample()
    raw["tests"] = []
    _, segment, stage, labels, tier, module = raw["tables"]
    segment["rules"][1]["when"]["ratio"] = "[1..3)"
    stage["rules"].insert(1, {"id": "L0", "when": {"policies": 0}, "then": "new"})
    labels["rules"].append({"id": "B5", "when": {"growth": "> 7"}, "then": "vip_care"})
    tier["rules"][2]["when"]["score"] = "< 400"
    module["rules"].append({"id": "M3", "when": {"smoker": "true"}, "then": "on"})
    return raw


def report(raw: Raw, limits: Limits = Limits()) -> CheckReport:  # noqa: B008 - frozen
    return check_document(raw, CATALOGUE, limits=limits)


def of_table(found: CheckReport, table: str) -> list[Finding]:
    return [finding for finding in found.findings if finding.table == table]


def remarks(found: CheckReport) -> dict[str | None, str]:
    """What is said of how tables were checked, by table."""
    return {f.table: f.message for f in found.findings if f.code in REMARKS}


def dead(found: CheckReport) -> set[str]:
    return {finding.rules[0] for finding in found.findings if finding.code == "dead-rule"}


def codes(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def test_a_cell_that_cannot_be_read_hides_nothing_of_other_tables() -> None:
    raw = planted()
    whole = report(raw)
    raw["tables"][5]["rules"][0]["when"]["occupation"] = "hihg"
    found = report(raw)
    assert (found.ok, found.document, found.compiled) == (False, None, None)
    assert found.findings[0].path == "tables[5].rules[M1].when.occupation"
    for table in TABLES[:5]:
        assert of_table(found, table) == of_table(whole, table)
        assert of_table(found, table)
    assert codes(of_table(found, "module")) == {"cell-out-of-range", "not-checked"}


def test_the_table_that_was_not_checked_is_named_with_the_reason() -> None:
    raw = planted()
    raw["tables"][5]["rules"][0]["when"]["occupation"] = "hihg"
    (remark,) = [f for f in report(raw).findings if f.code in REMARKS]
    assert (remark.path, remark.table) == ("tables[5]", "module")
    assert (remark.code, remark.severity) == ("not-checked", Severity.WARNING)
    assert remark.message == (
        "module was not checked for gaps, overlaps and dead rows: it has errors of its own."
    )
    assert remark.remedy == "Mend the errors and check again."


@pytest.mark.parametrize("broken", TABLES)
def test_only_the_table_with_the_error_and_those_that_read_it_are_told_otherwise(
    broken: str,
) -> None:
    raw = planted()
    whole = report(raw)
    raw["tables"][TABLES.index(broken)]["rules"][0]["then"] = "nonsense"
    found = report(raw)
    assert remarks(found).keys() == {broken, *READERS.get(broken, set())}
    for table in {*TABLES} - remarks(found).keys():
        assert of_table(found, table) == of_table(whole, table)


def test_tables_before_which_one_is_left_out_keep_their_places() -> None:
    raw = planted()
    raw["tables"][0]["rules"][0]["when"]["claims"] = "many"
    found = report(raw)
    paths = {f.table: f.path for f in found.findings if f.code in ("gap", "dead-rule")}
    assert paths["segment"] == "tables[1]"
    assert paths["stage"] == "tables[2].rules[L0]"


def test_a_table_that_reads_one_with_errors_is_checked_for_every_answer_that_is_listed() -> None:
    raw = planted()
    raw["tables"][1]["rules"][0]["when"]["ratio"] = "a lot"
    found = report(raw)
    assert remarks(found)["tier"] == (
        "tier was checked as if segment could be anything, since errors elsewhere leave open what"
        " occurs."
    )
    gaps = [f for f in of_table(found, "tier") if f.code == "gap"]
    assert [box_text(f.box or ()) for f in gaps] == ["segment is mid_market, score in [400..499]"]
    assert dict(gaps[0].witness) == {"segment": "mid_market", "policies": "3"}
    assert gaps[0].message.endswith("The witness is at column level.")


def test_a_table_that_reads_answers_which_cannot_be_read_is_not_checked() -> None:
    raw = planted()
    raw["tables"][1]["output"]["values"][1] = "mid market"
    found = report(raw)
    assert remarks(found)["tier"].endswith("dead rows: it has errors of its own.")
    raw["tables"][4]["rules"] = [{"id": "T1", "when": {"score": "> 9"}, "then": "gold"}]
    found = report(raw)
    assert remarks(found)["tier"].endswith(
        "dead rows: it reads segment, whose values could not be read."
    )
    assert "gap" not in codes(of_table(found, "tier"))


def test_what_is_not_certain_is_said_of_every_table_down_the_path() -> None:
    raw = planted()
    raw["tables"].append(
        {
            "id": "care",
            "output": {"name": "care", "values": ["yes"]},
            "inputs": ["tier"],
            "rules": [{"id": "C1", "when": {"tier": "diamond"}, "then": "yes"}],
        }
    )
    raw["tables"][1]["rules"][0]["when"]["ratio"] = "a lot"
    assert {table for table, told in remarks(report(raw)).items() if "as if" in told} == {
        "tier",
        "care",
    }


@pytest.mark.parametrize("part", ["objectives", "objective", "scorecard"])
def test_where_scores_are_not_known_any_of_them_may_occur(part: str) -> None:
    raw = planted()
    raw["tables"][1]["rules"][1]["when"]["ratio"] = "[1..3]"
    if part == "objectives":
        raw["objectives"]["renewal"]["value"] = 301
    elif part == "objective":
        del raw["objective"]
    else:
        raw["scorecard"]["characteristics"][0]["bins"].pop(0)
    found = report(raw)
    assert remarks(found)["tier"].startswith("tier was checked as if score could be anything")
    assert remarks(found)["risk"].startswith("risk was checked as if dimension.body could be")
    assert remarks(found).keys() == {"tier", "risk"}
    (gap,) = [f for f in of_table(found, "tier") if f.code == "gap"]
    assert box_text(gap.box or ()) == "segment is mid_market, score in [400..499]"
    assert dict(gap.witness) == {"ratio": "1", "growth": "0", "score": "400"}


def test_no_row_is_dead_for_a_score_that_nobody_reaches_where_scores_are_open() -> None:
    raw = planted()
    for bin_ in raw["scorecard"]["characteristics"][2]["bins"]:
        bin_["points"] = 0
    raw["tables"][4]["rules"][1]["when"]["score"] = ">= 700"
    assert "T2" in dead(report(raw))
    raw["objectives"]["renewal"]["value"] = 301
    assert "T2" not in dead(report(raw))


def test_points_against_their_trend_are_told_beside_a_characteristic_with_an_error() -> None:
    raw = planted()
    raw["scorecard"]["characteristics"][0]["bins"][1]["points"] = 300
    raw["scorecard"]["characteristics"][1]["bins"].pop()
    found = codes(list(report(raw).findings))
    assert {"bin-gap", "non-monotone"} <= found
    raw["scorecard"]["characteristics"][0]["bins"][0]["when"] = "less"
    assert "non-monotone" not in codes(list(report(raw).findings))


def test_a_forbidden_path_is_told_beside_an_error() -> None:
    raw = planted()
    raw["tables"][1]["inputs"].append("smoker")
    raw["title"] = {"en": "Sample"}
    raw["tables"][0]["rules"][0]["when"]["claims"] = "many"
    barred = [f for f in report(raw).findings if f.code == "forbidden-path"]
    assert [(f.path, f.table) for f in barred] == [
        ("tables[1].inputs.smoker", "segment"),
        ("tables[4].inputs.segment", "tier"),
    ]


def test_an_answer_whose_table_could_not_be_read_is_no_complaint_by_its_name() -> None:
    raw = planted()
    raw["tables"][0]["output"]["name"] = "complaints"
    raw["tables"][1]["inputs"].append("complaints")
    raw["tables"][0]["rules"][0]["when"]["claims"] = "many"
    found = report(raw)
    assert "complaints could be anything" in remarks(found)["segment"]
    assert "forbidden-path" not in codes(list(found.findings))


def test_errors_beyond_those_that_are_told_are_errors_of_their_table_all_the_same() -> None:
    raw = planted()
    raw["tables"][5]["rules"][0]["when"]["occupation"] = "hihg"
    odd = {f"odd_{at}": None for at in range(2_000)}
    found = report(odd | raw)
    assert codes(of_table(found, "module")) == {"not-checked"}
    assert remarks(found).keys() == {"module"}
    raw["scorecard"]["characteristics"][0]["bins"][1]["when"] = "some"
    found = report(odd | raw)
    assert "bin-overlap" not in codes(list(found.findings))
    assert remarks(found).keys() == {"module", "tier", "risk"}


def test_the_steps_of_a_proof_are_bounded_beside_errors_too() -> None:
    raw = planted()
    raw["title"] = {"en": "Sample"}
    told = [f for f in report(raw, Limits(proof_steps=0)).findings if f.code == "inconclusive"]
    assert {"segment", "stage", "tier"} <= {finding.table for finding in told}


def test_a_document_without_tables_that_can_be_read_is_told_its_errors_alone() -> None:
    found = report({"tables": [None], "objectives": 3})
    *errors, remark = found.findings
    assert {finding.severity for finding in errors} == {Severity.ERROR}
    assert remark.message.startswith("This table was not checked")
    assert remark.table is None


def test_a_document_whose_template_is_not_known_is_told_that_alone() -> None:
    found = report(planted() | {"extends": "motor@9"})
    assert ([f.code for f in found.findings], found.document) == (["extends-missing"], None)


def drawn_as_written(seed: int) -> tuple[Raw, tuple[Finding, ...]]:
    """A drawn rule set as a document, and what is found in it as the object that it is.

    It decides no tier, which is an error of form and touches none of its tables.
    """
    document = drawing.document(Random(seed))
    found = check_compiled(compile_unproved(document, drawing.CATALOGUE))
    return dict(document_json(document)), found


@given(st.integers(0, 10**9))
def test_law_errors_that_touch_no_table_change_nothing_of_what_is_found(seed: int) -> None:
    raw, expected = drawn_as_written(seed)
    found = check_document(raw, drawing.CATALOGUE).findings
    assert {"mandatory-output"} == {f.code for f in found[: len(found) - len(expected)]}
    assert found[len(found) - len(expected) :] == expected


def claim(finding: Finding) -> tuple[Any, ...]:
    """What a finding says, without the values that are chosen to show it."""
    box = finding.box and box_text(finding.box)
    return finding.code, finding.path, finding.severity, finding.rules, box


def claims(findings: Iterable[Finding], table: str, *codes: str) -> list[tuple[Any, ...]]:
    told = [f for f in findings if f.table == table and (f.code in codes or not codes)]
    return [claim(finding) for finding in told]


@given(st.integers(0, 10**9))
def test_law_what_holds_for_any_score_is_told_where_scores_are_not_known(seed: int) -> None:
    raw, expected = drawn_as_written(seed)
    raw["objectives"] = {"only": dict.fromkeys(raw["objectives"]["only"], 0)}
    found = check_document(raw, drawing.CATALOGUE).findings
    assert claims(found, "first") == claims(expected, "first")
    for told in (OVERLAPS, GAPS):
        assert bool(claims(found, "second", *told)) >= bool(claims(expected, "second", *told))
    assert {rules for *_, rules, _ in claims(found, "second", *OVERLAPS)} >= {
        rules for *_, rules, _ in claims(expected, "second", *OVERLAPS)
    }
    # Under any, rows may each be needless for the others: which are kept depends on what occurs.
    is_any = raw["tables"][1].get("hit_policy") == "any"
    for never in ("unreachable-outcome",) if is_any else ("dead-rule", "unreachable-outcome"):
        paths = {path for _, path, *_ in claims(expected, "second", never)}
        assert {path for _, path, *_ in claims(found, "second", never)} <= paths


def _places(value: object, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, ...]] = []
    if isinstance(value, dict):
        inner = [found for key in value for found in _places(value[key], (*place, key))]
    elif isinstance(value, list):
        inner = [found for at, item in enumerate(value) for found in _places(item, (*place, at))]
    return [place, *inner] if place else inner


@given(
    st.lists(
        st.tuples(st.sampled_from(_places(planted())), st.sampled_from(["", "ratio", 7, None, []])),
        min_size=1,
        max_size=3,
    )
)
@example([(("tables", 1, "output", "name"), "score")])
@example([(("tables", 1, "output", "name"), "ratio"), (("tables", 0, "inputs", 0), "ratio")])
def test_law_a_table_is_checked_or_said_not_to_be_whatever_stands_wherever(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    raw = planted()
    for place, value in changes:
        # A place may lie in what an earlier change has replaced.
        with suppress(KeyError, IndexError, TypeError):
            inner: Any = raw
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = value
    found = report(raw)
    if found.document is not None:
        assert parse_document(raw, CATALOGUE) == found.document
        assert document_hash(found.document)
        return
    assert not found.ok
    left_out = {f.path for f in found.findings if f.code == "not-checked"}
    whole = raw["tables"] if isinstance(raw["tables"], list) else []
    for at in range(len(whole)):
        own = [f for f in found.findings if f.path.startswith(f"tables[{at}]")]
        proved = [f for f in own if f.box is not None]
        assert not (proved and f"tables[{at}]" in left_out)
        if codes(own) & {
            "cell-type",
            "cell-out-of-range",
            "unknown-input",
            "missing-field",
            "wrong-type",
        }:
            assert f"tables[{at}]" in left_out
