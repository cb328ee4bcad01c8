"""What the clock does: requests expire, overrides end, and both are announced before."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from app.domain.overrides.transitions import Step, after
from app.features.overrides.repository import cases, clock, steps
from app.features.overrides.repository.steps import Closing
from app.features.overrides.service.cases import Case, load_case
from app.features.overrides.service.steps import stop_serving, tell
from app.infra.cipher import Vault
from app.infra.clock_audit import ActorDigests, record_by_clock
from app.infra.database import AsyncSession, Database

log = logging.getLogger(__name__)

REMINDED_BEFORE_EXPIRY: Final = timedelta(hours=24)
"""How long before its end the missing keys of a request are reminded of."""
REMINDED_BEFORE_END: Final = timedelta(days=14)
"""How long before its end an override is announced; one approved later than that, at once."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One look at the clock.

    Args:
        database: where; each request is a transaction of its own.
        vault: seals what an evaluation keeps.
        audit: what the clock did is written down like what people do.
        now: the present instant.
        today: its business day.
    """

    database: Database
    vault: Vault
    audit: ActorDigests
    now: datetime
    today: date


@dataclass(frozen=True, slots=True)
class Due:
    """How many requests expired, overrides ended, and either were announced."""

    expired: int
    ended: int
    reminded: int

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return self.expired + self.ended + self.reminded


_StepOf = Callable[[AsyncSession, Tick, UUID], Awaitable[bool]]


async def keep_time(tick: Tick) -> Due:
    """Do all that is due; what was done by another worker meanwhile is left alone.

    Raises:
        Exception: the last of those that kept a request from its step, which are all logged; all
            others had theirs.
    """
    async with tick.database.sessions() as session:
        expiring = await clock.list_expired(session, now=tick.now)
        ending = await clock.list_over(session, today=tick.today)
        waiting = await clock.list_to_remind(session, before=tick.now + REMINDED_BEFORE_EXPIRY)
        serving = await clock.list_ending(session, before=tick.today + REMINDED_BEFORE_END)
    failures: list[Exception] = []
    expired = await _each(tick, expiring, _expire, failures)
    ended = await _each(tick, ending, _end, failures)
    reminded = await _each(tick, waiting, _remind, failures)
    reminded += await _each(tick, serving, _announce_end, failures)
    if failures:
        raise failures[-1]
    return Due(expired, ended, reminded)


async def _each(
    tick: Tick, request_ids: list[UUID], step: _StepOf, failures: list[Exception]
) -> int:
    """Take a step in each request, in a transaction of its own; how many were taken.

    What kept one from its step is added to the failures: no other step of any kind waits for it.
    """
    taken = 0
    for request_id in request_ids:
        try:
            async with tick.database.sessions.begin() as session:
                # Who takes a step in it now is not waited for: the next tick is soon.
                if await cases.lock_request(session, request_id, unless_busy=True):
                    taken += await step(session, tick, request_id)
        except Exception as error:
            # Whatever it is, the next one is not to wait.
            told = {"override_id": str(request_id)}
            log.warning("a step that is due failed", extra=told, exc_info=True)
            failures.append(error)
    return taken


async def _expire(session: AsyncSession, tick: Tick, request_id: UUID) -> bool:
    case = await load_case(session, request_id=request_id)
    waiting = case.waiting_overrides
    if not waiting or tick.now < case.request.expires_at:
        return False
    closing = Closing(case.state_after(Step.EXPIRE), "expired", tick.now, tick.today)
    await steps.close(session, [found.id for found in waiting], closing)
    await tell(session, case, "override-expired", now=tick.now, overrides=waiting)
    await _note(session, tick, case, [found.customer_id for found in waiting])
    return True


async def _end(session: AsyncSession, tick: Tick, request_id: UUID) -> bool:
    case = await load_case(session, request_id=request_id)
    over = [
        found
        for found in case.overrides
        if found.state == "active" and found.valid_until <= tick.today
    ]
    if not over:
        return False
    closing = Closing(after(over[0].state, Step.END), "validity", tick.now, tick.today)
    await stop_serving(session, over, closing, vault=tick.vault)
    await tell(session, case, "override-ended", now=tick.now, overrides=over)
    await _note(session, tick, case, [found.customer_id for found in over])
    return True


async def _remind(session: AsyncSession, tick: Tick, request_id: UUID) -> bool:
    case = await load_case(session, request_id=request_id)
    if not await clock.note_reminder(session, request_id, now=tick.now):
        return False
    waits_for = "+".join(case.waiting.waits_for)
    await tell(session, case, "override-reminder", now=tick.now, waits_for=waits_for)
    return True


async def _announce_end(session: AsyncSession, tick: Tick, request_id: UUID) -> bool:
    case = await load_case(session, request_id=request_id)
    announced = await clock.note_announcements(
        session, request_id, before=tick.today + REMINDED_BEFORE_END, now=tick.now
    )
    serving = [found for found in case.overrides if found.id in announced]
    if serving:
        await tell(session, case, "override-ending", now=tick.now, overrides=serving)
    return bool(serving)


async def _note(session: AsyncSession, tick: Tick, case: Case, subjects: list[str]) -> None:
    """Write down what the clock did, in the transaction in which it did it."""
    await record_by_clock(
        session,
        tick.audit,
        route="job overrides",
        subjects=subjects,
        record_version=case.recorded_as,
    )
