"""What the clock does: requests expire, overrides end, people are reminded, each once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.errors import Invalid
from app.features.overrides.service import Due, Tick, clockwork, keep_time, steps
from app.features.scoring.service import evaluate_customers
from app.infra.clock import utc_now
from app.infra.database import AsyncSession, Database
from tests.features.overrides.desk import BEA, CLEO, MIA, RITA, Overrides, problem, today

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def tick(overrides: Overrides, database: Database, *, hours: int = 0, days: int = 0) -> Due:
    """Let the clock look, some time from now."""
    state = overrides.api.app.state
    later: datetime = utc_now() + timedelta(days, hours=hours)
    at = Tick(database, state.vault, state.audit, later, today() + timedelta(days))
    return await keep_time(at)


async def kinds(session: AsyncSession) -> list[str]:
    """What the outbox holds."""
    return list(await session.scalars(text("SELECT kind FROM outbox_events ORDER BY id")))


async def test_a_request_expires_after_72_hours_and_not_before(
    overrides: Overrides, database: Database, session: AsyncSession
) -> None:
    asked = await overrides.asked("C1")
    await overrides.approve(asked["id"], RITA)
    assert await tick(overrides, database, hours=47) == Due(0, 0, 0)
    assert await tick(overrides, database, hours=71) == Due(expired=0, ended=0, reminded=1)
    assert await tick(overrides, database, hours=71) == Due(0, 0, 0)
    assert await tick(overrides, database, hours=73) == Due(expired=1, ended=0, reminded=0)
    found = (await overrides.get(asked["id"], CLEO)).json()
    assert (found["status"], found["overrides"][0]["closed_by"]) == ("expired", None)
    assert problem(await overrides.approve(asked["id"], BEA)) == (409, "already-decided")
    assert await tick(overrides, database, hours=74) == Due(0, 0, 0)
    assert await kinds(session) == [
        "override-requested",
        "override-approved",
        "override-reminder",
        "override-expired",
    ]
    audited = await session.execute(
        text("SELECT role, subjects, outcome FROM audit_events WHERE route = 'job overrides'")
    )
    assert [tuple(event) for event in audited] == [("schedule", ["C1"], "changed")]


async def test_an_officer_comes_too_late_even_before_the_clock_looks(
    overrides: Overrides, session: AsyncSession
) -> None:
    asked = await overrides.asked("C1")
    # Its time cannot be changed by anybody, so that the row is made with less of it.
    await session.execute(text("ALTER TABLE override_requests DISABLE TRIGGER guarded"))
    await session.execute(
        text("UPDATE override_requests SET expires_at = clock_timestamp() WHERE id = :id"),
        {"id": asked["id"]},
    )
    await session.execute(text("ALTER TABLE override_requests ENABLE TRIGGER guarded"))
    await session.commit()
    assert problem(await overrides.approve(asked["id"], RITA)) == (409, "request-expired")
    assert problem(await overrides.put(asked["id"])) == (409, "request-expired")
    # Taking it back does no harm.
    assert (await overrides.withdraw(asked["id"])).status_code == 200


async def test_at_the_end_of_its_validity_the_evaluated_tier_serves_again(
    overrides: Overrides, database: Database, session: AsyncSession
) -> None:
    done = await overrides.activated("C1")
    assert await tick(overrides, database, days=15) == Due(0, 0, 0)
    assert await tick(overrides, database, days=29) == Due(expired=0, ended=0, reminded=1)
    assert await tick(overrides, database, days=29) == Due(0, 0, 0)
    assert await tick(overrides, database, days=30) == Due(expired=0, ended=1, reminded=0)
    found = (await overrides.get(done["id"], CLEO)).json()["overrides"][0]
    assert (found["status"], found["closed_because"]) == ("ended", "validity")
    assert found["closed_on"] == done["valid_until"]
    history = (await overrides.send("GET", "/v1/customers/C1/tier-history", MIA)).json()["items"]
    assert [
        (item["tier"], item["source"], item["valid_from"], item["valid_to"]) for item in history
    ][:2] == [
        ("standard", "evaluated", done["valid_until"], None),
        ("diamond", "override", today().isoformat(), done["valid_until"]),
    ]
    audited = await session.execute(
        text("SELECT role, subjects, outcome FROM audit_events WHERE route = 'job overrides'")
    )
    assert [tuple(event) for event in audited] == [("schedule", ["C1"], "changed")]
    causes = await session.scalars(text("SELECT cause FROM decisions ORDER BY recorded_at, id"))
    assert list(causes) == [f"override:{done['id']}"] * 3
    assert (await kinds(session))[-2:] == ["override-ending", "override-ended"]


async def test_it_ends_also_where_the_customer_cannot_be_evaluated(
    overrides: Overrides, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await overrides.activated("C1")

    async def refuse(*_: object, **__: object) -> None:
        raise Invalid("input-error", "The facts cannot be judged.")

    monkeypatch.setattr(steps, "evaluate_customers", refuse)
    assert await tick(overrides, database, days=30) == Due(expired=0, ended=1, reminded=0)
    tier = await overrides.tier("C1")
    assert (tier["tier"], tier["source"], tier["override"]) == ("standard", "evaluated", None)


async def test_what_fails_for_one_keeps_no_other_from_its_step(
    overrides: Overrides,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = await overrides.activated("C1"), await overrides.activated("C2")
    evaluated = evaluate_customers

    async def fail_once(*args: Any, customer_ids: list[str], **words: Any) -> object:  # noqa: ANN401 - whatever it is given.
        if "C1" in customer_ids:
            raise OSError("the database is away")
        return await evaluated(*args, customer_ids=customer_ids, **words)

    monkeypatch.setattr(steps, "evaluate_customers", fail_once)
    with pytest.raises(OSError, match="away"):
        await tick(overrides, database, days=30)
    assert [getattr(record, "override_id", None) for record in caplog.records] == [first["id"]]
    states = [
        (await overrides.get(found["id"], CLEO)).json()["status"] for found in (first, second)
    ]
    assert states == ["active", "ended"]
    monkeypatch.undo()
    assert await tick(overrides, database, days=30) == Due(expired=0, ended=1, reminded=0)


async def test_a_request_that_cannot_expire_keeps_no_override_from_its_end(
    overrides: Overrides, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = await overrides.activated("C1")
    late = (today() + timedelta(100)).isoformat()
    asked = await overrides.asked("C2", valid_until=late)
    told = steps.tell

    async def fail_once(*args: Any, **words: Any) -> None:  # noqa: ANN401 - whatever it is given.
        if "override-expired" in args:
            raise OSError("the database is away")
        await told(*args, **words)

    monkeypatch.setattr(clockwork, "tell", fail_once)
    with pytest.raises(OSError, match="away"):
        await tick(overrides, database, days=31)
    states = [(await overrides.get(found["id"], CLEO)).json()["status"] for found in (done, asked)]
    assert states == ["ended", "requested"]
