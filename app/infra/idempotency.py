"""`Idempotency-Key`: a request that is sent again has its effect once.

A route that creates something takes `once: Once`, asks it first, and tells it last:

    if (earlier := await once.find()) is not None:
        made = await service.get_thing(session, id=UUID(earlier.resource))
    else:
        made = await service.create_thing(session, ...)
        await once.keep(str(made.id))
    return await respond(..., audit=once.noting(str(made.id)), status=once.status,
                         headers=once.headers)

`once.noting` gives the audit of the change, so that the route asks for no `ChangeAudit` besides.
The key's row is written in the transaction of the effect and holds no body, only the id of what was
created. So a repetition reads it as it is now, is masked for the viewer of now and audited like any
read; an effect that failed leaves no row, and its repetition is a first request. Ask after it is
settled that the caller may see the subject, so that a repetition is refused like everything else.

A key belongs to subject, role and route for a day. With another body, query or path it is refused
(422). Requests with one key that come at once wait for the first of them and are answered alike;
where it takes too long they are answered 409, as draft-ietf-httpapi-idempotency-key-header has it,
with `Retry-After`. They wait for a lock of the key and not for its row, so that rows are whole.

`responses={201: REPLAYED, ...}` describes it. `OnceRequired` is for what must not be sent without a
key. A body that is streamed has no HMAC: give `find` the digest of what was read.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from app.db.rows.idempotency_key import IdempotencyKeyRow
from app.infra.audit import AuditTrail, ChangeAudit, Outcome
from app.infra.desk import Desk, RequestDesk
from app.infra.problems import RETRY_AFTER_SECONDS, ProblemError
from app.infra.request_id import route_of

KEY_HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotent-Replayed"
KEPT_FOR: Final = timedelta(hours=24)

#: What the interface description says of an answer that may be a repetition.
REPLAYED: Final = {
    "headers": {
        REPLAYED_HEADER: {
            "description": "`true` where an earlier request with the same key had the effect.",
            "schema": {"type": "string", "enum": ["true"]},
        }
    }
}

_CREATED = 201
_LOCK_NOT_AVAILABLE = "55P03"
_LOCK_BYTES = 8

#: Whoever writes a row removes two that have expired, so that there are never many.
_REMOVE_EXPIRED: Final = text(
    "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(SELECT ctid FROM idempotency_keys"
    " WHERE expires_at <= :now ORDER BY expires_at LIMIT 2 FOR UPDATE SKIP LOCKED))"
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the first request with a key did: the id of what it created, and its status."""

    resource: str
    status: int


@dataclass(frozen=True, slots=True)
class _Scope:
    """Whose key it is and for what."""

    actor_digest: bytes
    role: str
    route: str
    key_digest: bytes

    def lock(self) -> int:
        """The number of the key's lock."""
        parts = (self.actor_digest, self.role.encode(), self.route.encode(), self.key_digest)
        digest = hashlib.sha256(b"\0".join(parts)).digest()
        return int.from_bytes(digest[:_LOCK_BYTES], signed=True)


class OneEffect:
    """The effect of one request, which happens once per key; without a key, every time.

    `status` is that of the answer, of the first one where this is a repetition.

    Args:
        request: the request.
        audit: its audit, in the transaction of the effect.
        desk: its desk, of the same transaction.
        scope: whose key it is and for what; None without one.
        secret: what request bodies are digested with.
    """

    def __init__(
        self,
        request: Request,
        audit: AuditTrail,
        desk: RequestDesk,
        scope: _Scope | None,
        secret: bytes,
    ) -> None:
        self._request = request
        self._audit = audit
        self._session = desk.session
        self._now = desk.now
        self._scope = scope
        self._secret = secret
        self._request_hmac = b""
        self._is_replayed = False
        self.status = _CREATED

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer, which tell a repetition."""
        return {REPLAYED_HEADER: "true"} if self._is_replayed else {}

    def noting(self, record_version: str) -> AuditTrail:
        """The audit, which tells a change the first time and a read after."""
        outcome = Outcome.ANSWERED if self._is_replayed else Outcome.CHANGED
        return self._audit.noting(outcome=outcome, record_version=record_version)

    async def find(self, digest: bytes | None = None) -> Earlier | None:
        """What was done by an earlier request with this key; None where it is to be done now.

        Args:
            digest: stands for a body that was streamed.

        Raises:
            ProblemError: the key was used for another request, or another with it is under way.
        """
        if self._scope is None:
            return None
        body = await self._request.body() if digest is None else digest
        self._request_hmac = _hmac(self._secret, _target(self._request), body)
        await self._lock(self._scope.lock())
        row = await self._session.get(
            IdempotencyKeyRow,
            (
                self._scope.actor_digest,
                self._scope.role,
                self._scope.route,
                self._scope.key_digest,
            ),
        )
        if row is None or row.expires_at <= self._now:
            return None
        if not hmac.compare_digest(row.request_hmac, self._request_hmac):
            raise ProblemError("idempotency-key-reused")
        self._is_replayed = True
        self.status = row.status
        return Earlier(row.resource, row.status)

    async def _lock(self, number: int) -> None:
        """Wait until no other request with this key is under way, and keep others waiting."""
        try:
            await self._session.execute(select(func.pg_advisory_xact_lock(number)))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            raise _in_use() from error

    async def keep(self, resource: str, *, status: int = _CREATED) -> None:
        """Store what was done, in the transaction of the effect; `find` was asked before.

        Args:
            resource: id of what was created.
            status: of the answer.

        Raises:
            ProblemError: another request with this key was first.
        """
        self.status = status
        if self._scope is None:
            return
        row = IdempotencyKeyRow
        values = {
            "request_hmac": self._request_hmac,
            "resource": resource,
            "status": status,
            "expires_at": self._now + KEPT_FOR,
        }
        of = self._scope
        await self._session.execute(_REMOVE_EXPIRED, {"now": self._now})
        # What is in the way is the same key, expired: the lock keeps out any other, and where it
        # did not, the table does.
        written = await self._session.scalar(
            insert(row)
            .values(
                actor_digest=of.actor_digest,
                role=of.role,
                route=of.route,
                key_digest=of.key_digest,
                **values,
            )
            .on_conflict_do_update(
                index_elements=[row.actor_digest, row.role, row.route, row.key_digest],
                set_=values,
                where=row.expires_at <= self._now,
            )
            .returning(row.status)
        )
        if written is None:
            raise _in_use()


def _in_use() -> ProblemError:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return ProblemError("idempotency-key-in-use", headers=headers)


def _hmac(secret: bytes, *parts: bytes) -> bytes:
    told = b"".join(len(part).to_bytes(4) + part for part in parts)
    return hmac.digest(secret, told, "sha256")


def _target(request: Request) -> bytes:
    path: str = request.scope["path"]
    query: bytes = request.scope["query_string"]
    return path.encode() + b"?" + query


#: Checked by the framework, which tells the interface description too.
_Key = Header(
    alias=KEY_HEADER,
    min_length=1,
    max_length=255,
    pattern="^[ -~]+$",
    description="Repeated within 24 hours by the same caller, the request has its effect once.",
)


async def optional_once(
    request: Request,
    audit: ChangeAudit,
    desk: Desk,
    key: Annotated[str | None, _Key] = None,
) -> OneEffect:
    """The effect of a request that may carry a key."""
    if len(request.headers.getlist(KEY_HEADER)) > 1:
        # Whoever stands between could take the one and we the other.
        raise ProblemError("bad-request")
    secret = desk.vault.master.derive("idempotency")
    actor = audit.actor
    scope = None
    if key is not None:
        scope = _Scope(
            actor_digest=_hmac(secret, actor.issuer.encode(), actor.subject.encode()),
            role=actor.role,
            route=route_of(request.scope),
            key_digest=_hmac(secret, key.encode()),
        )
    return OneEffect(request, audit, desk, scope, secret)


#: `scope="function"` keeps to the scope of the session it writes with.
Once = Annotated[OneEffect, Depends(optional_once, scope="function")]


async def required_once(once: Once, request: Request) -> OneEffect:
    """The effect of a request that must carry a key."""
    if KEY_HEADER not in request.headers:
        raise ProblemError("idempotency-key-required")
    return once


OnceRequired = Annotated[OneEffect, Depends(required_once, scope="function")]
