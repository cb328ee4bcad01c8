"""How many real customers findings are about: whom it counts, whom it tells, and when it does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from app.domain.facts.model import FactValue
from app.domain.privacy.roles import Role
from app.domain.rules.check import box_text
from app.domain.rules.findings import Severity
from app.domain.tiering.selection import deciding_line
from app.domain.words import PRODUCT_LINES
from app.features.rule_sets.service import Checked, Count, Counted, Uncounted, check_raw, frame
from app.features.rule_sets.service.checking import CheckedFinding, by_effect
from app.features.rule_sets.service.counting import Headcount, Question
from app.infra.database import Database, open_database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api
from tests.domain.templates.books import NAMES
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates
from tests.parity.facts_of import facts_in_duckdb

pytestmark = pytest.mark.anyio

PATH = "/v1/rule-sets/check"
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


async def test_every_box_is_counted_among_the_customers_the_document_decides_for(
    database: Database, count: Count
) -> None:
    checked = await check_raw(database, PLANTED, count=count)
    own = own_customers(count.url, count.folder, "motor")
    ratios = [facts["premium_ratio"] or 0 for facts in own]

    def between(low: int, high: int) -> int:
        return sum(low <= ratio < high for ratio in ratios)

    assert checked.counted == Counted(len(own), AS_OF)
    print(len(own), sorted(ratios))
    assert errors(checked) == {
        ("gap", "segment", "premium_ratio in [1..1.5)"): between(10_000, 15_000),
        ("overlap-conflict", "pyramid_layer", "premium_ratio in [0.5..1)"): between(5_000, 10_000),
        ("overlap-conflict", "pyramid_layer", "premium_ratio in [1..3]"): between(10_000, 30_001),
    }
    assert min(filter(None, errors(checked).values()), default=0) > 0
    ranks = [
        (list(Severity).index(e.finding.severity), -(e.affected or 0)) for e in checked.findings
    ]
    assert ranks == sorted(ranks)
