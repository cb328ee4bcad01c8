"""A request as the use cases see it: with its people, and what its key opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from app.domain.errors import Conflict, Forbidden, NotFound
from app.domain.overrides.content import Wanted
from app.domain.overrides.keys import Key, Person, Waiting
from app.domain.overrides.transitions import Step, after
from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.domain.words import OVERRIDE_STATES, Department, OverrideState
from app.features.overrides.repository import cases
from app.features.overrides.repository.cases import (
    StoredApproval,
    StoredCase,
    StoredOverride,
    StoredRequest,
    StoredVersion,
)
from app.infra.cipher import SubjectKey, Vault, WrappedKey
from app.infra.database import CALLERS_LOCK_SECONDS, AsyncSession, wait_for_locks
from app.infra.people import find_people
from app.infra.settings import Settings

#: Where what people wrote is sealed for: table and column.
STATEMENT: Final = ("override_versions", "statement_cipher")
APPROVAL_STATEMENT: Final = ("override_approvals", "statement_cipher")
CLOSING_STATEMENT: Final = ("overrides", "closing_statement_cipher")
SEE_ALL: Final = frozenset({Role.RISK_OFFICER, Role.BUSINESS_OFFICER, Role.COMPLIANCE})


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, by which keys, and when.

    Args:
        actor: the caller in his role.
        digest: what he is known by in the database.
        vault: opens and seals.
        now: the present instant.
        today: its business day.
        settings: the deployment's.
    """

    actor: Actor
    digest: str
    vault: Vault
    now: datetime
    today: date
    settings: Settings


@dataclass(frozen=True, slots=True)
class Case:
    """A request with everything that is known of it.

    Args:
        stored: its rows.
        people: who acts in it, by digest.
        managers: subjects of the account managers, by customer.
        chosen: the one override that was asked for, where it is one of many.
    """

    stored: StoredCase
    people: Mapping[str, Person]
    managers: Mapping[str, str]
    chosen: UUID | None = None

    @property
    def request(self) -> StoredRequest:
        """Who asks, and until when."""
        return self.stored.request

    @property
    def version(self) -> StoredVersion:
        """What is asked for."""
        return self.stored.version

    @property
    def overrides(self) -> list[StoredOverride]:
        """For whom: of a request that was asked for whole, all of them."""
        return [
            found
            for found in self.stored.overrides
            if self.chosen is None or found.id == self.chosen
        ]

    @property
    def id(self) -> UUID:
        """The id it was asked for by."""
        return self.request.id if self.chosen is None else self.chosen

    @property
    def waiting_overrides(self) -> list[StoredOverride]:
        """Those that are not decided on."""
        return [found for found in self.stored.overrides if found.state == "requested"]

    @property
    def waiting(self) -> Waiting:
        """As the rules of the two keys see it."""
        asked_for = {found.customer_id for found in self.waiting_overrides}
        return Waiting(
            version=self.request.version,
            digest=self.version.digest,
            requested_by=self.request.requested_by,
            account_managers={
                subject for customer, subject in self.managers.items() if customer in asked_for
            },
            expires_at=self.request.expires_at,
            keys=[self.key_of(approval) for approval in self.stored.approvals],
        )

    def key_of(self, approval: StoredApproval) -> Key:
        """An approval as the rules see it."""
        absent = approval.on_behalf_of
        return Key(
            version=approval.version,
            approver=self.people[approval.approver],
            department=approval.department,
            decision=approval.decision,
            on_behalf_of=None if absent is None else self.people[absent],
            is_void=approval.voided_at is not None,
        )

    @property
    def status(self) -> OverrideState:
        """Where it stands: of many overrides, the state nearest to serving that there is."""
        held = {found.state for found in self.overrides}
        return min(held, key=OVERRIDE_STATES.index)

    def state_after(self, step: Step) -> OverrideState:
        """The state that a step leads to from where it stands.

        Raises:
            Conflict: `already-decided` or `not-active`: there is no such step.
        """
        return after(self.status, step)

    @property
    def waits_for(self) -> tuple[Department, ...]:
        """The departments whose keys are missing; none once it is decided on."""
        return self.waiting.waits_for if self.waiting_overrides else ()

    def counts(self, approval: StoredApproval) -> bool:
        """Whether an approval counts; once it was decided on, the keys of then do."""
        if self.waiting_overrides:
            return self.waiting.counts(self.key_of(approval))
        return approval.version == self.request.version and approval.voided_at is None

    @property
    def recorded_as(self) -> str:
        """What the audit notes of it: its id, its version, and the digest of its content."""
        return f"{self.request.id} {self.request.version} {self.version.digest}"

    def require_whole(self) -> None:
        """See to it that a request is decided on as one.

        Raises:
            Conflict: `part-of-bulk`.
        """
        if self.chosen is not None:
            raise Conflict("part-of-bulk", "It is decided on with the others of its request.")

    def require_waiting(self, now: datetime) -> None:
        """See to it that it can be decided on.

        Raises:
            Conflict: `part-of-bulk`, `already-decided` or `request-expired`.
        """
        self.require_whole()
        self.state_after(Step.EXECUTE)
        self.waiting.require_in_time(now)

    def require_requester(self, acting: Acting) -> None:
        """See to it that who asked acts.

        Raises:
            Forbidden: `not-requester`.
        """
        if acting.digest != self.request.requested_by:
            raise Forbidden("not-requester")


def key_name(request_id: UUID) -> str:
    """What a request's key is wrapped for; no customer is called so."""
    return f"override:{request_id}"


def request_key(request: StoredRequest, vault: Vault) -> SubjectKey:
    """The key that opens what people wrote in a request.

    Raises:
        CipherError: the master key is unknown.
    """
    return vault.unwrap(WrappedKey(key_name(request.id), request.key_id, request.wrapped_key))


def version_row(request_id: UUID, version: int) -> str:
    """What the statement of a version is bound to."""
    return f"{request_id}/{version}"


def wanted_of(case: Case, vault: Vault) -> Wanted:
    """What is asked for, with the statement in clear."""
    version = case.version
    row = version_row(version.request_id, version.version)
    key = request_key(case.request, vault)
    statement = vault.decrypt(key, *STATEMENT, row, version.statement_cipher).decode()
    return Wanted(version.tier, version.mode, version.reason, statement, version.valid_until)


async def get_case(session: AsyncSession, *, override_id: UUID, acting: Acting) -> Case:
    """A request, or one override of it, as far as the caller may know of it.

    Raises:
        NotFound: there is none, or none for him.
    """
    request_id = await cases.find_request_id(session, override_id)
    if request_id is None:
        raise NotFound("not-found", "There is no such override.")
    case = await load_case(session, request_id=request_id)
    if override_id != request_id:
        case = Case(case.stored, case.people, case.managers, override_id)
    if not may_see(case, acting):
        raise NotFound("not-found", "There is no such override.")
    return case


async def lock_case(
    session: AsyncSession, *, override_id: UUID, acting: Acting, with_customers: bool = False
) -> Case:
    """`get_case`, and nobody else takes a step in it until the transaction ends.

    Args:
        session: that transaction.
        override_id: the request, or one override of it.
        acting: who takes the step.
        with_customers: whether the customers, their account managers among the rest, stay as they
            are read, too.
    """
    request_id = await cases.find_request_id(session, override_id)
    if request_id is not None:
        await wait_for_locks(session, seconds=CALLERS_LOCK_SECONDS)
        await cases.lock_request(session, request_id)
        if with_customers:
            await cases.lock_customers(session, request_id)
    return await get_case(session, override_id=override_id, acting=acting)


async def load_case(session: AsyncSession, *, request_id: UUID) -> Case:
    """A request, whoever asks; the id must be one."""
    (case,) = await load_cases(session, request_ids=[request_id])
    return case


async def load_cases(
    session: AsyncSession, *, request_ids: Sequence[UUID], with_bulk: bool = True
) -> list[Case]:
    """Requests in the order of their ids, whoever asks; see `cases.get_cases`."""
    stored = await cases.get_cases(session, request_ids, with_bulk=with_bulk)
    customers = {found.customer_id for case in stored.values() for found in case.overrides}
    managers = await cases.account_managers(session, sorted(customers))
    digests = set[str]().union(*(_digests(case) for case in stored.values()))
    people = await find_people(session, digests)
    return [
        Case(
            case,
            people,
            {
                own_id: managers[own_id]
                for found in case.overrides
                if (own_id := found.customer_id) in managers
            },
        )
        for case in stored.values()
    ]


def _digests(stored: StoredCase) -> set[str]:
    """Everybody who acts in a request."""
    found = {stored.request.requested_by}
    found |= {approval.approver for approval in stored.approvals}
    found |= {absent for a in stored.approvals if (absent := a.on_behalf_of) is not None}
    found |= {by for override in stored.overrides if (by := override.closed_by) is not None}
    return found


def may_see(case: Case, acting: Acting) -> bool:
    """Whether the caller may know of it: an account manager of what he asked for, and of his own.

    Officers and compliance may know of all. Of a request for many customers an account manager is
    shown the whole only if he asked.
    """
    if acting.actor.role in SEE_ALL:
        return True
    if acting.actor.role is not Role.ACCOUNT_MANAGER:
        return False
    if acting.digest == case.request.requested_by:
        return True
    is_one = case.chosen is not None or not case.request.is_bulk
    return is_one and all(
        case.managers.get(found.customer_id) == acting.actor.subject for found in case.overrides
    )
