"""`POST /v1/customers/{id}/verifications`: yes or no, and only so often."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from dirty_equals import IsStr
from sqlalchemy import text

from app.db.rows import CustomerAliasRow
from app.domain.privacy.roles import Role
from app.features.customers.service import Said, TriesExhaustedError, verify
from app.infra.clock import utc_now
from app.infra.database import AsyncSession, Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.factories.customers import put_customer, write
from tests.features.stock import stocked

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/C1/verifications"
KNOWN = {
    "phone": "13900001111",
    "id_no": "33010619870411493X",
    "birth_date": "1987-04-11",
    "email": "Some.Body@example.cn",
    "name": "欧阳 Anna",
}
MANAGER = Caller(Role.ACCOUNT_MANAGER, subject="manager-1")


async def _customers(api: Api, _session: AsyncSession) -> None:
    """A customer of whom everything is known, and one with a name only."""
    await put_customer(api, "C1", **KNOWN)
    await put_customer(api, "C2")


@pytest.fixture(scope="module")
def stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with these customers."""
    with stocked(server_url, keys, _customers) as url:
        yield url


def agent(name: str = "1") -> Caller:
    """One of many agents."""
    return Caller(Role.AGENT, subject=f"agent-{name}")


async def matches(api: Api, caller: Caller, field: str, value: str, path: str = PATH) -> bool:
    """What is answered."""
    answer = await api.call("POST", path, caller, json={"field": field, "value": value})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert set(body) == {"matches", "tries_left"}
    return bool(body["matches"])


async def test_nobody_verifies_without_a_token(api: Api) -> None:
    answer = await api.call("POST", PATH, json={"field": "phone", "value": "1"})
    assert answer.status_code == 401


@pytest.mark.parametrize("role", sorted({*Role} - {Role.AGENT, Role.ACCOUNT_MANAGER}))
async def test_other_roles_are_refused(api: Api, role: Role) -> None:
    caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
    answer = await api.call("POST", PATH, caller, json={"field": "phone", "value": "1"})
    assert answer.status_code == 403


async def test_a_customer_who_is_not_there_is_not_found(api: Api) -> None:
    asked = {"field": "phone", "value": "1"}
    answer = await api.call("POST", "/v1/customers/NOBODY/verifications", agent(), json=asked)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("asked", "place", "rule"),
    [
        ({"field": "income", "value": "1"}, "field", "literal_error"),
        ({"value": "1"}, "field", "missing"),
        ({"field": "phone"}, "value", "missing"),
        ({"field": "phone", "value": ""}, "value", "string_too_short"),
        ({"field": "phone", "value": " "}, "value", "blank"),
        ({"field": "phone", "value": "\x00"}, "value", "bad-text"),
        ({"field": "phone", "value": "1" * 255}, "value", "string_too_long"),
        ({"field": "phone", "value": 1}, "value", "string_type"),
    ],
)
async def test_what_is_no_question_is_refused_and_no_try(
    api: Api, session: AsyncSession, asked: dict[str, Any], place: str, rule: str
) -> None:
    answer = await api.call("POST", PATH, agent(), json=asked)
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"loc": ["body", place], "type": rule}],
    )
    assert await session.scalar(text("SELECT count(*) FROM verification_attempts")) == 0


@pytest.mark.parametrize(
    ("field", "right", "wrong"),
    [
        ("phone", "+86 139 0000 1111", "13900001112"),
        ("id_no", "330106 19870411 493x", "330106198704114931"),
        ("birth_date", " 1987-04-11", "1987-04-12"),
        ("birth_date", "１９８７-04-11", "11.4.1987"),
        ("email", "some.body@EXAMPLE.cn", "somebody@example.cn"),
        ("name", "欧阳ANNA", "欧阳"),
    ],
)
async def test_it_is_a_match_however_it_is_written(
    api: Api, field: str, right: str, wrong: str
) -> None:
    answer = await api.call("POST", PATH, agent(), json={"field": field, "value": right})
    assert answer.json() == {"matches": True, "tries_left": 2}
    assert await matches(api, agent(), field, wrong) is False


@pytest.mark.parametrize("field", ["phone", "id_no", "birth_date", "email"])
@pytest.mark.parametrize("value", ["13900001111", "-", "1987-04-11"])
async def test_what_is_not_known_is_no_match_whatever_is_said(
    api: Api, field: str, value: str
) -> None:
    path = "/v1/customers/C2/verifications"
    assert await matches(api, agent(), field, value, path) is False


async def test_who_was_erased_is_no_match(api: Api, session: AsyncSession) -> None:
    await session.execute(text("DELETE FROM subject_keys WHERE subject_id = 'C1'"))
    await session.commit()
    assert await matches(api, agent(), "phone", KNOWN["phone"]) is False


async def test_an_old_id_is_verified_as_the_survivor_and_shares_his_tries(
    api: Api, session: AsyncSession
) -> None:
    await write(
        session, CustomerAliasRow(alias_id="OLD", customer_id="C1", merged_on=date(2020, 5, 1))
    )
    for path in (PATH, "/v1/customers/OLD/verifications", PATH):
        assert await matches(api, agent(), "phone", KNOWN["phone"], path) is True
    asked = {"field": "phone", "value": KNOWN["phone"]}
    answer = await api.call("POST", "/v1/customers/OLD/verifications", agent(), json=asked)
    assert answer.status_code == 429


async def test_the_fourth_try_in_an_hour_is_refused_right_or_wrong_and_of_whatever(
    api: Api, session: AsyncSession
) -> None:
    for field in ("phone", "email", "name"):
        await matches(api, agent(), field, "wrong")
    asked = {"field": "phone", "value": KNOWN["phone"]}
    answer = await api.call("POST", PATH, agent(), json=asked)
    assert (answer.status_code, answer.json()) == (
        429,
        {
            "type": "/problems/tries-exhausted",
            "title": "Too many tries",
            "status": 429,
            "detail": IsStr(),
            "request_id": IsStr(),
        },
    )
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    # Neither another caller nor another customer has to pay for it.
    assert await matches(api, agent("2"), "phone", KNOWN["phone"]) is True
    assert await matches(api, MANAGER, "phone", KNOWN["phone"]) is True
    await matches(api, agent(), "name", "王小明", "/v1/customers/C2/verifications")
    # An hour later it is forgotten.
    await session.execute(
        text("UPDATE verification_attempts SET attempted_at = attempted_at - interval '1 hour'")
    )
    await session.commit()
    assert await matches(api, agent(), "phone", KNOWN["phone"]) is True
    query = text("SELECT count(*) FROM verification_attempts WHERE customer_id = 'C1'")
    assert await session.scalar(query) == 3


async def test_every_try_is_in_the_audit_and_what_was_said_is_nowhere(
    api: Api, session: AsyncSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = await session.scalar(text("SELECT count(*) FROM audit_events"))
    said = "13912340000"
    for _ in range(4):
        await api.call("POST", PATH, agent(), json={"field": "phone", "value": said})
    query = text("SELECT * FROM audit_events ORDER BY at, seq OFFSET :before")
    events = [dict(row) for row in (await session.execute(query, {"before": before})).mappings()]
    assert [(event["status"], event["outcome"], event["subjects"]) for event in events] == [
        *[(200, "answered", ["C1"])] * 3,
        (429, "denied", ["C1"]),
    ]
    tries = (await session.execute(text("SELECT * FROM verification_attempts"))).all()
    assert said not in str(events) + str(tries) + caplog.text


class TestRaces:
    """Tries at the same time, in real transactions."""

    async def test_of_many_at_once_three_are_answered(
        self, committed: Database, settings: Settings
    ) -> None:
        async with open_api(create_app(settings, committed), settings) as api:
            await put_customer(api, "C1", **KNOWN)
            vault = api.app.state.vault

            async def attempt(ago: timedelta = timedelta(0)) -> bool:
                async with committed.sessions.begin() as session:
                    found = await verify(
                        session,
                        customer_id="C1",
                        actor_digest="a",
                        said=Said("phone", KNOWN["phone"]),
                        vault=vault,
                        now=utc_now() - ago,
                    )
                return found.matches

            outcomes = await asyncio.gather(*(attempt() for _ in range(8)), return_exceptions=True)
            # One that came before the others, and had to wait for all of them.
            with pytest.raises(TriesExhaustedError) as late:
                await attempt(timedelta(seconds=5))
        assert late.value.retry_after == timedelta(hours=1)
        refused = [found for found in outcomes if isinstance(found, TriesExhaustedError)]
        assert [found for found in outcomes if found is True] == [True] * 3
        assert len(refused) == 5
        assert all(timedelta(0) < found.retry_after <= timedelta(hours=1) for found in refused)
