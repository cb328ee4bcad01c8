"""`GET /v1/customers` as CSV and XLSX: everybody the filter leaves, masked like the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import python_calamine as calamine
from fastapi import FastAPI
from httpx import Response
from sqlalchemy import text

from app.db.rows import CustomerAliasRow, CustomerRow
from app.domain.privacy.roles import Role
from app.features.customers.schemas.book import ListedRead, book_file
from app.infra.audit import AuditWriter
from app.infra.clock import business_day, utc_now
from app.infra.database import AsyncSession
from app.infra.locale import Locale
from app.infra.media_types import CSV, XLSX
from app.infra.problems import ProblemError
from app.infra.rate_limit import RateClass, RateLimiter
from tests.api import Api, Caller
from tests.factories.customers import CORPORATE, policy, put_customer, term, write
from tests.factories.tiers import Stand, write_stand
from tests.features.customers.test_list import LISTERS, MANAGER
from tests.features.stock import stocked

pytestmark = pytest.mark.anyio

PATH = "/v1/customers"
KINDS = [CSV, XLSX]
ROUTE = "GET /v1/customers"
HEADINGS = book_file(CSV, Locale.EN).columns
MASKED = "masked"


async def _customers(api: Api, session: AsyncSession) -> None:
    """Customers who differ in what is filtered by, an id and a name like formulas, an old id."""
    await put_customer(api, "-1.0", account_manager="manager-1")
    await put_customer(api, "C1", account_manager="manager-1", phone="13900001111")
    await put_customer(api, "C2", account_manager="manager-2", name="李雷")
    await put_customer(api, "C3", account_manager="manager-1", **{**CORPORATE, "name": "=1+1"})
    await put_customer(api, "C4")
    await put_customer(api, "C0")
    await write(
        session,
        CustomerAliasRow(alias_id="C0", customer_id="C1", merged_on=date(2020, 5, 1)),
        policy("C1", "P1"),
        term("C1", "P1"),
    )
    await write_stand(session, Stand("C1", labels=("vip_care", "lapse_risk")))
    await write_stand(session, Stand("C2", tier="diamond", segment="base", life_cycle_stage="new"))
    waiting = Stand("C3", source="grace", tier_evaluated="standard")
    await write_stand(session, waiting.but(grace_until=date(2020, 11, 30)))


@pytest.fixture(scope="module")
def stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with these customers."""
    with stocked(server_url, keys, _customers) as url:
        yield url


async def ask(
    api: Api,
    kind: str,
    query: str = "",
    caller: Caller | Role | None = Role.AGENT,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The list in one form."""
    return await api.get(f"{PATH}?{query}", caller, headers={"Accept": kind, **(headers or {})})


def table(answer: Response) -> list[list[Any]]:
    """The rows of a file, the headings first; days as days, where the form knows them."""
    if answer.headers["content-type"] == XLSX:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        return book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def rows(answer: Response) -> list[dict[str, Any]]:
    """What the rows say, by the fields of the page."""
    assert answer.status_code == 200, answer.text
    first, *found = table(answer)
    assert first[:-1] == list(HEADINGS.values())
    return [dict(zip([*HEADINGS, MASKED], row, strict=True)) for row in found]


def told(item: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """An item of the page as a row of a file says it."""

    def cell(value: Any) -> Any:  # noqa: ANN401 - any JSON there is.
        text_ = "; ".join(value) if isinstance(value, list) else value or ""
        return f"'{text_}" if kind == CSV and text_.startswith(("=", "-")) else text_

    shown = {name: cell(value) for name, value in item.items() if name != "meta"}
    return {**shown, MASKED: "; ".join(HEADINGS[path] for path in item["meta"]["masked"])}


def as_text(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its days written out."""
    return {
        name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()
    }


async def events(session: AsyncSession) -> list[Any]:
    """The events of lists."""
    query = text("SELECT * FROM audit_events WHERE route = :route ORDER BY seq")
    return list(await session.execute(query, {"route": ROUTE}))


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_gets_a_file_without_a_token(api: Api, kind: str) -> None:
    assert (await ask(api, kind, caller=None)).status_code == 401


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", sorted({*Role} - {*LISTERS}))
async def test_who_may_not_list_gets_no_file_either(api: Api, kind: str, role: Role) -> None:
    caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
    for query in ("", "income=1", "limit=1"):
        answer = await ask(api, kind, query, caller)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_refused_filter_is_refused_for_a_file_with_the_same_bytes(
    api: Api, kind: str
) -> None:
    same = {"X-Request-Id": "the-same-request"}
    page = await api.get(f"{PATH}?income=1", Role.AGENT, headers=same)
    file = await ask(api, kind, "income=1&cursor=x", Role.AGENT, same)
    assert (file.status_code, file.content) == (403, page.content)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("caller", [*LISTERS, MANAGER])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "tier=gold",
        "tier=diamond&segment=base",
        "segment=mid_market",
        "stage=new",
        "label=lapse_risk",
        "label=nobody_has",
        "renewal_due_before=2199-01-01",
        "downgrade_pending=true",
        "downgrade_pending=false",
        "mine=true",
    ],
)
async def test_a_file_tells_what_the_pages_tell(
    api: Api, kind: str, caller: Caller | Role, query: str
) -> None:
    page = (await api.get(f"{PATH}?{query}", caller)).json()
    found = rows(await ask(api, kind, query, caller))
    assert page["next_cursor"] is None
    assert [as_text(row) for row in found] == [told(item, kind) for item in page["items"]]


async def test_in_a_workbook_days_are_days_and_texts_are_texts(api: Api) -> None:
    found = {row["customer_id"]: row for row in rows(await ask(api, XLSX))}
    assert found["C1"]["tier_since"] == date(2020, 2, 3)
    assert found["C1"]["renewal_due_on"] == date(2100, 1, 1)
    assert found["C1"]["labels"] == "vip_care; lapse_risk"
    assert found["C3"]["registered_name"] == "=1+1"
    assert found["-1.0"]["tier"] == ""


async def test_a_csv_begins_with_a_byte_order_mark_and_holds_no_formula(api: Api) -> None:
    answer = await ask(api, CSV)
    assert answer.content.startswith("\ufeff".encode())
    assert all(not cell.startswith(("=", "-", "+", "@")) for row in table(answer) for cell in row)
    assert {"'-1.0", "'=1+1"} <= {cell for row in table(answer) for cell in row}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_says_what_it_is_and_is_kept_nowhere(api: Api, kind: str) -> None:
    answer = await ask(api, kind)
    day = business_day(utc_now(), api.settings.business_zone)
    suffix = {CSV: "csv", XLSX: "xlsx"}[kind]
    assert {name: answer.headers[name] for name in ("cache-control", "content-disposition")} == {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="customers-{day}.{suffix}"',
    }
    assert answer.headers["content-type"] == (f"{CSV}; charset=utf-8" if kind == CSV else XLSX)
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["vary"] == "Accept, Accept-Language"
    assert "etag" not in answer.headers
    again = await ask(api, kind, headers={"If-None-Match": "*"})
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("text/*", CSV),
        (f"{XLSX}, {CSV};q=0.9", XLSX),
        (f"application/json;q=0.5, {CSV};q=0.9", CSV),
        (f"application/json, {CSV}", "application/json"),
    ],
)
async def test_a_page_is_what_is_answered_unless_a_file_is_asked_for_more(
    api: Api, accept: str, kind: str
) -> None:
    answer = await ask(api, accept)
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.headers["vary"].startswith("Accept")


async def test_other_forms_are_not_there(api: Api) -> None:
    for accept in ("application/pdf", f"{CSV};q=0", "application/vnd.ms-excel"):
        answer = await ask(api, accept)
        assert (answer.status_code, answer.json()["type"]) == (406, "/problems/not-acceptable")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("limit=50", ["limit"]),
        ("cursor=abc", ["cursor"]),
        ("cursor=&limit=x", ["limit", "cursor"]),
    ],
)
async def test_a_file_has_no_pages(api: Api, kind: str, query: str, places: list[str]) -> None:
    answer = await ask(api, kind, query)
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"loc": ["query", place], "type": "file_without_pages"} for place in places],
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("asked", "spoken", "first", "masked"),
    [
        ("zh-CN, en;q=0.5", "zh", "客户号", "姓名"),
        ("fr", "en", "Customer id", "Name"),
    ],
)
async def test_headings_are_in_the_readers_language(
    api: Api, kind: str, asked: str, spoken: str, first: str, masked: str
) -> None:
    answer = await ask(api, kind, "tier=diamond", headers={"Accept-Language": asked})
    headings, row = table(answer)
    assert (answer.headers["content-language"], headings[0], row[-1]) == (spoken, first, masked)


async def test_every_field_of_a_row_has_a_heading_in_both_languages() -> None:
    for locale in Locale:
        file = book_file(CSV, locale)
        assert {*file.columns, "meta"} == {*ListedRead.model_fields}
        assert len({*file.columns.values(), file.masked}) == len(file.columns) + 1
        assert all(file.columns.values())


@pytest.mark.parametrize("kind", KINDS)
async def test_a_list_that_is_too_long_is_refused_before_anything_is_read(
    api: Api, session: AsyncSession, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = api.settings.model_copy(update={"list_max_rows": 3})
    monkeypatch.setattr(api.app.state, "settings", most)
    answer = await ask(api, kind)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/list-too-long")
    assert "narrow" in answer.json()["detail"]
    assert [row["customer_id"] for row in rows(await ask(api, kind, "mine=false", MANAGER))][
        1:
    ] == [
        "C1",
        "C3",
    ]
    assert [event.subject_count for event in await events(session)] == [3]


@pytest.mark.parametrize("kind", KINDS)
async def test_customers_who_come_in_after_the_counting_do_not_make_the_list_longer(
    api: Api, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def miscounted(*_: object, **__: object) -> int:
        return 0

    monkeypatch.setattr("app.features.customers.repository.book.count_customers", miscounted)
    most = api.settings.model_copy(update={"list_max_rows": 3})
    monkeypatch.setattr(api.app.state, "settings", most)
    assert (await ask(api, kind)).json()["type"] == "/problems/list-too-long"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_is_audited_with_everybody_in_it_and_the_hmac_of_its_bytes(
    api: Api, session: AsyncSession, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.infra.audit._SUBJECTS_AT_A_TIME", 2)
    answer = await ask(api, kind, "", Caller(Role.AGENT), {"X-Purpose": "audit"})
    found = await events(session)
    assert [event.subjects for event in found] == [["-1.0", "C1"], ["C2", "C3"], ["C4"]]
    writer: AuditWriter = api.app.state.audit
    for event in found:
        assert event.subject_count == 5
        assert event.body_hmac == writer.body_hmac(answer.content)
        assert (event.status, event.outcome, event.purpose) == (200, "answered", "audit")
        assert event.dispositions["other:ListedRead"]["name"] == "partial"
    assert len({event.seq for event in found}) == 3


async def test_a_file_about_nobody_is_one_event_without_subjects(
    api: Api, session: AsyncSession
) -> None:
    assert rows(await ask(api, CSV, "label=nobody_has")) == []
    (event,) = await events(session)
    assert (event.subjects, event.subject_count) == ([], 0)


@pytest.mark.parametrize("kind", KINDS)
async def test_without_its_events_no_byte_of_a_file_leaves(
    api: Api, session: AsyncSession, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        slug = "unavailable"
        raise ProblemError(slug)

    monkeypatch.setattr(AuditWriter, "commit", refuse)
    answer = await ask(api, kind)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert "content-disposition" not in answer.headers
    assert await events(session) == []


async def test_a_file_costs_what_is_costly_and_a_page_does_not(api: Api) -> None:
    app: FastAPI = api.app
    app.state.rate_limiter = RateLimiter({RateClass.COSTLY: 1})
    assert (await ask(api, "application/json")).status_code == 200
    assert (await ask(api, CSV)).status_code == 200
    refused = await ask(api, XLSX)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert (await ask(api, "application/json")).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_of_a_file_stays_on_the_disk(api: Api, kind: str) -> None:
    assert (await ask(api, kind)).status_code == 200
    folder = api.settings.data_dir
    assert [found.name for found in folder.iterdir() if found.name.startswith(".list-")] == []


async def test_a_row_that_a_sheet_cannot_hold_is_no_answer(api: Api, session: AsyncSession) -> None:
    row = await session.get_one(CustomerRow, "C3")
    row.name_masked = "x" * 40_000
    await session.commit()
    assert (await ask(api, XLSX)).status_code == 500
    assert await events(session) == []
