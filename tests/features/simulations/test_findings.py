"""Whom the findings of the candidate's check are about, and what a check tells of the same."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.roles import Role
from app.domain.rules.check import box_text, check_compiled
from app.domain.rules.compile import compile_rule_set
from app.domain.rules.document import parse_document
from app.domain.rules.findings import Finding, Severity
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.writing import document_json
from app.domain.tiering.selection import deciding_line
from app.features.simulations.service import plan
from tests.domain.templates.books import NAMES
from tests.domain.templates.books import raw as template
from tests.factories.book import AS_OF
from tests.features.simulations.rehearsal import AUTHOR, LINE, Rehearsal, watchful
from tests.parity.facts_of import facts_in_duckdb
from tests.parity.naive_boxes import counted_naively, seen_naively

pytestmark = pytest.mark.anyio


def parsed(raw: Mapping[str, Any]) -> RuleSetDocument:
    return parse_document(raw, CATALOGUE, lambda reference: template(reference[:-2]))


def boxed(raw: Mapping[str, Any]) -> list[Finding]:
    """The findings of a document that are about some customers."""
    compiled = compile_rule_set(parsed(raw), CATALOGUE)
    return [finding for finding in check_compiled(compiled) if finding.box is not None]


async def own_customers(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    """The facts of those for whom the candidate decides."""
    read = await asyncio.to_thread(
        facts_in_duckdb, rehearsal.url, rehearsal.settings.data_dir, AS_OF
    )
    return [
        facts
        for facts in read.values()
        if deciding_line(
            is_corporate=facts["is_corporate"],
            primary_line=facts["primary_line"],
            last_line=facts["last_line"],
            in_force=NAMES,
        )
        == LINE
    ]


async def simulate(rehearsal: Rehearsal, raw: dict[str, Any], **wanted: Any) -> str:  # noqa: ANN401 - JSON.
    version = await rehearsal.store(raw)
    return await rehearsal.simulate(raw["id"], candidate={"version": version}, **wanted)


async def test_every_finding_counts_whom_a_naive_look_finds_and_the_worst_come_first(
    rehearsal: Rehearsal,
) -> None:
    raw = watchful()
    report = (await rehearsal.get(await simulate(rehearsal, raw)))["report"]
    own = await own_customers(rehearsal)
    seen = seen_naively(document_json(parsed(raw)), CATALOGUE, own)
    expected = {
        (finding.path, finding.code, box_text(finding.box or ())): counted_naively(
            seen, finding.box or (), finding.table
        )
        for finding in boxed(raw)
    }
    told = {
        (one["path"], one["code"], one["box"]): one["affected_customers"]
        for one in report["findings"]
    }
    assert told == expected
    assert report["decided"] == len(own) > 0
    assert report["findings_unlisted"] == 0
    warned = [one for one in report["findings"] if one["severity"] == Severity.WARNING]
    assert "gap" in {one["code"] for one in warned}
    assert max(one["affected_customers"] for one in warned) > 0
    order = [*Severity]
    ranks = [
        (order.index(one["severity"]), -one["affected_customers"]) for one in report["findings"]
    ]
    assert ranks == sorted(ranks)
    assert len(warned) < len(ranks)


async def test_it_tells_what_a_check_tells_of_the_same_book(rehearsal: Rehearsal) -> None:
    raw, path = watchful(), "/v1/rule-sets/check?count=true"
    roles = (Role.RISK_OFFICER, Role.RULE_AUTHOR)
    told = [(await rehearsal.api.call("POST", path, role, json=raw)).json() for role in roles]
    (day,) = {checked["counted"]["as_of"] for checked in told}
    place = await simulate(rehearsal, raw, as_of=day)
    for role, checked in zip(roles, told, strict=True):
        report = (await rehearsal.get(place, role))["report"]
        assert report["findings"] == [one for one in checked["findings"] if one["box"] is not None]
        assert report["decided"] == checked["counted"]["customers"] > 0


async def test_rule_people_are_told_full_tens_and_officers_every_count(
    simulated: Rehearsal,
) -> None:
    place = await simulated.only()
    exact = (await simulated.get(place))["report"]
    coarse = (await simulated.get(place, AUTHOR))["report"]
    assert coarse["decided"] == exact["decided"] - exact["decided"] % 10
    seen = set()

    def by_place(report: dict[str, Any]) -> list[dict[str, Any]]:
        return sorted(report["findings"], key=lambda one: (one["path"], one["code"], one["box"]))

    for one, told in zip(by_place(exact), by_place(coarse), strict=True):
        affected = one["affected_customers"]
        shown = told["affected_customers"], told["affected_fewer_than"], told["affected_share"]
        full = affected - affected % 10
        share = str((Decimal(full) / coarse["decided"]).quantize(Decimal("0.0001")))
        assert shown == ((None, 10, None) if affected < 10 else (full, None, share))
        seen.add(affected < 10)
    assert seen == {True, False}


async def test_so_many_findings_are_counted_and_the_others_are_said_to_be_there(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = watchful()
    severities = sorted([*Severity].index(finding.severity) for finding in boxed(raw))
    warnings = severities.count([*Severity].index(Severity.WARNING))
    monkeypatch.setattr(plan, "MOST_FINDINGS", warnings)
    report = (await rehearsal.get(await simulate(rehearsal, raw)))["report"]
    assert {one["severity"] for one in report["findings"]} == {Severity.WARNING}
    assert len(report["findings"]) == warnings > 0
    assert report["findings_unlisted"] == len(severities) - warnings > 0


async def test_a_candidate_that_changes_nothing_is_counted_like_any_other(
    simulated: Rehearsal,
) -> None:
    other = (await simulated.get(await simulated.only()))["report"]
    report = (await simulated.get(await simulated.simulate(LINE)))["report"]
    assert report["undecided"] == report["customers"]
    assert report["decided"] == other["decided"] > 0
    assert sum(one["affected_customers"] for one in report["findings"]) > 0
