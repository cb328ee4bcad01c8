"""Who started something that goes on after his request: a digest of him, and his role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.infra.audit import AuditWriter
from app.infra.auth import CurrentActor


@dataclass(frozen=True, slots=True)
class Requester:
    """An actor in one role, as the database knows him."""

    digest: str
    role: str


async def requester_of(request: Request, actor: CurrentActor) -> Requester:
    """The caller as one who starts jobs."""
    writer: AuditWriter = request.app.state.audit
    return Requester(writer.actor_digest(actor.issuer, actor.subject), actor.role.value)


CurrentRequester = Annotated[Requester, Depends(requester_of)]
