"""Who saw what: one event per customer-data answer, change or denial, numbered per stream.

A change's event is inserted in the transaction of the change. Those of reads and denials are
committed in groups, many requests' in one go; either way before a byte leaves. A file for others
leaves one event, before it gets its name. No event holds a value: subjects are ids, the actor is an
HMAC, and the body is known by its HMAC.

The numbers of a stream (`writer`) run from 1 without a gap, so that a missing one is an event that
was taken away. Groups of a process follow each other in one stream until one fails: what became of
it may not be known, so the next begins another stream. A change may be rolled back after its event
was inserted, so its event is a stream of its own, called by the event's id.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import Scope

from app.db.rows.audit_event import AuditEventRow
from app.domain.customer_ids import is_customer_id
from app.domain.privacy.actor import Actor
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.infra.auth.dependencies import CurrentActor, caller_of
from app.infra.batcher import Batcher
from app.infra.cipher import MasterKey
from app.infra.clock import utc_now
from app.infra.database import DATABASE_ERRORS
from app.infra.ids import new_id, new_ids
from app.infra.lanes import Lanes
from app.infra.problems import AWAITS_COMMIT, ProblemError
from app.infra.request_id import route_of
from app.infra.session import WriteSession

#: Stands where a denied caller had not settled on a role.
NO_ROLE: Final = "none"

_ACTOR_DIGITS = 32
_REMEMBERED_ACTORS = 4096
#: Customers that one event names; a file may be about very many.
_SUBJECTS_AT_A_TIME = 1000

#: In the order of `_values`.
_COLUMNS: Final = (
    "id",
    "writer",
    "seq",
    "at",
    "actor_digest",
    "role",
    "purpose",
    "route",
    "subjects",
    "subject_count",
    "policy_version",
    "record_version",
    "dispositions",
    "body_hmac",
    "status",
    "outcome",
)


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
        subjects: ids of the customers concerned; none where a command's file tells about them.
        status: the HTTP status.
        outcome: what became of the request.
        record_version: version of the record that was shown.
        dispositions: JSON of the form each classified field was shown in, by path.
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
    dispositions: str = "{}"
    body_hmac: bytes | None = None
    subject_count: int | None = None


class AuditWriter:
    """Writes the events of one process.

    Args:
        master: the master key, from which the writer derives its HMAC keys.
        lanes: where events of reads and denials are committed in groups.
    """

    def __init__(self, master: MasterKey, lanes: Lanes) -> None:
        self._begin_stream()
        self._actor_key = master.derive("audit actor")
        self._body_key = master.derive("audit body")
        self._digests = lru_cache(_REMEMBERED_ACTORS)(self._digest_of)
        self._lanes = lanes
        self._ledger: Batcher[Sequence[AuditEvent], None] = Batcher(self._store)

    def _begin_stream(self) -> None:
        self._stream, self._last = str(new_id()), 0

    def actor_digest(self, issuer: str, subject: str) -> str:
        """What stands for an actor; equal for equal actors, and found by who knows the key."""
        return self._digests(issuer, subject)

    def _digest_of(self, issuer: str, subject: str) -> str:
        name = f"{len(issuer)}:{issuer}{subject}".encode()
        return hmac.new(self._actor_key, name, hashlib.sha256).hexdigest()[:_ACTOR_DIGITS]

    def body_hmac(self, body: bytes) -> bytes:
        """What stands for a body."""
        return hmac.digest(self._body_key, body, "sha256")

    def hmac_of_pieces(self, pieces: Iterable[bytes]) -> bytes:
        """What stands for a body that is too large to be in memory."""
        found = hmac.new(self._body_key, digestmod="sha256")
        for piece in pieces:
            found.update(piece)
        return found.digest()

    async def record(self, session: AsyncSession, event: AuditEvent) -> None:
        """Insert an event in the session's transaction, as that of a change is.

        Raises:
            ProblemError: it could not be inserted; without its event no answer leaves.
        """
        id_ = new_id()
        told = _values(event, id_, utc_now(), (str(id_), 1))
        values = dict(zip(_COLUMNS, told, strict=True))
        values["dispositions"] = json.loads(event.dispositions)
        try:
            await session.execute(insert(AuditEventRow).values(values))
        except SQLAlchemyError as error:
            raise ProblemError("unavailable") from error

    async def commit(self, *events: AuditEvent) -> None:
        """Store the events of an answer for good, with those of other requests of the moment.

        Raises:
            ProblemError: they could not be stored, all of them, or that is not known; without its
                events no answer leaves.
        """
        try:
            await self._ledger.ask(events)
        except DATABASE_ERRORS as error:
            raise ProblemError("unavailable") from error

    async def _store(self, answers: list[Sequence[AuditEvent]]) -> list[None]:
        """One COPY, which is a transaction of its own; no other is on its way."""
        events = [event for answer in answers for event in answer]
        at, ids, stream = utc_now(), new_ids(len(events)), self._stream
        numbered = enumerate(zip(events, ids, strict=True), self._last + 1)
        records = [_values(event, id_, at, (stream, seq)) for seq, (event, id_) in numbered]
        try:
            async with self._lanes.lend() as connection:
                await connection.copy_records_to_table(
                    AuditEventRow.__tablename__, records=records, columns=_COLUMNS
                )
        except BaseException:
            # It may have been stored all the same: its numbers are neither free nor surely taken.
            self._begin_stream()
            raise
        self._last += len(events)
        return [None] * len(answers)

    async def record_denial(self, request: Request, status: int) -> None:
        """Store the event of a refused request.

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
        await self.commit(event)


def _values(
    event: AuditEvent, id_: UUID, at: datetime, place: tuple[str, int]
) -> tuple[object, ...]:
    """What is stored of an event, in the order of the columns.

    Args:
        event: the event.
        id_: its id.
        at: when.
        place: its stream, and its number there.
    """
    return (
        id_,
        *place,
        at,
        event.actor_digest,
        event.role,
        event.purpose,
        event.route,
        list(event.subjects),
        event.subject_count,
        MATRIX.version,
        event.record_version,
        event.dispositions,
        event.body_hmac,
        event.status,
        event.outcome.value,
    )


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """The audit of one request: its writer, its actor, and what is noted.

    `session` is the transaction of a change, which its event is stored with; None for a read.
    """

    writer: AuditWriter
    actor: Actor
    scope: Scope
    session: AsyncSession | None = None
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
        """Store the event of an answer that is about to leave.

        Args:
            viewer: for whom it was rendered.
            subjects: ids of the customers it tells about.
            answer: what will be sent.

        Raises:
            ProblemError: it could not be stored.
        """
        event = self._event(viewer, subjects, answer)
        if self.session is None:
            await self.writer.commit(event)
            return
        await self.writer.record(self.session, event)
        # From here on the commit is all that is left, and without it no answer leaves.
        self.scope[AWAITS_COMMIT] = True

    async def record_file(self, *, viewer: Viewer, subjects: Sequence[str], answer: Answer) -> None:
        """Store the events of a file about customers that is about to leave: all of them or none.

        A long list of customers is told by several events, which share the HMAC of the body. Each
        names a part of the customers, and tells how many the file is about.

        Args:
            viewer: for whom it was rendered.
            subjects: ids of the customers it tells about.
            answer: what will be sent.

        Raises:
            ProblemError: they could not be stored.
        """
        await self.writer.commit(
            *(
                replace(
                    self._event(viewer, subjects[first : first + _SUBJECTS_AT_A_TIME], answer),
                    subject_count=len(subjects),
                )
                for first in range(0, max(len(subjects), 1), _SUBJECTS_AT_A_TIME)
            )
        )

    def _event(self, viewer: Viewer, subjects: Sequence[str], answer: Answer) -> AuditEvent:
        return AuditEvent(
            actor_digest=self.writer.actor_digest(self.actor.issuer, self.actor.subject),
            role=viewer.role,
            purpose=viewer.purpose,
            route=route_of(self.scope),
            subjects=tuple(subjects),
            status=answer.status,
            outcome=self.outcome,
            record_version=self.record_version,
            dispositions=answer.dispositions,
            body_hmac=answer.body_hmac,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What the audit knows of an answer."""

    status: int
    body_hmac: bytes
    dispositions: str = "{}"


async def audit_trail(request: Request, actor: CurrentActor) -> AuditTrail:
    """The audit of a request that changes nothing."""
    writer: AuditWriter = request.app.state.audit
    return AuditTrail(writer, actor, request.scope)


async def change_trail(request: Request, actor: CurrentActor, session: WriteSession) -> AuditTrail:
    """The audit of a request that changes something, in the transaction of the change."""
    writer: AuditWriter = request.app.state.audit
    return AuditTrail(writer, actor, request.scope, session)


Audit = Annotated[AuditTrail, Depends(audit_trail)]
#: `scope="function"` keeps to the scope of the session it writes with.
ChangeAudit = Annotated[AuditTrail, Depends(change_trail, scope="function")]


def _is_audited(scope: Scope) -> bool:
    """Whether the route that was matched writes an event for what it answers."""
    matched = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    dependant: Dependant | None = getattr(matched, "dependant", None)
    return dependant is not None and _has_trail(dependant)


def _has_trail(dependant: Dependant) -> bool:
    return any(
        inner.call in {audit_trail, change_trail} or _has_trail(inner)
        for inner in dependant.dependencies
    )


def install_audit(app: FastAPI) -> AuditWriter:
    """Start a writer for the application's database and vault, which must be there."""
    writer = AuditWriter(app.state.vault.master, app.state.database.lanes)
    app.state.audit = writer
    return writer
