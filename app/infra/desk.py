"""What most routes about customers work with: the transaction, the time, the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request

from app.infra.clock import business_day, utc_now
from app.infra.session import AsyncSession, WriteSession
from app.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class RequestDesk:
    """One request's transaction, the time it came at, and the business day of that time."""

    session: AsyncSession
    settings: Settings
    now: datetime
    today: date


async def request_desk(request: Request, session: WriteSession) -> RequestDesk:
    """The desk of one request; the clock is read once, here."""
    settings: Settings = request.app.state.settings
    now = utc_now()
    return RequestDesk(session, settings, now, business_day(now, settings.business_zone))


#: `scope="function"` keeps to the scope of the session it works with.
Desk = Annotated[RequestDesk, Depends(request_desk, scope="function")]
