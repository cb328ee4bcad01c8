"""Asking for an override, and asking otherwise: each version rests on a fresh evaluation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domain.errors import Conflict, DomainError
from app.domain.overrides.content import EXPIRES_AFTER, Basis, Content, Wanted
from app.domain.tiering.decision import Cause, CauseKind
from app.features.overrides.repository import cases, steps
from app.features.overrides.repository.cases import (
    StoredOverride,
    StoredRequest,
    StoredVersion,
)
from app.features.overrides.service import evidence
from app.features.overrides.service.cases import (
    STATEMENT,
    Acting,
    Case,
    key_name,
    load_case,
    lock_case,
    request_key,
    version_row,
    wanted_of,
)
from app.features.overrides.service.steps import tell
from app.features.scoring.service import Stored, evaluate_customers
from app.infra.cipher import SubjectKey
from app.infra.database import AsyncSession
from app.infra.ids import new_id

MOST_FILES: Final = 20
"""Files that one request rests on."""
_SALT_BYTES: Final = 16


class CustomersRefusedError(DomainError):
    """A request is refused because of some of its customers.

    Args:
        type_: the slug.
        customer_ids: of whom.
    """

    def __init__(self, type_: str, customer_ids: Sequence[str]) -> None:
        super().__init__(type_)
        self.customer_ids = frozenset(customer_ids)


async def create_request(
    session: AsyncSession,
    *,
    customer_ids: Sequence[str],
    wanted: Wanted,
    acting: Acting,
    is_bulk: bool = False,
) -> Case:
    """Ask for an override of a customer, or of many alike.

    Everybody is evaluated, so that the officers decide on what is true today.

    Args:
        session: in whose transaction.
        customer_ids: for whom, by the ids they are stored under, each once.
        wanted: what is asked for.
        acting: who asks.
        is_bulk: whether many are decided on as one.

    Raises:
        Invalid: `validity-out-of-range`.
        CustomersRefusedError: `override-pending`, where a request waits for a customer already;
            `conflict`, where one was merged into another meanwhile; `back-dated`, `no-rule-set` or
            `input-error`, where one cannot be evaluated.
    """
    wanted.require_validity(acting.today)
    request_id = new_id()
    ids = {own_id: new_id() if is_bulk else request_id for own_id in customer_ids}
    try:
        decided = await _evaluate(session, ids, acting)
    except DomainError as error:
        if error.customer_id is None:
            raise
        raise CustomersRefusedError(error.type, [error.customer_id]) from None
    # The customers are locked now, so that nobody else can ask for any of them, nor merge any.
    merged = [own_id for own_id in ids if decided[own_id].record.customer_id != own_id]
    if merged:
        raise CustomersRefusedError("conflict", merged)
    pending = await cases.find_pending(session, list(ids))
    if pending:
        raise CustomersRefusedError("override-pending", sorted(pending))
    key, wrapped = acting.vault.new_key(key_name(request_id))
    request = StoredRequest(
        id=request_id,
        is_bulk=is_bulk,
        version=1,
        requested_by=acting.digest,
        requested_at=acting.now,
        expires_at=acting.now + EXPIRES_AFTER,
        key_id=wrapped.key_id,
        wrapped_key=wrapped.wrapped_key,
    )
    basis = _basis(ids, decided)
    written = _Written(request, wanted, basis, (), key)
    version = written.version(acting, number=1)
    await steps.insert_request(session, request)
    await steps.insert_version(session, version)
    await steps.insert_overrides(
        session, [_override(version, item, decided[item.customer_id]) for item in basis]
    )
    case = await load_case(session, request_id=request_id)
    await tell(session, case, "override-requested", now=acting.now)
    return case


async def _evaluate(
    session: AsyncSession, ids: Mapping[str, UUID], acting: Acting
) -> dict[str, Stored]:
    """Evaluate customers because of their overrides."""
    return await evaluate_customers(
        session,
        customer_ids=list(ids),
        as_of=acting.today,
        causes={
            own_id: Cause(CauseKind.OVERRIDE, str(override_id))
            for own_id, override_id in ids.items()
        },
        now=acting.now,
        vault=acting.vault,
    )


def _basis(ids: Mapping[str, UUID], decided: Mapping[str, Stored]) -> list[Basis]:
    """What the rules gave each customer, by his override."""
    return [
        Basis(override_id, own_id, decided[own_id].record.tier_evaluated)
        for own_id, override_id in ids.items()
    ]


@dataclass(frozen=True, slots=True)
class _Written:
    """What a version says, before it is sealed."""

    request: StoredRequest
    wanted: Wanted
    basis: Sequence[Basis]
    evidence: Sequence[str]
    key: SubjectKey

    def version(self, acting: Acting, *, number: int) -> StoredVersion:
        """The version, sealed and with its digest."""
        wanted, request_id = self.wanted, self.request.id
        salt = os.urandom(_SALT_BYTES)
        content = Content(
            request_id=request_id,
            version=number,
            requested_by=self.request.requested_by,
            wanted=wanted,
            basis=self.basis,
            evidence=self.evidence,
            salt=salt,
        )
        row = version_row(request_id, number)
        return StoredVersion(
            request_id=request_id,
            version=number,
            tier=wanted.tier,
            mode=wanted.mode,
            reason=wanted.reason,
            valid_until=wanted.valid_until,
            written_on=acting.today,
            written_at=acting.now,
            statement_cipher=acting.vault.encrypt(
                self.key, *STATEMENT, row, wanted.statement.encode()
            ),
            statement_characters=len(wanted.statement),
            salt=salt,
            digest=content.digest(),
        )


def _override(version: StoredVersion, basis: Basis, decided: Stored) -> StoredOverride:
    return StoredOverride(
        id=basis.override_id,
        request_id=version.request_id,
        customer_id=basis.customer_id,
        version=version.version,
        tier=version.tier,
        mode=version.mode,
        valid_until=version.valid_until,
        evaluated_tier=basis.evaluated_tier,
        decision_id=decided.record.id,
        state="requested",
        valid_from=None,
        activated_at=None,
        closed_at=None,
        closed_on=None,
        closed_because=None,
        closed_by=None,
        closing_statement_cipher=None,
    )


async def lock_revisable(session: AsyncSession, *, override_id: UUID, acting: Acting) -> Case:
    """A request that its requester may change now, kept from others.

    Raises:
        NotFound: there is none for him.
        Forbidden: `not-requester`.
        Conflict: `part-of-bulk`, `already-decided` or `request-expired`.
    """
    case = await lock_case(session, override_id=override_id, acting=acting)
    case.require_requester(acting)
    case.require_waiting(acting.now)
    return case


async def add_evidence(
    session: AsyncSession,
    *,
    override_id: UUID,
    added: evidence.NamedFile,
    acting: Acting,
) -> Case:
    """Let a request rest on one more file: a new version, unless it rests on it already.

    Raises:
        NotFound: there is none for him.
        Forbidden: `not-requester`.
        Conflict: `too-many-files`, and as `lock_revisable` and `revise`.
        Invalid: `validity-out-of-range` or `input-error`.
    """
    case = await lock_revisable(session, override_id=override_id, acting=acting)
    held = await evidence.files_of(
        session, request_id=case.request.id, version=case.request.version
    )
    if added.file.sha256 in {known.sha256 for known in held}:
        return case
    if len(held) >= MOST_FILES:
        raise Conflict("too-many-files", f"A request rests on {MOST_FILES} files at most.")
    wanted = wanted_of(case, acting.vault)
    return await revise(session, case, wanted=wanted, acting=acting, added=added)


async def revise(
    session: AsyncSession,
    case: Case,
    *,
    wanted: Wanted,
    acting: Acting,
    added: evidence.NamedFile | None = None,
) -> Case:
    """Ask otherwise: a new version, for which nobody has decided anything yet.

    Args:
        session: in whose transaction.
        case: the request, from `lock_revisable`.
        wanted: what is asked for now.
        acting: who asked.
        added: a file that it rests on besides.

    Raises:
        Conflict: as an evaluation.
        Invalid: `validity-out-of-range` or `input-error`.
    """
    wanted.require_validity(acting.today)
    request, number = case.request, case.request.version + 1
    ids = {found.customer_id: found.id for found in case.waiting_overrides}
    decided = await _evaluate(session, ids, acting)
    held = await evidence.files_of(session, request_id=request.id, version=request.version)
    files = [known.sha256 for known in held]
    if added is not None:
        files.append(added.file.sha256)
    basis = _basis(ids, decided)
    key = request_key(request, acting.vault)
    version = _Written(request, wanted, basis, files, key).version(acting, number=number)
    await steps.insert_version(session, version)
    await steps.move_to_version(
        session,
        version,
        {
            item.override_id: (item.evaluated_tier, decided[item.customer_id].record.id)
            for item in basis
        },
    )
    await evidence.carry_over(session, version=version, added=added, key=key, acting=acting)
    revised = await load_case(session, request_id=request.id)
    await tell(session, revised, "override-revised", now=acting.now)
    return revised
