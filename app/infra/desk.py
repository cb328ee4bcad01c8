"""What most routes work with: the transaction, the keys, the settings, the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request

from app.infra.app_vault import AppVault
from app.infra.cipher import Vault
from app.infra.clock import business_day, utc_now
from app.infra.database import AsyncSession
from app.infra.session import WriteSession
from app.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class RequestDesk:
    """One request's transaction, the time it came at, and the business day of that time.

    `vault` opens and seals what is stored under customers' own keys.
    """

    session: AsyncSession
    vault: Vault
    settings: Settings
    now: datetime
    today: date


async def request_desk(request: Request, session: WriteSession, vault: AppVault) -> RequestDesk:
    """The desk of one request; the clock is read once, here."""
    settings: Settings = request.app.state.settings
    now = utc_now()
    return RequestDesk(session, vault, settings, now, business_day(now, settings.business_zone))


#: `scope="function"` keeps to the scope of the session it works with.
Desk = Annotated[RequestDesk, Depends(request_desk, scope="function")]


async def request_day(request: Request) -> date:
    """The business day of one request that needs no desk."""
    settings: Settings = request.app.state.settings
    return business_day(utc_now(), settings.business_zone)


Today = Annotated[date, Depends(request_day)]
