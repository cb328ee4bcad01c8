"""`POST /v1/customers/search`: exact, blind, and the same for a hit and a miss."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from app.db.rows import CustomerAliasRow
from app.domain.privacy.roles import Role
from app.features.customers.service import fill_blind_index, has_unindexed
from app.infra.cipher import MasterKey, Vault
from app.infra.database import AsyncSession, Database
from tests.api import Api, Caller
from tests.factories.customers import CORPORATE, put_customer, write
from tests.factories.tiers import Stand, write_stand
from tests.features.stock import stocked

pytestmark = pytest.mark.anyio

PATH = "/v1/customers/search"
PURPOSE = {"X-Purpose": "customer_service"}
PHONE = "13900001111"
ID_NO = "33010619870411493X"
SEARCHERS = [
    Role.AGENT,
    Role.ACCOUNT_MANAGER,
    Role.RISK_OFFICER,
    Role.BUSINESS_OFFICER,
    Role.COMPLIANCE,
]


async def _customers(api: Api, session: AsyncSession) -> None:
    """A couple that shares a phone, of whom one is evaluated, and a stranger."""
    await put_customer(api, "C1", phone=PHONE, id_no=ID_NO, account_manager="manager-1")
    await put_customer(api, "C2", phone="+86 139-0000-1111", name="李雷")
    await put_customer(api, "C3", phone="13800000000", id_no="X")
    await write_stand(session, Stand("C1"))


@pytest.fixture(scope="module")
def stock(server_url: str, keys: Path) -> Iterator[str]:
    """A database with these customers."""
    with stocked(server_url, keys, _customers) as url:
        yield url


async def search(api: Api, caller: Caller | Role = Role.AGENT, **asked: object) -> dict[str, Any]:
    """Who is found."""
    answer = await api.call("POST", PATH, caller, headers=PURPOSE, json=asked)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def found(api: Api, *, phone: str | None = None, id_no: str | None = None) -> list[str]:
    """The ids of who is found."""
    asked = {"phone": phone} if id_no is None else {"id_no": id_no}
    answer = await api.call("POST", PATH, Role.AGENT, headers=PURPOSE, json=asked)
    return [item["customer_id"] for item in answer.json()["items"]]


async def test_nobody_searches_without_a_token(api: Api) -> None:
    answer = await api.call("POST", PATH, headers=PURPOSE, json={"phone": PHONE})
    assert answer.status_code == 401


@pytest.mark.parametrize("role", sorted({*Role} - {*SEARCHERS}))
async def test_other_roles_are_refused_whatever_they_ask(api: Api, role: Role) -> None:
    caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
    for asked in ({"phone": PHONE}, {"phone": "0"}, {"nonsense": 1}):
        answer = await api.call("POST", PATH, caller, headers=PURPOSE, json=asked)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")


async def test_who_does_not_say_what_for_is_refused(api: Api) -> None:
    answer = await api.call("POST", PATH, Role.AGENT, json={"phone": PHONE})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/purpose-required")


@pytest.mark.parametrize(
    ("asked", "errors"),
    [
        ({}, [{"loc": ["body"], "type": "one-of"}]),
        ({"phone": PHONE, "id_no": ID_NO}, [{"loc": ["body"], "type": "one-of"}]),
        ({"phone": None}, [{"loc": ["body"], "type": "one-of"}]),
        ({"phone": ""}, [{"loc": ["body", "phone"], "type": "string_too_short"}]),
        ({"phone": "  "}, [{"loc": ["body", "phone"], "type": "blank"}]),
        ({"phone": "1" * 41}, [{"loc": ["body", "phone"], "type": "string_too_long"}]),
        ({"phone": 13900001111}, [{"loc": ["body", "phone"], "type": "string_type"}]),
        ({"id_no": "a\x00b"}, [{"loc": ["body", "id_no"], "type": "bad-text"}]),
        ({"nonsense": "王"}, [{"loc": ["body", "?"], "type": "extra_forbidden"}]),
    ],
)
async def test_a_body_that_asks_for_nothing_or_too_much_is_refused_without_echo(
    api: Api, asked: dict[str, Any], errors: list[dict[str, Any]]
) -> None:
    answer = await api.call("POST", PATH, Role.AGENT, headers=PURPOSE, json=asked)
    assert answer.status_code == 422
    told = [error for error in answer.json()["errors"] if error in errors]
    assert told == errors


async def test_everybody_who_shares_a_phone_is_found_in_masked_forms(api: Api) -> None:
    masked = {"meta": {"masked": ["name", "phone"]}, "kind": "individual", "registered_name": None}
    assert await search(api, phone="139 0000 1111") == {
        "items": [
            {
                **masked,
                "customer_id": "C1",
                "name": "王**",
                "phone": "139****1111",
                "tier": "gold",
            },
            {
                **masked,
                "customer_id": "C2",
                "name": "李**",
                "phone": "139****1111",
                "tier": None,
            },
        ]
    }


async def test_not_even_his_manager_is_shown_in_clear_what_was_not_decrypted(api: Api) -> None:
    manager = Caller(Role.ACCOUNT_MANAGER, subject="manager-1")
    body = await search(api, manager, phone=PHONE)
    assert [item["name"] for item in body["items"]] == ["王**", "李**"]
    assert [item["meta"]["masked"] for item in body["items"]] == [["name", "phone"]] * 2


async def test_a_company_is_told_by_its_registered_name(api: Api) -> None:
    await put_customer(api, "F1", **CORPORATE, phone="0571-8765 4321")
    (item,) = (await search(api, phone="+86 571 87654321"))["items"]
    assert (item["customer_id"], item["registered_name"]) == ("F1", CORPORATE["name"])


@pytest.mark.parametrize(
    "written",
    [ID_NO, ID_NO.lower(), "330106 19870411 493x", "３３０１０６１９８７０４１１４９３Ｘ"],
)
async def test_an_id_number_is_found_however_it_is_written(api: Api, written: str) -> None:
    assert await found(api, id_no=written) == ["C1"]


async def test_a_part_of_a_number_and_the_other_kind_of_number_find_nobody(api: Api) -> None:
    assert await found(api, phone=PHONE[:-1]) == []
    assert await found(api, id_no=PHONE) == []
    assert await found(api, phone="no digits at all") == []
    assert await found(api, id_no="%") == []


async def test_a_number_that_changed_or_was_cleared_is_found_no_longer(api: Api) -> None:
    await put_customer(api, "C1", phone="13900002222")
    await put_customer(api, "C2", phone=None)
    assert await found(api, phone=PHONE) == []
    assert await found(api, phone="13900002222") == ["C1"]


async def test_who_was_merged_away_answers_as_the_survivor(api: Api, session: AsyncSession) -> None:
    await write(
        session, CustomerAliasRow(alias_id="C2", customer_id="C3", merged_on=date(2020, 5, 1))
    )
    assert await found(api, phone=PHONE) == ["C1", "C3"]
    await write(
        session, CustomerAliasRow(alias_id="C1", customer_id="C3", merged_on=date(2020, 5, 1))
    )
    assert await found(api, phone=PHONE) == ["C3"]


async def test_no_more_than_twenty_are_told(api: Api) -> None:
    for number in range(21):
        await put_customer(api, f"D{number:02}", phone="13700000000")
    assert await found(api, phone="13700000000") == [f"D{number:02}" for number in range(20)]


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_a_miss_takes_the_same_steps_as_a_hit_and_decrypts_as_little(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Vault, "decrypt", pytest.fail)
    manager = Caller(Role.ACCOUNT_MANAGER, subject="manager-1")
    # Thereafter his token is noted, which a first request waits for.
    await api.get("/v1/tiers", manager)
    sent: dict[str, list[str]] = {}
    for phone in (PHONE, "13000000000", "no digits"):
        with statements(database) as noted:
            await search(api, manager, phone=phone)
        sent[phone] = [statement for statement in noted if "SAVEPOINT" not in statement]
    assert sent[PHONE] == sent["13000000000"] == sent["no digits"]
    assert len([one for one in sent[PHONE] if "phone_index" in one]) == 1


async def test_a_hit_and_a_miss_leave_one_event_each_with_everybody_found(
    api: Api, session: AsyncSession
) -> None:
    before = await session.scalar(text("SELECT count(*) FROM audit_events"))
    await search(api, phone=PHONE)
    await search(api, phone="13000000000")
    query = text(
        "SELECT route, purpose, status, outcome, subjects FROM audit_events"
        " ORDER BY at, seq OFFSET :before"
    )
    events = [tuple(row) for row in await session.execute(query, {"before": before})]
    told = ("POST /v1/customers/search", "customer_service", 200, "answered")
    assert events == [(*told, ["C1", "C2"]), (*told, [])]
    dispositions = await session.scalars(text("SELECT dispositions FROM audit_events"))
    assert {"other:CandidateRead": {"name": "partial", "phone": "partial"}} in list(dispositions)


class TestFillingTheIndex:
    """Customers who were stored before there was an index."""

    @pytest.fixture(autouse=True)
    async def unindexed(self, session: AsyncSession) -> None:
        """The customers as an earlier version left them."""
        await session.execute(text("UPDATE customers SET phone_index = NULL, id_no_index = NULL"))
        await session.commit()

    async def test_it_is_filled_in_batches_that_may_be_interrupted(
        self, api: Api, session: AsyncSession
    ) -> None:
        vault = api.app.state.vault
        assert await has_unindexed(session)
        assert await found(api, phone=PHONE) == []
        assert await fill_blind_index(session, vault=vault, limit=1) == "C1"
        await session.commit()
        assert await found(api, phone=PHONE) == ["C1"]
        assert await fill_blind_index(session, vault=vault, limit=1) == "C2"
        assert await fill_blind_index(session, vault=vault, after="C2", limit=5) == "C3"
        assert await fill_blind_index(session, vault=vault, after="C3", limit=5) is None
        await session.commit()
        assert not await has_unindexed(session)
        assert await found(api, phone=PHONE) == ["C1", "C2"]
        assert await found(api, id_no=ID_NO) == ["C1"]

    async def test_who_was_erased_stays_out_and_holds_nobody_up(
        self, api: Api, session: AsyncSession
    ) -> None:
        await session.execute(text("DELETE FROM subject_keys WHERE subject_id = 'C1'"))
        vault = api.app.state.vault
        assert await fill_blind_index(session, vault=vault, limit=9) == "C3"
        assert await fill_blind_index(session, vault=vault, after="C3", limit=9) is None
        await session.commit()
        assert await found(api, phone=PHONE) == ["C2"]

    async def test_a_foreign_master_key_is_told_and_fills_nothing(
        self, session: AsyncSession
    ) -> None:
        foreign = Vault(MasterKey(b"\x07" * 32))
        with pytest.raises(Exception, match="do not open with this deployment's master key"):
            await fill_blind_index(session, vault=foreign, limit=9)
        assert await session.scalar(text("SELECT count(phone_index) FROM customers")) == 0

    async def test_a_feed_that_says_the_same_again_fills_it_too(self, api: Api) -> None:
        await put_customer(api, "C1", phone=PHONE)
        assert await found(api, phone=PHONE) == ["C1"]


async def test_the_index_of_a_number_goes_with_the_number(session: AsyncSession) -> None:
    with pytest.raises(Exception, match="ck_customers_phone_index"):
        await session.execute(text("UPDATE customers SET phone_cipher = NULL, phone_masked = NULL"))


async def test_another_master_key_makes_another_index(api: Api) -> None:
    ours, other = api.app.state.vault, Vault(MasterKey(b"\x07" * 32))
    assert ours.blind_index.phone(PHONE) == ours.blind_index.phone("+86 139 0000 1111")
    assert ours.blind_index.phone(PHONE) != other.blind_index.phone(PHONE)
    assert ours.blind_index.phone(PHONE) != ours.blind_index.id_no(PHONE)
