"""A request for overrides, as it is answered."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field
from pydantic.types import UUID7

from app.domain.overrides.keys import Person
from app.domain.privacy.classes import SensitivityClass
from app.domain.privacy.sensitive import Sensitive
from app.domain.words import (
    ApprovalDecision,
    ClosingCause,
    Department,
    EvidenceType,
    OverrideMode,
    OverrideReason,
    OverrideState,
    Tier,
)
from app.features.overrides.service import Told
from app.infra.masking import Free, Internal, MaskedRead, Open, ReadModel, internal


class OverriddenRead(ReadModel):
    """One customer's override."""

    id: Open[UUID7] = Field(description="Its id; of a request for one customer, the request's.")
    customer_id: Open[str] = Field(description="Whose tier.")
    status: Internal[OverrideState] = Field(description="Where it stands.")
    evaluated_tier: Internal[Tier] = Field(
        description="The tier the rules gave when this version was written."
    )
    decision_id: Open[UUID7] = Field(description="The decision that said so.")
    valid_from: Internal[date] = Field(description="First business day it served.")
    closed_on: Internal[date] = Field(description="Business day it was decided against, or ended.")
    closed_because: Internal[ClosingCause] = Field(description="What closed it.")
    closed_by: Internal[str] = Field(description="Who closed it; null: the clock, or a merge.")
    closing_statement: Free = Field(description="Why it was revoked.")


class ApprovalRead(ReadModel):
    """One officer's word on one version."""

    id: Open[UUID7] = Field(description="Its id.")
    version: Internal[int] = Field(description="The version he had read.")
    department: Internal[Department] = Field(description="For which department.")
    decision: Internal[ApprovalDecision] = Field(description="approve or reject.")
    decided_by: Internal[str] = Field(description="Subject of the officer.")
    on_behalf_of: Internal[str] = Field(description="Subject of the absent officer he acted for.")
    decided_at: Internal[datetime] = Field(description="When.")
    counts: Internal[bool] = Field(
        description="Whether it counts: for this version, of somebody who may still decide."
    )
    statement: Free = Field(description="Why.")


class EvidenceRead(ReadModel):
    """A file that the request rests on."""

    sha256: Internal[str] = Field(description="SHA-256 of its content, by which it is fetched.")
    media_type: Internal[EvidenceType] = Field(description="What its bytes say it is.")
    size_bytes: Internal[int] = Field(description="Its size.")
    file_name: Free = Field(description="What it was called.")
    added_at: Internal[datetime] = Field(description="When it was uploaded.")
    retained_until: Internal[date] = Field(
        description="First day it may be removed; of another request that needs it longer, an"
        " account manager is told nothing."
    )


class OverrideRead(MaskedRead):
    """What is asked for, for whom, and how far it has come."""

    id: Open[UUID7] = Field(description="The id it was asked for by.")
    request_id: Open[UUID7] = Field(description="The request it is decided on by.")
    bulk: Open[bool] = Field(description="Whether the request is for many customers.")
    customer_id: Open[str | None] = Field(description="Whose tier; null where it is many.")
    status: Internal[OverrideState] = Field(
        description="Where it stands; of many, the state that is nearest to serving."
    )
    version: Internal[int] = Field(description="Version that is decided on.")
    digest: Internal[str] = Field(
        description="SHA-256 of the version's content in canonical JSON (RFC 8785), to which"
        " reads and approvals are bound."
    )
    tier: Internal[Tier] = Field(description="The tier asked for.")
    mode: Internal[OverrideMode] = Field(description="pin, floor or ceiling.")
    reason: Internal[OverrideReason] = Field(description="Reason code.")
    statement: Free = Field(description="Why, in words.")
    valid_until: Internal[date] = Field(description="First business day it no longer serves.")
    requested_by: Internal[str] = Field(description="Subject of who asks.")
    requested_at: Internal[datetime] = Field(description="When he asked first.")
    written_at: Internal[datetime] = Field(description="When this version was written.")
    expires_at: Internal[datetime] = Field(description="When nobody can decide any more.")
    waits_for: Internal[list[Department]] = Field(description="Departments whose keys are missing.")
    overrides: list[OverriddenRead] = Field(description="By customer, in the order of ids.")
    approvals: list[ApprovalRead] = Field(description="Every one of every version, in order.")
    evidence: list[EvidenceRead] = Field(description="The files this version rests on.")

    @classmethod
    def from_domain(cls, told: Told) -> OverrideRead:
        """A request, ready to be masked for who looks at it."""
        case, version = told.case, told.case.version
        overrides = case.overrides
        names = _Names(told)
        return cls.assemble(
            id=case.id,
            request_id=case.request.id,
            bulk=case.request.is_bulk,
            customer_id=overrides[0].customer_id if len(overrides) == 1 else None,
            status=internal(case.status),
            version=internal(version.version),
            digest=internal(version.digest),
            tier=internal(version.tier),
            mode=internal(version.mode),
            reason=internal(version.reason),
            statement=names.free("statement", version.statement_characters),
            valid_until=internal(version.valid_until),
            requested_by=names.person(case.request.requested_by),
            requested_at=internal(case.request.requested_at),
            written_at=internal(version.written_at),
            expires_at=internal(case.request.expires_at),
            waits_for=internal(list(case.waits_for)),
            overrides=[
                OverriddenRead.assemble(
                    id=found.id,
                    customer_id=found.customer_id,
                    status=internal(found.state),
                    evaluated_tier=internal(found.evaluated_tier),
                    decision_id=found.decision_id,
                    valid_from=internal(found.valid_from),
                    closed_on=internal(found.closed_on),
                    closed_because=internal(found.closed_because),
                    closed_by=names.person(found.closed_by),
                    closing_statement=names.free(str(found.id)),
                )
                for found in overrides
            ],
            approvals=[
                ApprovalRead.assemble(
                    id=found.id,
                    version=internal(found.version),
                    department=internal(found.department),
                    decision=internal(found.decision),
                    decided_by=names.person(found.approver),
                    on_behalf_of=names.person(found.on_behalf_of),
                    decided_at=internal(found.decided_at),
                    counts=internal(case.counts(found)),
                    statement=names.free(str(found.id), found.statement_characters),
                )
                for found in case.stored.approvals
            ],
            evidence=[
                EvidenceRead.assemble(
                    sha256=internal(found.sha256),
                    media_type=internal(found.media_type),
                    size_bytes=internal(found.size_bytes),
                    file_name=names.free(found.sha256),
                    added_at=internal(found.added_at),
                    retained_until=internal(found.retained_until),
                )
                for found in told.files
            ],
        )


class _Names:
    """Says who did something and what he wrote."""

    def __init__(self, told: Told) -> None:
        self._people = told.case.people
        self._opened = told.opened

    def person(self, digest: str | None) -> Sensitive[str]:
        """The subject of somebody; a digest means nothing to people."""
        found: Person | None = None if digest is None else self._people[digest]
        return internal(None if found is None else found.subject)

    def free(self, place: str, characters: int | None = None) -> Sensitive[str]:
        """What somebody wrote, opened only for who may read it; others are told how much it is."""
        if place in self._opened:
            return Sensitive(SensitivityClass.FREE, self._opened[place])
        masked = None if characters is None else f"[{characters}]"
        return Sensitive.sealed(SensitivityClass.FREE, masked=masked)
