"""Who saw what: one event per customer-data answer, change or denial, numbered per writer.

An answer's event is inserted in the transaction of the request, which commits before a byte leaves;
a denial's in a transaction of its own. A file for others leaves one event, before it gets its name.
No event holds a value: subjects are ids, the actor is an
HMAC, and the body is known by its HMAC.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.types import Scope

from app.db.rows.audit_event import AuditEventRow
from app.domain.customer_ids import is_customer_id
from app.domain.privacy.actor import Actor
from app.domain.privacy.classes import Disposition
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.infra.auth.dependencies import CurrentActor, caller_of
from app.infra.cipher import MasterKey
from app.infra.clock import utc_now
from app.infra.ids import new_id
from app.infra.problems import AWAITS_COMMIT, ProblemError
from app.infra.request_id import route_of
from app.infra.session import WriteSession

#: Stands where a denied caller had not settled on a role.
NO_ROLE: Final = "none"

_ACTOR_DIGITS = 32


class Outcome(StrEnum):
    """What became of the request."""

    ANSWERED = "answered"
    CHANGED = "changed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """What is written down of one answer.

    Args:
        actor_digest: HMAC of issuer and subject.
        role: the active role.
        purpose: the stated purpose.
        route: method and route template.
        subjects: ids of the customers concerned; none where a whole file tells about them.
        status: the HTTP status.
        outcome: what became of the request.
        record_version: version of the record that was shown.
        dispositions: the form each classified field was shown in, by path.
        body_hmac: HMAC of the body.
        subject_count: how many customers a file tells about.
    """

    actor_digest: str
    role: str
    purpose: str | None
    route: str
    subjects: tuple[str, ...]
    status: int
    outcome: Outcome
    record_version: str | None = None
    dispositions: Mapping[str, Disposition] | None = None
    body_hmac: bytes | None = None
    subject_count: int | None = None


class AuditWriter:
    """Writes the events of one process.

    Args:
        master: the master key, from which the writer derives its HMAC keys.
        sessions: where denials get their own transactions.
    """

    def __init__(self, master: MasterKey, sessions: async_sessionmaker[AsyncSession]) -> None:
        self.writer = str(new_id())
        self._actor_key = master.derive("audit actor")
        self._body_key = master.derive("audit body")
        self._sessions = sessions
        self._numbers = count(1)

    def actor_digest(self, issuer: str, subject: str) -> str:
        """What stands for an actor; equal for equal actors, and found by who knows the key."""
        name = f"{len(issuer)}:{issuer}{subject}".encode()
        return hmac.new(self._actor_key, name, hashlib.sha256).hexdigest()[:_ACTOR_DIGITS]

    def body_hmac(self, body: bytes) -> bytes:
        """What stands for a body."""
        return hmac.digest(self._body_key, body, "sha256")

    async def record(self, session: AsyncSession, event: AuditEvent) -> None:
        """Insert an event in the session's transaction.

        Raises:
            ProblemError: it could not be inserted; without its event no answer leaves.
        """
        try:
            await session.execute(
                insert(AuditEventRow).values(
                    id=new_id(),
                    writer=self.writer,
                    seq=next(self._numbers),
                    at=utc_now(),
                    actor_digest=event.actor_digest,
                    role=event.role,
                    purpose=event.purpose,
                    route=event.route,
                    subjects=list(event.subjects),
                    subject_count=event.subject_count,
                    policy_version=MATRIX.version,
                    record_version=event.record_version,
                    dispositions=dict(event.dispositions or {}),
                    body_hmac=event.body_hmac,
                    status=event.status,
                    outcome=event.outcome.value,
                )
            )
        except SQLAlchemyError as error:
            slug = "unavailable"
            raise ProblemError(slug) from error

    async def record_denial(self, request: Request, status: int) -> None:
        """Insert the event of a refused request in a transaction of its own, and commit it.

        Requests without a verified token leave none: they are whoever's. Neither do those for what
        is about no customer, whose answers leave none either.
        """
        caller = caller_of(request.scope)
        if caller is None or not _is_audited(request.scope):
            return
        # What a caller typed is noted only if it could be an id.
        asked = str(request.path_params.get("customer_id", ""))
        event = AuditEvent(
            actor_digest=self.actor_digest(caller.issuer, caller.subject),
            role=NO_ROLE if caller.role is None else caller.role,
            purpose=caller.purpose,
            route=route_of(request.scope),
            subjects=(asked,) if is_customer_id(asked) else (),
            status=status,
            outcome=Outcome.DENIED,
        )
        async with self._sessions.begin() as session:
            await self.record(session, event)


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """The audit of one request: its writer, its transaction, its actor, and what is noted."""

    writer: AuditWriter
    session: AsyncSession
    actor: Actor
    scope: Scope
    outcome: Outcome = Outcome.ANSWERED
    record_version: str | None = None

    def noting(
        self, *, outcome: Outcome = Outcome.ANSWERED, record_version: str | None = None
    ) -> AuditTrail:
        """The same audit, which also tells that something changed, or which version was shown."""
        return replace(self, outcome=outcome, record_version=record_version)

    async def record_answer(
        self,
        *,
        viewer: Viewer,
        subjects: Sequence[str],
        answer: Answer,
    ) -> None:
        """Insert the event of an answer that is about to leave.

        Args:
            viewer: for whom it was rendered.
            subjects: ids of the customers it tells about.
            answer: what will be sent.
        """
        event = AuditEvent(
            actor_digest=self.writer.actor_digest(self.actor.issuer, self.actor.subject),
            role=viewer.role,
            purpose=viewer.purpose,
            route=route_of(self.scope),
            subjects=tuple(subjects),
            status=answer.status,
            outcome=self.outcome,
            record_version=self.record_version,
            dispositions=answer.dispositions,
            body_hmac=self.writer.body_hmac(answer.body),
        )
        await self.writer.record(self.session, event)
        # From here on the commit is all that is left, and without it no answer leaves.
        self.scope[AWAITS_COMMIT] = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What the audit knows of an answer."""

    status: int
    body: bytes
    dispositions: Mapping[str, Disposition]


async def audit_trail(request: Request, session: WriteSession, actor: CurrentActor) -> AuditTrail:
    """The audit of this request, in the transaction the route itself works in."""
    writer: AuditWriter = request.app.state.audit
    return AuditTrail(writer, session, actor, request.scope)


#: `scope="function"` keeps to the scope of the session it writes with.
Audit = Annotated[AuditTrail, Depends(audit_trail, scope="function")]


def _is_audited(scope: Scope) -> bool:
    """Whether the route that was matched writes an event for what it answers."""
    matched = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    dependant: Dependant | None = getattr(matched, "dependant", None)
    return dependant is not None and _depends_on(dependant, audit_trail)


def _depends_on(dependant: Dependant, call: Callable[..., object]) -> bool:
    return any(inner.call is call or _depends_on(inner, call) for inner in dependant.dependencies)


def install_audit(app: FastAPI) -> AuditWriter:
    """Start a writer for the application's database and vault, which must be there."""
    writer = AuditWriter(app.state.vault.master, app.state.database.sessions)
    app.state.audit = writer
    return writer
