"""How many real customers findings are about: who is counted, who is told, and when not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.roles import Role
from app.domain.rules.check import box_text, check_document
from app.domain.rules.findings import Finding, Severity
from app.domain.tiering.selection import deciding_line
from app.features.rule_sets.service import Checked, Count, Counted, Uncounted, check_raw, frame
from app.features.rule_sets.service.checking import CheckedFinding
from app.features.rule_sets.service.counting import Headcount, Question
from app.infra.database import Database, open_database
from app.infra.prover import Prover
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api
from tests.domain.templates.books import NAMES, raw
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates
from tests.parity.facts_of import facts_in_duckdb

pytestmark = pytest.mark.anyio

CUSTOMERS = 400
#: A row that contradicts two others, and a hole in the segments of who pays twice the average.
PLANTED: Mapping[str, Any] = {
    "format": "tiering/1",
    "id": "motor-planted",
    "extends": "motor@1",
    "tables": [
        {
            "id": "pyramid_layer",
            "rules": [{"id": "PYR9", "when": {"premium_ratio": "[0.5..3]"}, "then": "top"}],
        },
        {
            "id": "segment",
            "rules": [{"id": "SEG3", "when": {"premium_ratio": "[1.5..3]"}, "then": "mid_market"}],
        },
    ],
}


@pytest.fixture
async def database(fresh_database_url: str, settings: Settings) -> AsyncIterator[Database]:
    """A database of the test's own with a small book and the templates."""
    async with open_database(fresh_database_url, settings) as opened:
        async with opened.sessions.begin() as session:
            await write_book(session, CUSTOMERS)
            await put_templates(session)
        yield opened


@pytest.fixture
def count(fresh_database_url: str, settings: Settings) -> Count:
    return Count(fresh_database_url, settings.data_dir, AS_OF)


def own_customers(url: str, folder: Path, line: str) -> list[dict[str, Any]]:
    """The facts of the customers whom the rule set of a line decides for."""
    return [
        facts
        for facts in facts_in_duckdb(url, folder, AS_OF).values()
        if deciding_line(
            is_corporate=facts["is_corporate"],
            primary_line=facts["primary_line"],
            last_line=facts["last_line"],
            in_force=NAMES,
        )
        == line
    ]


def errors(checked: Checked) -> dict[tuple[str, str | None, str], int | None]:
    """How many customers each error is about."""
    return {
        (found.code, found.table, box_text(found.box or ())): each.affected
        for each in checked.findings
        if (found := each.finding).severity is Severity.ERROR
    }


async def check(database: Database, raw: Mapping[str, object], *, count: Count) -> Checked:
    """Check a document by a prover of its own."""
    return await check_raw(database, raw, count=count, prove=Prover().prove)


async def test_every_box_is_counted_among_the_customers_the_document_decides_for(
    database: Database, count: Count
) -> None:
    checked = await check(database, PLANTED, count=count)
    own = own_customers(count.url, count.folder, "motor")
    ratios = [facts["premium_ratio"] or 0 for facts in own]

    def between(low: int, high: int) -> int:
        return sum(low <= ratio < high for ratio in ratios)

    assert checked.counted == Counted(len(own), AS_OF)
    assert errors(checked) == {
        ("gap", "segment", "premium_ratio in [1..1.5)"): between(10_000, 15_000),
        ("overlap-conflict", "pyramid_layer", "premium_ratio in [0.5..1)"): between(5_000, 10_000),
        ("overlap-conflict", "pyramid_layer", "premium_ratio in [1..3]"): between(10_000, 30_001),
    }
    assert min(filter(None, errors(checked).values()), default=0) > 0
    order = [*Severity]
    ranks = [
        (order.index(each.finding.severity), -(-1 if each.affected is None else each.affected))
        for each in checked.findings
    ]
    assert ranks == sorted(ranks)


@pytest.fixture
async def api(settings: Settings, database: Database) -> AsyncIterator[Api]:
    """Calls the application over the book."""
    async with open_api(create_app(settings, database), settings) as opened:
        yield opened


async def told(api: Api, role: Role, query: str = "") -> dict[str, Any]:
    answer = await api.call("POST", f"/v1/rule-sets/check{query}", role, json=dict(PLANTED))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_who_is_not_shown_a_fact_looks_for_nobody_by_it(api: Api) -> None:
    """The templates read who smokes, and exact counts of boxes made for one person would say it."""
    exact, *others = [
        (await told(api, role))["counted"]["customers"]
        for role in (Role.RISK_OFFICER, Role.BUSINESS_OFFICER, Role.COMPLIANCE)
    ]
    assert exact % 10 > 0
    assert others == [exact - exact % 10] * 2


def test_the_order_of_findings_tells_no_more_than_their_numbers() -> None:
    """Nobody and one are both few: told only that, they come as the document has them."""
    found = tuple(
        CheckedFinding(Finding(path, "gap", "", ""), affected)
        for path, affected in (("a", None), ("b", 0), ("c", 9), ("d", 21), ("e", 29))
    )
    checked = Checked(ok=False, hash=None, found=found)
    assert [each.finding.path for each in checked.by_effect()] == ["e", "d", "c", "b", "a"]
    assert [each.finding.path for each in checked.by_effect(10)] == ["d", "e", "b", "c", "a"]


async def test_officers_are_told_exact_numbers_and_rule_people_full_tens(api: Api) -> None:
    exact = await told(api, Role.RISK_OFFICER)
    coarse = await told(api, Role.RULE_AUTHOR)
    base = exact["counted"]["customers"]
    assert coarse["counted"] == {**exact["counted"], "customers": base - base % 10}
    numbers = {finding["box"]: finding["affected_customers"] for finding in exact["findings"]}
    seen = set()
    for finding in coarse["findings"]:
        affected = numbers[finding["box"]]
        shown = finding["affected_customers"], finding["affected_fewer_than"]
        if affected is None:
            assert shown == (None, None)
        else:
            assert shown == ((None, 10) if affected < 10 else (affected - affected % 10, None))
            seen.add(affected < 10)
    assert seen == {True, False}
    worst = exact["findings"][0]
    share = Decimal(worst["affected_customers"]) / base
    assert Decimal(worst["affected_share"]) == share.quantize(Decimal("0.0001"))
    assert [side["input"] for side in worst["sides"]] == ["premium_ratio"]
    assert set(worst["witness"]) >= {"premium_ratio"}


@pytest.fixture
def no_book(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a book fails."""

    def refuse(*_: object) -> None:
        raise AssertionError("the book was opened")

    monkeypatch.setattr(frame, "count_book", refuse)


@pytest.mark.usefixtures("no_book")
async def test_no_book_is_opened_where_nobody_asks_or_nothing_is_to_count(
    api: Api, database: Database, count: Count
) -> None:
    found = await told(api, Role.RULE_AUTHOR, "?count=false")
    assert (found["counted"], found["uncounted"]) == (None, "not-asked")
    assert {each["affected_customers"] for each in found["findings"]} == {None}
    unreadable = {**PLANTED, "objective": "none"}
    assert (await check(database, unreadable, count=count)).uncounted == "nothing-to-count"
    small = replace(count, most_customers=CUSTOMERS - 1)
    assert (await check(database, PLANTED, count=small)).uncounted == "book-too-large"


async def test_a_book_that_is_just_not_too_large_is_counted(
    database: Database, count: Count
) -> None:
    checked = await check(database, PLANTED, count=replace(count, most_customers=CUSTOMERS))
    assert checked.uncounted is None


async def test_counting_that_takes_too_long_is_given_up_and_the_findings_are_answered(
    database: Database, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = Event()

    def count_for_ever(
        _url: str, _folder: Path, _question: Question, is_stopped: Callable[[], bool]
    ) -> None:
        while not is_stopped():
            Event().wait(0.001)
        ended.set()

    monkeypatch.setattr(frame, "count_book", count_for_ever)
    checked = await check(database, PLANTED, count=replace(count, seconds=0.05))
    assert (checked.counted, checked.uncounted) == (None, Uncounted.OUT_OF_TIME)
    assert len(errors(checked)) == 3
    assert await asyncio.to_thread(ended.wait, 10)


async def test_one_request_counts_at_a_time(
    database: Database, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, most = [0], [0]

    def count_slowly(_url: str, _folder: Path, question: Question, _stop: object) -> Headcount:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        Event().wait(0.02)
        under_way[0] -= 1
        return Headcount(0, (0,) * len(question.boxes))

    monkeypatch.setattr(frame, "count_book", count_slowly)
    found = await asyncio.gather(*(check(database, PLANTED, count=count) for _ in range(3)))
    assert [each.counted for each in found] == [Counted(0, AS_OF)] * 3
    assert most == [1]


@pytest.mark.usefixtures("database")
async def test_a_count_that_was_stopped_says_nothing(count: Count) -> None:
    report = check_document(PLANTED, CATALOGUE, lambda reference: raw(reference[:-2]))
    assert report.compiled is not None
    question = Question(report.compiled, frozenset(NAMES), (((), None),), AS_OF)
    assert frame.count_book(count.url, count.folder, question, lambda: True) is None
    found = frame.count_book(count.url, count.folder, question, lambda: False)
    assert found is not None
    assert found.inside == (found.customers,)
