"""What the clock changes has an event in the transaction of the change."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.domain.privacy.matrix import MATRIX
from app.infra.audit import AuditWriter
from app.infra.cipher import MasterKey
from app.infra.clock_audit import record_by_clock
from app.infra.database import Database

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("is_kept", [True, False])
async def test_the_event_is_kept_with_the_change(committed: Database, is_kept: bool) -> None:  # noqa: FBT001 - a case.
    writer = AuditWriter(MasterKey(b"k" * 32), committed.lanes)
    async with committed.sessions() as session:
        await record_by_clock(
            session, writer, route="end overrides", subjects=["C1"], record_version="v1"
        )
        await (session.commit() if is_kept else session.rollback())
    async with committed.sessions() as session:
        rows = (await session.execute(text("SELECT * FROM audit_events"))).mappings().all()
    assert len(rows) == is_kept
    for row in rows:
        own = ("id", "writer", "seq", "at")
        assert (row["writer"], row["seq"]) == (str(row["id"]), 1)
        assert {name: value for name, value in row.items() if name not in own} == {
            "actor_digest": writer.actor_digest("schedule", "schedule"),
            "role": "schedule",
            "purpose": None,
            "route": "end overrides",
            "subjects": ["C1"],
            "subject_count": None,
            "policy_version": MATRIX.version,
            "record_version": "v1",
            "dispositions": {},
            "body_hmac": None,
            "status": 200,
            "outcome": "changed",
        }
