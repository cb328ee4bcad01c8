"""Turning the keys: one officer of risk, one of business, on exactly what both have read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.errors import Conflict
from app.domain.overrides.content import Basis, Content
from app.domain.overrides.keys import Key, Person
from app.domain.overrides.transitions import Step, after
from app.domain.words import ApprovalDecision
from app.features.overrides.repository import cases, steps
from app.features.overrides.repository.cases import StoredApproval, StoredOverride
from app.features.overrides.repository.steps import Closing
from app.features.overrides.service import delegations, evidence
from app.features.overrides.service.cases import (
    APPROVAL_STATEMENT,
    Acting,
    Case,
    load_case,
    load_cases,
    lock_case,
    request_key,
    wanted_of,
)
from app.features.overrides.service.officers import require_officer
from app.features.overrides.service.steps import cause_of, tell
from app.features.scoring.service import evaluate_customers
from app.infra.cipher import CipherError
from app.infra.database import AsyncSession
from app.infra.ids import new_id
from app.infra.people import find_people


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an officer says.

    Args:
        decision: approve or reject.
        statement: why.
        delegation_id: the delegation he acts by, where he acts for somebody who is away.
    """

    decision: ApprovalDecision
    statement: str
    delegation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a request, and the approval that was stored."""

    case: Case
    approval_id: UUID


async def decide(
    session: AsyncSession, *, override_id: UUID, verdict: Verdict, acting: Acting
) -> Decided:
    """Turn one key; the second of the two executes the request in the same transaction.

    Who may is asked again of everybody each time: a key of somebody who lost his office, or became
    the customer's account manager, is void, and his department is waited for again.

    Args:
        session: in whose transaction.
        override_id: the request.
        verdict: what he says.
        acting: the officer.

    Raises:
        NotFound: there is no such request.
        Forbidden: `two-roles`, `not-an-officer`, `approver-is-requester`,
            `approver-is-account-manager`, `delegate-not-eligible`.
        Conflict: `part-of-bulk`, `already-decided`, `request-expired`, `delegated-away`,
            `delegation-not-running`, `read-first`, `decision-stale`, `validity-over`, or as an
            evaluation.
        Invalid: `input-error`.
        CipherError: what is stored is not what its digest was made of.
    """
    # Whoever becomes an account manager now is one after the decision.
    case = await lock_case(session, override_id=override_id, acting=acting, with_customers=True)
    case.require_waiting(acting.now)
    key = await _key(session, case, verdict, acting)
    case.waiting.require_read(await cases.find_read(session, case.request.id, acting.digest))
    await _require_unaltered(session, case, acting)
    await _void_lost_keys(session, case, acting)
    approval = _approval(case, key, verdict, acting)
    await steps.insert_approval(session, approval, requested_by=case.request.requested_by)
    case = await load_case(session, request_id=case.request.id)
    # A newer token may have been noted meanwhile: what does not count now counts never, else two
    # keys could come to count later with nobody left to execute them.
    await _void_lost_keys(session, case, acting)
    if verdict.decision == "reject":
        await _reject(session, case, acting)
    elif case.waiting.waits_for:
        await tell(
            session, case, "override-approved", now=acting.now, department=approval.department
        )
    else:
        await _execute(session, case, acting)
    return Decided(await load_case(session, request_id=case.request.id), approval.id)


async def _key(session: AsyncSession, case: Case, verdict: Verdict, acting: Acting) -> Key:
    """The key that the officer may turn."""
    officer = require_officer(await find_people(session, [acting.digest]), acting)
    absent = await _absent(session, verdict, acting)
    department = case.waiting.require_approver(officer, on_behalf_of=absent)
    away = await delegations.away_on(session, people=[acting.digest], on=acting.today)
    if away:
        raise Conflict("delegated-away", "Take your delegation back first.")
    return Key(case.request.version, officer, department, verdict.decision, absent)


async def _absent(session: AsyncSession, verdict: Verdict, acting: Acting) -> Person | None:
    """Who is away, where somebody acts for him."""
    if verdict.delegation_id is None:
        return None
    delegator = await delegations.get_delegator(
        session,
        delegation_id=verdict.delegation_id,
        delegate=acting.digest,
        on=acting.today,
    )
    return (await find_people(session, [delegator]))[delegator]


async def _require_unaltered(session: AsyncSession, case: Case, acting: Acting) -> None:
    """See to it that what the officers put their names to is what was written, all of it.

    Raises:
        CipherError: it was altered in the database.
    """
    request, version = case.request, case.version
    files = await evidence.files_of(session, request_id=request.id, version=version.version)
    content = Content(
        request_id=request.id,
        version=version.version,
        requested_by=request.requested_by,
        wanted=wanted_of(case, acting.vault),
        # Who was merged away since is of the version too.
        basis=[
            Basis(found.id, found.customer_id, found.evaluated_tier)
            for found in case.stored.overrides
            if found.version == version.version
        ],
        evidence=[known.sha256 for known in files],
        salt=version.salt,
    )
    if content.digest() != version.digest:
        raise CipherError("the stored request is not what was written")


async def _void_lost_keys(session: AsyncSession, case: Case, acting: Acting) -> None:
    """Strike out the keys of this version whose officers may not decide any more."""
    waiting = case.waiting
    lost = [
        approval.id
        for approval in case.stored.approvals
        if approval.version == waiting.version
        and approval.voided_at is None
        and not waiting.counts(case.key_of(approval))
    ]
    if lost:
        await steps.void_approvals(session, lost, now=acting.now)
        await tell(session, case, "override-approval-void", now=acting.now)


def _approval(case: Case, key: Key, verdict: Verdict, acting: Acting) -> StoredApproval:
    id_ = new_id()
    sealing = request_key(case.request, acting.vault)
    sealed = acting.vault.encrypt(
        sealing, *APPROVAL_STATEMENT, str(id_), verdict.statement.encode()
    )
    return StoredApproval(
        id=id_,
        request_id=case.request.id,
        version=key.version,
        digest=case.version.digest,
        approver=key.approver.digest,
        department=key.department,
        delegation_id=verdict.delegation_id,
        on_behalf_of=None if key.on_behalf_of is None else key.on_behalf_of.digest,
        decision=verdict.decision,
        statement_cipher=sealed,
        statement_characters=len(verdict.statement),
        decided_at=acting.now,
        voided_at=None,
    )


async def _reject(session: AsyncSession, case: Case, acting: Acting) -> None:
    waiting = case.waiting_overrides
    closing = Closing(
        case.state_after(Step.REJECT), "rejected", acting.now, acting.today, acting.digest
    )
    await steps.close(session, [found.id for found in waiting], closing)
    await tell(session, case, "override-rejected", now=acting.now, overrides=waiting)


async def _execute(session: AsyncSession, case: Case, acting: Acting) -> None:
    """Let the overrides serve, if what they were decided on still holds.

    What an override replaces is ended first. The evaluation of each customer stores decision and
    assignment; if the rules give anybody another tier than the officers read, nothing is stored.
    """
    if case.version.valid_until <= acting.today:
        raise Conflict("validity-over", "The validity that was asked for is over; ask anew.")
    waiting = case.waiting_overrides
    customers = [found.customer_id for found in waiting]
    replaced = await cases.lock_active(session, customers)
    if replaced:
        closing = Closing(
            after(replaced[0].state, Step.END), "superseded", acting.now, acting.today
        )
        await steps.close(session, [found.id for found in replaced], closing)
        await _tell_superseded(session, case, replaced, acting)
    state = case.state_after(Step.EXECUTE)
    serving = [found.id for found in waiting]
    await steps.activate(session, serving, state=state, on=acting.today, now=acting.now)
    decided = await evaluate_customers(
        session,
        customer_ids=customers,
        as_of=acting.today,
        causes={found.customer_id: cause_of(found) for found in waiting},
        now=acting.now,
        vault=acting.vault,
    )
    if any(
        decided[found.customer_id].record.tier_evaluated != found.evaluated_tier
        for found in waiting
    ):
        raise Conflict("decision-stale", "The rules give another tier by now; ask anew.")
    await tell(session, case, "override-activated", now=acting.now, overrides=waiting)


async def _tell_superseded(
    session: AsyncSession, case: Case, replaced: Sequence[StoredOverride], acting: Acting
) -> None:
    """Tell of each request whose overrides are replaced, by its own id and version."""
    by = str(case.request.id)
    request_ids = sorted({found.request_id for found in replaced})
    for old in await load_cases(session, request_ids=request_ids):
        ended = [found for found in replaced if found.request_id == old.request.id]
        await tell(session, old, "override-superseded", now=acting.now, overrides=ended, by=by)
