"""Who is away names a colleague of his department, for some days, once, and for himself only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from dirty_equals import IsStr
from httpx import Response
from sqlalchemy import text

from app.domain.errors import Conflict
from app.domain.privacy.roles import Role
from app.features.overrides.service import delegations
from app.infra.clock import business_day, utc_now
from app.infra.database import AsyncSession
from tests.api import Api, Caller

pytestmark = pytest.mark.anyio

PATH = "/v1/override-delegations"
ANN = Caller(Role.RISK_OFFICER, subject="ann")
BOB = Caller(Role.RISK_OFFICER, subject="bob")
CID = Caller(Role.RISK_OFFICER, subject="cid")
EVE = Caller(Role.BUSINESS_OFFICER, subject="eve")
COMPLIANCE = Caller(Role.COMPLIANCE, subject="zoe")
MANAGER = Caller(Role.ACCOUNT_MANAGER, subject="max")
TODAY = business_day(utc_now(), "Asia/Shanghai")


@pytest.fixture(autouse=True)
async def _known(api: Api) -> None:
    """Everybody has called once."""
    for caller in (ANN, BOB, CID, EVE, COMPLIANCE, MANAGER):
        assert (await api.get("/v1/tiers", caller)).status_code == 200


def day(offset: int) -> str:
    """A business day, from today."""
    return (TODAY + timedelta(offset)).isoformat()


async def delegate(
    api: Api,
    caller: Caller,
    to: str,
    first: int = 0,
    back: int = 7,
    *,
    key: str | None = None,
) -> Response:
    """What somebody is answered who delegates."""
    body = {"delegate": to, "valid_from": day(first), "valid_to": day(back)}
    once = key or f"{caller.subject}-{to}-{first}-{back}"
    return await api.call("POST", PATH, caller, json=body, headers={"Idempotency-Key": once})


def problem(answer: Response) -> tuple[int, str]:
    """Status and slug."""
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def made(
    api: Api, caller: Caller = ANN, to: str = "bob", *, first: int = 0, back: int = 7
) -> str:
    """Id of a delegation that was accepted."""
    answer = await delegate(api, caller, to, first, back)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def digests(session: AsyncSession) -> dict[str, str]:
    """Digests of people by subject."""
    rows = await session.execute(text("SELECT subject, actor_digest FROM actors"))
    return {row.subject: row.actor_digest for row in rows}


@pytest.mark.parametrize(
    "caller", [Caller(role) for role in Role if role is not Role.CUSTOMER], ids=str
)
async def test_only_officers_delegate_and_compliance_reads(api: Api, caller: Caller) -> None:
    id_ = await made(api)
    officers = {Role.RISK_OFFICER, Role.BUSINESS_OFFICER}
    answer = await delegate(api, caller, "cid")
    assert answer.status_code == (201 if caller.role is Role.RISK_OFFICER else 403)
    ended = await api.call("POST", f"{PATH}/{id_}/end", caller)
    # To another officer a delegation of others is not there.
    assert ended.status_code == (404 if caller.role in officers else 403)
    read = (await api.get(f"{PATH}/{id_}", caller)).status_code
    listed = (await api.get(PATH, caller)).status_code
    if caller.role is Role.COMPLIANCE:
        assert (read, listed) == (200, 200)
    else:
        assert (read, listed) == ((404, 200) if caller.role in officers else (403, 403))


async def test_nobody_delegates_without_a_token(api: Api) -> None:
    for method, path in (("GET", PATH), ("POST", PATH), ("POST", f"{PATH}/x/end")):
        assert (await api.call(method, path)).status_code == 401


async def test_a_delegation_is_told_to_both_and_written_down(
    api: Api, session: AsyncSession
) -> None:
    answer = await delegate(api, ANN, "bob", 0, 7)
    assert answer.status_code == 201
    told = answer.json()
    assert told == {
        "id": IsStr(),
        "department": "risk",
        "delegator": "ann",
        "delegate": "bob",
        "valid_from": day(0),
        "valid_to": day(7),
        "ended_at": None,
        "running": True,
        "meta": {"masked": []},
    }
    assert answer.headers["Location"] == f"{PATH}/{told['id']}"
    for caller in (ANN, BOB, COMPLIANCE):
        assert (await api.get(f"{PATH}/{told['id']}", caller)).json() == told
        assert (await api.get(PATH, caller)).json()["items"] == [told]
    for caller in (CID, EVE):
        assert (await api.get(PATH, caller)).json()["items"] == []
    known = await digests(session)
    event = (
        await session.execute(text("SELECT kind, customer_ids, payload FROM outbox_events"))
    ).one()
    assert tuple(event) == (
        "override-delegated",
        [],
        {
            "delegation_id": told["id"],
            "department": "risk",
            "delegator": known["ann"],
            "delegate": known["bob"],
            "valid_from": day(0),
            "valid_to": day(7),
        },
    )
    audited = (
        await session.execute(
            text(
                "SELECT actor_digest, role, route, subjects, record_version, status"
                " FROM audit_events WHERE outcome = 'changed'"
            )
        )
    ).one()
    assert tuple(audited) == (
        known["ann"],
        "risk_officer",
        f"POST {PATH}",
        [],
        told["id"],
        201,
    )


@pytest.mark.parametrize(
    ("caller", "to", "refused"),
    [
        (ANN, "nobody", (422, "delegate-unknown")),
        (ANN, "ann", (403, "delegate-not-eligible")),
        (ANN, "eve", (403, "delegate-not-eligible")),
        (ANN, "max", (403, "delegate-not-eligible")),
        (ANN, "zoe", (403, "delegate-not-eligible")),
    ],
)
async def test_the_delegate_is_a_colleague_of_the_department(
    api: Api, caller: Caller, to: str, refused: tuple[int, str]
) -> None:
    assert problem(await delegate(api, caller, to)) == refused


async def test_who_has_both_roles_neither_delegates_nor_is_named(
    api: Api, session: AsyncSession
) -> None:
    both = text(
        "UPDATE actors SET roles = '{risk_officer,business_officer}',"
        " issued_at = issued_at + interval '1 second' WHERE subject = :subject"
    )
    await session.execute(both, {"subject": "bob"})
    await session.commit()
    assert problem(await delegate(api, BOB, "ann")) == (403, "two-roles")
    assert problem(await delegate(api, ANN, "bob")) == (403, "delegate-not-eligible")


async def test_who_is_no_officer_any_more_delegates_nothing(
    api: Api, session: AsyncSession
) -> None:
    lost = "UPDATE actors SET roles = '{agent}', issued_at = now() WHERE subject = 'ann'"
    await session.execute(text(lost))
    await session.commit()
    assert problem(await delegate(api, ANN, "bob")) == (403, "not-an-officer")


@pytest.mark.parametrize(("first", "back"), [(-1, 5), (3, 3), (3, 2), (0, 93), (400, 493)])
async def test_the_days_begin_today_or_later_and_end(api: Api, first: int, back: int) -> None:
    refused = await delegate(api, ANN, "bob", first, back)
    assert problem(refused) == (422, "delegation-out-of-range")


@pytest.mark.parametrize(("first", "back"), [(0, 1), (0, 92), (400, 492)])
async def test_the_longest_and_the_shortest_are_accepted(api: Api, first: int, back: int) -> None:
    assert (await delegate(api, ANN, "bob", first, back)).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"delegate": "", "valid_from": day(0), "valid_to": day(1)},
        {"delegate": "b" * 256, "valid_from": day(0), "valid_to": day(1)},
        {"delegate": "\u0000", "valid_from": day(0), "valid_to": day(1)},
        {"delegate": "bob", "valid_from": "tomorrow", "valid_to": day(1)},
        {"delegate": "bob", "valid_from": 0, "valid_to": 1},
        {"delegate": "bob", "valid_from": day(0), "valid_to": "9999-12-31"},
        {"delegate": "bob", "valid_from": day(0), "valid_to": day(1), "delegator": "cid"},
        {"delegate": ["bob"], "valid_from": day(0), "valid_to": day(1)},
    ],
)
async def test_what_is_not_understood_is_refused(api: Api, body: dict[str, Any]) -> None:
    answer = await api.call("POST", PATH, ANN, json=body, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 422
    assert "9999-12-31" not in answer.text


async def test_a_key_is_needed_and_repeats(api: Api, session: AsyncSession) -> None:
    body = {"delegate": "bob", "valid_from": day(0), "valid_to": day(1)}
    refused = await api.call("POST", PATH, ANN, json=body)
    assert problem(refused) == (400, "idempotency-key-required")
    first = await delegate(api, ANN, "bob", 0, 1, key="same")
    again = await delegate(api, ANN, "bob", 0, 1, key="same")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await session.scalar(text("SELECT count(*) FROM override_delegations")) == 1


async def test_one_delegation_covers_a_day(api: Api) -> None:
    await made(api, first=0, back=7)
    assert problem(await delegate(api, ANN, "cid", 6, 9)) == (409, "delegation-overlaps")
    assert (await delegate(api, ANN, "cid", 7, 9)).status_code == 201


async def test_who_is_away_is_named_by_nobody_for_those_days(api: Api) -> None:
    await made(api, BOB, "cid", first=3, back=7)
    assert problem(await delegate(api, ANN, "bob", 0, 4)) == (409, "delegate-away")
    assert (await delegate(api, ANN, "bob", 0, 3)).status_code == 201


async def test_a_delegation_is_taken_back_once_by_who_gave_it(
    api: Api, session: AsyncSession
) -> None:
    id_ = await made(api)
    assert problem(await api.call("POST", f"{PATH}/{id_}/end", BOB)) == (403, "not-delegator")
    assert problem(await api.call("POST", f"{PATH}/{id_}/end", CID)) == (404, "not-found")
    ended = await api.call("POST", f"{PATH}/{id_}/end", ANN)
    assert (ended.status_code, ended.json()["running"]) == (200, False)
    assert ended.json()["ended_at"] is not None
    assert problem(await api.call("POST", f"{PATH}/{id_}/end", ANN)) == (409, "delegation-ended")
    kinds = await session.scalars(text("SELECT kind FROM outbox_events ORDER BY id"))
    assert list(kinds) == ["override-delegated", "override-delegation-ended"]
    # The days are free again.
    await made(api, ANN, "cid")


async def test_what_is_over_cannot_be_taken_back(api: Api, session: AsyncSession) -> None:
    known = await digests(session)
    id_ = await session.scalar(
        text(
            "INSERT INTO override_delegations"
            " (id, delegator, delegate, department, valid_from, valid_to)"
            " VALUES ('019a0000-0000-7000-8000-000000000001', :ann, :bob, 'risk', :first, :back)"
            " RETURNING id"
        ),
        {
            "ann": known["ann"],
            "bob": known["bob"],
            "first": TODAY - timedelta(9),
            "back": TODAY,
        },
    )
    await session.commit()
    assert problem(await api.call("POST", f"{PATH}/{id_}/end", ANN)) == (409, "delegation-ended")
    assert (await api.get(f"{PATH}/{id_}", ANN)).json()["running"] is False


async def test_a_list_is_leafed_through_and_tells_what_runs(api: Api) -> None:
    ids = [await made(api, first=7 * week, back=7 * week + 7) for week in range(5)]
    await made(api, BOB, "cid", first=50, back=51)
    listed: list[str] = []
    path = f"{PATH}?limit=2"
    while path:
        page = (await api.get(path, ANN)).json()
        listed += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        path = f"{PATH}?limit=2&cursor={cursor}" if cursor else ""
    assert listed == sorted(ids, reverse=True)
    running = (await api.get(f"{PATH}?running=true", ANN)).json()["items"]
    assert [item["id"] for item in running] == ids[:1]
    assert len((await api.get(PATH, COMPLIANCE)).json()["items"]) == 6


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("running=yes", (422, "validation")),
        ("limit=0", (422, "validation")),
        ("cursor=nonsense", (422, "validation")),
        ("delegator=ann", (403, "field-not-permitted")),
    ],
)
async def test_a_bad_query_is_refused(api: Api, query: str, refused: tuple[int, str]) -> None:
    assert problem(await api.get(f"{PATH}?{query}", ANN)) == refused


async def test_services_find_who_is_away_and_for_whom_somebody_acts(
    api: Api, session: AsyncSession
) -> None:
    id_ = UUID(await made(api, first=1, back=3))
    known = await digests(session)
    for offset, runs in ((0, False), (1, True), (2, True), (3, False)):
        on = TODAY + timedelta(offset)
        away = await delegations.away_on(session, people=list(known.values()), on=on)
        assert away == ({known["ann"]} if runs else set())
        if runs:
            found = await delegations.get_delegator(
                session, delegation_id=id_, delegate=known["bob"], on=on
            )
            assert found == known["ann"]
        else:
            with pytest.raises(Conflict, match="runs today"):
                await delegations.get_delegator(
                    session, delegation_id=id_, delegate=known["bob"], on=on
                )
    with pytest.raises(Conflict):
        await delegations.get_delegator(
            session, delegation_id=id_, delegate=known["cid"], on=TODAY + timedelta(1)
        )
