"""Evaluating customers whose tier people decided: it serves, and stability goes on below."""

from __future__ import annotations

import asyncio
from dataclasses import astuple, dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.tiering.decision import Cause, CauseKind
from app.domain.words import OverrideMode
from app.features.scoring.service import (
    Stored,
    evaluate_customer,
    evaluate_customers,
    replay_decision,
)
from app.features.tiers.service import return_to_evaluated
from app.infra.cipher import Vault, load_master_key
from app.infra.clock import utc_now
from app.infra.database import AsyncSession, Database
from app.infra.settings import Settings
from tests.factories.book import AS_OF, write_book
from tests.factories.overrides import end_override, put_override
from tests.factories.templates import put_templates
from tests.locks import until_somebody_waits

pytestmark = pytest.mark.anyio

ID = "C00000007"
UNTIL = AS_OF + timedelta(30)
API = Cause(CauseKind.API)


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(load_master_key(settings))


@pytest.fixture(autouse=True)
async def book(session: AsyncSession) -> None:
    """A small book, with the templates in force."""
    await write_book(session, 40)
    await put_templates(session)


async def evaluate(
    session: AsyncSession, vault: Vault, as_of: date = AS_OF, customer_id: str = ID
) -> Stored:
    return await evaluate_customer(
        session, customer_id=customer_id, as_of=as_of, cause=API, now=utc_now(), vault=vault
    )


@dataclass(frozen=True)
class Stands:
    """What is stored of where the customer stands."""

    held: str
    since: date
    returned_on: date | None
    evaluated_on: date


async def stands(session: AsyncSession, customer_id: str = ID) -> Stands:
    query = (
        "SELECT tier, since, returned_on, evaluated_on FROM scoring_states WHERE customer_id = :id"
    )
    return Stands(*(await session.execute(text(query), {"id": customer_id})).one())


async def served(session: AsyncSession, customer_id: str = ID) -> list[tuple[Any, ...]]:
    """Tier, source, override, first day and end of each assignment that served a day at least."""
    query = (
        "SELECT tier, source, override_id, valid_from, valid_to FROM tier_assignments"
        " WHERE customer_id = :id AND valid_to IS DISTINCT FROM valid_from ORDER BY valid_from"
    )
    await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    return [tuple(row) for row in await session.execute(text(query), {"id": customer_id})]


def another(tier: str) -> str:
    """A tier that is not this one."""
    return "diamond" if tier != "diamond" else "standard"


async def test_a_pin_serves_and_the_state_goes_on_below(
    session: AsyncSession, vault: Vault
) -> None:
    own = (await evaluate(session, vault)).record.tier_evaluated
    pin = await put_override(session, ID, tier=another(own), until=UNTIL)
    later = AS_OF + timedelta(10)
    stored = await evaluate(session, vault, later)
    assert (stored.record.tier_evaluated, stored.record.tier_applied) == (own, another(own))
    assert stored.record.override_id == pin
    assert astuple(await stands(session)) == (own, AS_OF, None, later)
    assert await served(session) == [(another(own), "override", pin, AS_OF, None)]


async def test_a_decision_under_an_override_replays_after_the_override_ended(
    session: AsyncSession, vault: Vault
) -> None:
    own = (await evaluate(session, vault)).record.tier_evaluated
    pin = await put_override(session, ID, tier=another(own), until=UNTIL)
    stored = await evaluate(session, vault)
    await end_override(session, pin, on=AS_OF, because="superseded")
    replay = await replay_decision(session, decision_id=stored.record.id, vault=vault)
    assert replay.differences == ()
    assert replay.stored.record.override_id == pin


@pytest.mark.parametrize("mode", ["floor", "ceiling"])
async def test_an_override_that_changes_nothing_is_taken_into_account_and_is_not_why(
    session: AsyncSession, vault: Vault, mode: OverrideMode
) -> None:
    own = (await evaluate(session, vault)).record.tier_evaluated
    bound = await put_override(session, ID, mode=mode, tier=own, until=UNTIL)
    stored = await evaluate(session, vault)
    assert (stored.record.tier_applied, stored.record.override_id) == (own, bound)
    assert await served(session) == [(own, "evaluated", None, AS_OF, None)]


@pytest.mark.parametrize("late", [0, 5])
async def test_from_its_last_day_on_the_tier_held_serves_though_nobody_ended_it(
    session: AsyncSession, vault: Vault, late: int
) -> None:
    own = (await evaluate(session, vault)).record.tier_evaluated
    pin = await put_override(session, ID, tier=another(own), until=UNTIL)
    day = UNTIL + timedelta(late)
    stored = await evaluate(session, vault, day)
    assert (stored.record.tier_applied, stored.record.override_id) == (own, None)
    assert astuple(await stands(session)) == (own, AS_OF, UNTIL, day)
    assert await served(session) == [
        (another(own), "override", pin, AS_OF, UNTIL),
        (own, "evaluated", None, UNTIL, None),
    ]


async def test_a_pin_to_the_tier_held_leaves_no_break_in_it(
    session: AsyncSession, vault: Vault
) -> None:
    own = (await evaluate(session, vault)).record.tier_evaluated
    pin = await put_override(session, ID, tier=own, until=UNTIL)
    await evaluate(session, vault, AS_OF + timedelta(3))
    await end_override(session, pin, on=AS_OF + timedelta(4))
    await evaluate(session, vault, AS_OF + timedelta(4))
    assert (await stands(session)).returned_on is None
    assert await served(session) == [
        (own, "override", pin, AS_OF, AS_OF + timedelta(4)),
        (own, "evaluated", None, AS_OF + timedelta(4), None),
    ]


@pytest.mark.parametrize(("ended", "back"), [(10, 10), (40, 30)])
async def test_without_an_evaluation_the_tier_held_returns_on_the_day_or_the_last_one(
    session: AsyncSession, vault: Vault, ended: int, back: int
) -> None:
    own = (await evaluate(session, vault)).record.tier_evaluated
    pin = await put_override(session, ID, tier=another(own), until=UNTIL)
    on, day = AS_OF + timedelta(ended), AS_OF + timedelta(back)
    await end_override(session, pin, on=on)
    assert await return_to_evaluated(session, customer_id=ID, on=on, now=utc_now())
    assert astuple(await stands(session)) == (own, AS_OF, day, day)
    assert await served(session) == [
        (another(own), "override", pin, AS_OF, day),
        (own, "evaluated", None, day, None),
    ]
    # Doing it again changes nothing, and nothing is evaluated for a day before.
    assert not await return_to_evaluated(session, customer_id=ID, on=on, now=utc_now())
    with pytest.raises(Conflict, match="already evaluated"):
        await evaluate(session, vault, day - timedelta(1))
    assert (await evaluate(session, vault, day)).record.override_id is None


async def test_there_is_nothing_to_return_to_before_an_evaluation(session: AsyncSession) -> None:
    assert not await return_to_evaluated(session, customer_id=ID, on=AS_OF, now=utc_now())
    with pytest.raises(NotFound):
        await return_to_evaluated(session, customer_id="nobody", on=AS_OF, now=utc_now())


async def test_a_second_override_follows_the_first_without_a_break(
    session: AsyncSession, vault: Vault
) -> None:
    own = (await evaluate(session, vault)).record.tier_evaluated
    first = await put_override(session, ID, tier=another(own), until=UNTIL)
    later = AS_OF + timedelta(5)
    await evaluate(session, vault, later)
    await end_override(session, first, on=later, because="superseded")
    second = await put_override(session, ID, tier=another(own), until=UNTIL)
    await evaluate(session, vault, later)
    assert await served(session) == [
        (another(own), "override", first, AS_OF, later),
        (another(own), "override", second, later, None),
    ]
    assert (await stands(session)).returned_on is None


# ------------------------------------------------------------------------------ many at once

IDS = [f"C{number:08}" for number in range(1, 41)]


async def test_many_at_once_are_stored_as_one_by_one(session: AsyncSession, vault: Vault) -> None:
    async with session.begin_nested() as alone:
        single = {id_: (await evaluate(session, vault, customer_id=id_)).record for id_ in IDS}
        singly_served = [await served(session, id_) for id_ in IDS]
        await alone.rollback()
    now = utc_now()
    causes = {id_: Cause(CauseKind.OVERRIDE, id_) for id_ in IDS}
    stored = await evaluate_customers(
        session, customer_ids=IDS, as_of=AS_OF, causes=causes, now=now, vault=vault
    )
    assert list(stored) == IDS
    for id_, found in stored.items():
        record, alike = found.record, single[id_]
        assert (record.cause, record.recorded_at) == (f"override:{id_}", now)
        assert (record.outcomes, record.fired, record.reasons, record.gap, record.score) == (
            alike.outcomes,
            alike.fired,
            alike.reasons,
            alike.gap,
            alike.score,
        )
        assert (await replay_decision(session, decision_id=record.id, vault=vault)).is_identical
    assert [await served(session, id_) for id_ in IDS] == singly_served
    missing = await session.scalar(text("SELECT count(*) FROM decisions WHERE gap = 'null'::jsonb"))
    assert missing == 0


async def test_ids_that_stand_for_one_customer_have_one_decision(
    session: AsyncSession, vault: Vault
) -> None:
    await session.execute(
        text(
            "INSERT INTO customer_aliases (alias_id, customer_id, merged_on)"
            " VALUES ('C00000008', 'C00000007', '2026-01-01')"
        )
    )
    both = ["C00000008", "C00000007"]
    stored = await evaluate_customers(
        session,
        customer_ids=both,
        as_of=AS_OF,
        causes=dict.fromkeys(both, API),
        now=utc_now(),
        vault=vault,
    )
    assert stored["C00000008"] is stored["C00000007"]
    assert await session.scalar(text("SELECT count(*) FROM decisions")) == 1


async def refused(
    session: AsyncSession, vault: Vault, error: type[Exception], *ids: str
) -> tuple[str, str | None]:
    """Type of what refuses many, and whom it names; nothing is stored of the others."""
    before = await session.scalar(text("SELECT count(*) FROM decisions"))
    with pytest.raises(error) as caught:
        await evaluate_customers(
            session,
            customer_ids=ids,
            as_of=AS_OF,
            causes=dict.fromkeys(ids, API),
            now=utc_now(),
            vault=vault,
        )
    assert await session.scalar(text("SELECT count(*) FROM decisions")) == before
    assert isinstance(caught.value, Conflict | Invalid | NotFound)
    assert not any(id_ in str(caught.value) for id_ in ids)
    return caught.value.type, caught.value.customer_id


async def test_what_refuses_one_of_many_names_him_to_the_caller_only(
    session: AsyncSession, vault: Vault
) -> None:
    assert await refused(session, vault, NotFound, ID, "C9") == ("not-found", "C9")
    await evaluate(session, vault, AS_OF + timedelta(1))
    found = await refused(session, vault, Conflict, "C00000003", ID, "C00000009")
    assert found == ("back-dated", ID)


async def test_an_evaluation_that_waited_for_the_end_of_an_override_does_not_apply_it(
    committed: Database, settings: Settings
) -> None:
    vault = Vault(load_master_key(settings))
    async with committed.sessions.begin() as session:
        await write_book(session, 10)
        await put_templates(session)
        own = (await evaluate(session, vault)).record.tier_evaluated
        pin = await put_override(session, ID, tier=another(own), until=UNTIL)
        await evaluate(session, vault)

    async def meanwhile() -> Stored:
        async with committed.sessions.begin() as other:
            return await evaluate(other, vault, AS_OF + timedelta(1))

    async with committed.sessions.begin() as ending:
        await end_override(ending, pin, on=AS_OF)
        await return_to_evaluated(ending, customer_id=ID, on=AS_OF, now=utc_now())
        waiting = asyncio.create_task(meanwhile())
        await until_somebody_waits(committed)
    stored = await waiting
    assert (stored.record.tier_applied, stored.record.override_id) == (own, None)
    async with committed.sessions() as session:
        assert (await served(session))[-1][:2] == (own, "evaluated")
