"""The outbox: what happened, told in the very transaction it happened in.

Whoever delivers it reads what is committed: nothing is told of a change that was rolled back, and
no change goes untold. An event names ids and words of the step and never a value, so that it may
leave the house unmasked; who wants to know more asks, and is masked and audited.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import insert

from app.db.rows.outbox_event import OutboxEventRow
from app.domain.words import EventKind
from app.infra.database import AsyncSession
from app.infra.ids import new_ids

#: What ids, words of ours, digests, dates and times are made of; no name is, nor what people write.
_ID_OR_WORD: Final = re.compile(r"[A-Za-z0-9._:+-]{1,64}|[a-z_]+( [a-z_]+){1,4}")
_STEP_BITS: Final = 32


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """One thing that happened.

    Args:
        kind: what; whoever reads the outbox knows these words and no others.
        customer_ids: to whom; nobody where it is about no customer.
        occurred_at: when.
        payload: ids and words of the step.

    Raises:
        ValueError: the payload holds what is neither id nor word.
    """

    kind: EventKind
    customer_ids: Sequence[str]
    occurred_at: datetime
    payload: Mapping[str, str | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for word in (self.kind, *self.payload.values()):
            if isinstance(word, str) and not _ID_OR_WORD.fullmatch(word):
                # Not repeated: it may be a value.
                raise ValueError("an event holds ids and words only")


class _Ascending:
    """Ids that ascend within a process, also where many are made in one millisecond."""

    def __init__(self) -> None:
        self._last = 0

    def draw(self, count: int) -> list[UUID]:
        drawn = []
        for id_ in new_ids(count):
            # Beside the last one if the clock stood still or went back.
            self._last = max(id_.int, self._last + 1 + secrets.randbits(_STEP_BITS))
            drawn.append(UUID(int=self._last))
        return drawn


_IDS: Final = _Ascending()


async def record_event(
    session: AsyncSession,
    *,
    kind: EventKind,
    customer_ids: Sequence[str],
    payload: Mapping[str, str | int],
    occurred_at: datetime,
) -> None:
    """Tell one event, in the transaction of the change.

    Raises:
        ValueError: the payload holds what is neither id nor word.
    """
    await record_events(session, [OutboxEvent(kind, customer_ids, occurred_at, payload)])


async def record_events(session: AsyncSession, events: Sequence[OutboxEvent]) -> None:
    """Tell many events in one statement; they are read in the order they are given in."""
    if not events:
        return
    told = [
        {
            "id": id_,
            "kind": event.kind,
            "customer_ids": list(event.customer_ids),
            "payload": dict(event.payload),
            "occurred_at": event.occurred_at,
        }
        for id_, event in zip(_IDS.draw(len(events)), events, strict=True)
    ]
    await session.execute(insert(OutboxEventRow), told)
