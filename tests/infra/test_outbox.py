"""What happened is told in the transaction it happened in, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import cast

import pytest
from sqlalchemy import text

from app.domain.words import EventKind
from app.infra import ids
from app.infra.database import AsyncSession, Database
from app.infra.outbox import OutboxEvent, record_event, record_events

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


async def _told(session: AsyncSession) -> list[tuple[str, list[str], dict[str, object]]]:
    rows = await session.execute(
        text("SELECT kind, customer_ids, payload FROM outbox_events ORDER BY id")
    )
    return [(row.kind, row.customer_ids, row.payload) for row in rows]


async def test_an_event_is_there_with_the_change_and_gone_without_it(committed: Database) -> None:
    for is_kept in (False, True):
        async with committed.sessions() as session:
            await record_event(
                session,
                kind="override-requested",
                customer_ids=["C2", "C1"],
                payload=MappingProxyType({"override": "0190a3f2", "version": 1}),
                occurred_at=NOON,
            )
            await (session.commit() if is_kept else session.rollback())
        async with committed.sessions() as session:
            told = await _told(session)
        assert told == (
            [("override-requested", ["C2", "C1"], {"override": "0190a3f2", "version": 1})]
            if is_kept
            else []
        )


async def test_events_are_read_in_the_order_they_were_told(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the clock stands still, and even where it goes back."""
    for moment in (NOON, NOON, NOON.replace(hour=11)):
        monkeypatch.setattr(ids, "utc_now", lambda moment=moment: moment)
        for _ in range(20):
            already = len(await _told(session))
            numbers = [already + number for number in range(3)]
            await record_events(
                session,
                [
                    OutboxEvent("override-ended", (), NOON, {"version": number})
                    for number in numbers
                ],
            )
    told = [payload["version"] for _, _, payload in await _told(session)]
    assert told == list(range(180))


async def test_nothing_to_tell_is_nothing_told(session: AsyncSession) -> None:
    await record_events(session, [])
    assert await _told(session) == []


@pytest.mark.parametrize("value", ["王小明", "Ann Smith", "", "x" * 65, "a@b.example"])
def test_a_value_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(ValueError, match="ids and words only") as refused:
        OutboxEvent("override-requested", (), NOON, {"reason": value})
    assert not value or value not in str(refused.value)
    with pytest.raises(ValueError, match="ids and words only"):
        OutboxEvent(cast("EventKind", value), (), NOON)
