"""Who moves: told to who is shown customers, masked by class, never to who writes the rules."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from app.domain.privacy.roles import Role
from app.infra.media_types import CSV, XLSX
from tests.api import Caller
from tests.features.simulations.rehearsal import CANDIDATE, Rehearsal, matrix
from tests.features.simulations.test_over_http import slug

pytestmark = pytest.mark.anyio

WATCHERS = (Role.RISK_OFFICER, Role.BUSINESS_OFFICER, Role.COMPLIANCE)
FIELDS = (
    *("customer_id", "account_manager", "line", "segment", "premium"),
    *("evaluated_before", "evaluated_after", "serving_before", "serving_after"),
)


async def pages(rehearsal: Rehearsal, place: str, query: str = "") -> list[dict[str, Any]]:
    """All movers, page by page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await rehearsal.get(f"{place}/movers?limit=7{query}{cursor}")
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def test_only_who_is_shown_customers_is_told_who_moves(simulated: Rehearsal) -> None:
    place = await simulated.only()
    for role in Role:
        caller = Caller(role, customer_id="C00000001" if role is Role.CUSTOMER else None)
        for accept in ("application/json", CSV, XLSX):
            answer = await simulated.api.get(f"{place}/movers", caller, headers={"Accept": accept})
            assert answer.status_code == (200 if role in WATCHERS else 403), (role, accept)
            if role not in WATCHERS:
                assert "C000" not in answer.text


async def test_a_premium_is_shown_to_officers_and_withheld_from_compliance(
    simulated: Rehearsal,
) -> None:
    place = await simulated.only()
    ((id_, premium),) = await simulated.rows(
        "SELECT customer_id, premium::text FROM simulation_movers ORDER BY 1 LIMIT 1"
    )
    for role, shown, masked in (
        (Role.RISK_OFFICER, premium, []),
        (Role.BUSINESS_OFFICER, premium, []),
        (Role.COMPLIANCE, None, ["premium"]),
    ):
        first = (await simulated.get(f"{place}/movers?limit=1", role))["items"][0]
        assert (first["customer_id"], first["premium"]) == (id_, shown)
        assert first["meta"] == {"masked": masked}
        assert set(first) == {*FIELDS, "meta"}


async def test_the_list_holds_whom_the_matrix_counts(simulated: Rehearsal) -> None:
    place = await simulated.only()
    report = (await simulated.get(place))["report"]
    for view in ("evaluated", "serving"):
        for (before, after), count in matrix(report[view]).items():
            query = f"&view={view}&from={before}&to={after}"
            found = await pages(simulated, place, query)
            assert len(found) == (count if before != after else 0)
            told = {(one[f"{view}_before"], one[f"{view}_after"]) for one in found}
            assert told <= {(before, after)}
    everybody = [one["customer_id"] for one in await pages(simulated, place)]
    assert everybody == sorted(set(everybody))
    assert len(everybody) == report["movers"]


async def test_each_page_is_one_look_and_a_file_is_noted_before_it_leaves(
    simulated: Rehearsal,
) -> None:
    place = await simulated.only()
    page = await simulated.get(f"{place}/movers?limit=3")
    events = (
        "SELECT subjects, subject_count, outcome FROM audit_events WHERE route LIKE '%movers'"
        " ORDER BY at, seq"
    )
    ids = [item["customer_id"] for item in page["items"]]
    assert await simulated.rows(events) == [(ids, None, "answered")]
    answer = await simulated.api.get(
        f"{place}/movers?from=standard&to=diamond", Role.COMPLIANCE, headers={"Accept": CSV}
    )
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="movers-')
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0][:5] == [
        *("Customer id", "Account manager", "Product line", "Segment", "Annual premium")
    ]
    listed = [row[0] for row in rows[1:]]
    assert len(listed) > 0
    assert {(row[4], row[-1]) for row in rows[1:]} == {("", "Annual premium")}
    assert (await simulated.rows(events))[1] == (listed, len(listed), "answered")


REFUSED = (
    ("?name=Li", "application/json", 403, "field-not-permitted"),
    ("?from=platinum", "application/json", 422, "validation"),
    ("?view=secret", "application/json", 422, "validation"),
    ("?limit=0", "application/json", 422, "validation"),
    ("?cursor=AAAA", "application/json", 422, "validation"),
    ("?from=gold&from=standard", "application/json", 422, "validation"),
    ("?limit=5", CSV, 422, "validation"),
    ("", "application/pdf", 406, "not-acceptable"),
)


async def test_what_is_not_understood_is_refused(simulated: Rehearsal) -> None:
    place = await simulated.only()
    for query, accept, status, problem in REFUSED:
        answer = await simulated.api.get(
            f"{place}/movers{query}", Role.RISK_OFFICER, headers={"Accept": accept}
        )
        assert (answer.status_code, slug(answer)) == (status, problem), query


async def test_a_list_that_is_too_long_is_refused(
    simulated: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await simulated.only()
    short = simulated.settings.model_copy(update={"list_max_rows": 3})
    monkeypatch.setattr(simulated.api.app.state, "settings", short)
    answer = await simulated.api.get(f"{place}/movers", Role.RISK_OFFICER, headers={"Accept": XLSX})
    assert (answer.status_code, slug(answer)) == (422, "list-too-long")


async def test_whoever_was_merged_away_since_is_not_listed(simulated: Rehearsal) -> None:
    place = await simulated.only()
    before = [one["customer_id"] for one in await pages(simulated, place)]
    await simulated.change(
        "INSERT INTO customer_aliases (alias_id, customer_id, merged_on)"
        " VALUES (:gone, :stays, '2026-07-01')",
        gone=before[0],
        stays=before[1],
    )
    assert [one["customer_id"] for one in await pages(simulated, place)] == before[1:]


async def test_of_what_is_not_there_nobody_is_listed(simulated: Rehearsal) -> None:
    place = (await simulated.ask()).headers["Location"]
    waits = await simulated.api.get(f"{place}/movers", Role.COMPLIANCE)
    assert (waits.status_code, slug(waits)) == (409, "simulation-not-completed")
    nobodys = f"/v1/rule-sets/{CANDIDATE}/simulations/01a203c5-d8e4-7e70-99e9-34c1969cd2d3"
    assert (await simulated.api.get(f"{nobodys}/movers", Role.COMPLIANCE)).status_code == 404
