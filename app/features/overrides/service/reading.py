"""Reading requests: one whole, which is what an approval rests on, or a page of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.domain.errors import Forbidden
from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.domain.words import OverrideState
from app.features.overrides.repository import cases, inbox, steps
from app.features.overrides.repository.cases import StoredOverride
from app.features.overrides.repository.inbox import InboxFilter, Waiter
from app.features.overrides.service import delegations, evidence
from app.features.overrides.service.cases import (
    APPROVAL_STATEMENT,
    CLOSING_STATEMENT,
    SEE_ALL,
    STATEMENT,
    Acting,
    Case,
    load_cases,
    request_key,
    version_row,
)
from app.features.overrides.service.officers import department_of, require_officer
from app.infra.cipher import CipherError
from app.infra.database import AsyncSession
from app.infra.people import find_people

__all__ = ["InboxPage", "Told", "list_requests", "tell_case"]


@dataclass(frozen=True, slots=True)
class Told:
    """A request as it is told to one viewer.

    Args:
        case: the request.
        files: what it rests on.
        opened: what people wrote, in clear, by place: `statement`, an approval's id, an
            override's id for why it was revoked, a file's digest; empty where the viewer is not
            shown it, or nothing opens it any more.
        viewer: to whom.
    """

    case: Case
    files: Sequence[evidence.LinkedFile]
    opened: Mapping[str, str | None]
    viewer: Viewer


def shows_free_text(viewer: Viewer) -> bool:
    """Whether a viewer is shown what people wrote."""
    return MATRIX.disposition(viewer, SensitivityClass.FREE) is Disposition.CLEAR


def viewer_of(case: Case, acting: Acting) -> Viewer:
    """The caller as the viewer of a request; to many customers he stands in no relation."""
    customers = case.overrides
    if len(customers) != 1 or (case.request.is_bulk and case.chosen is None):
        return acting.actor.viewer()
    own_id = customers[0].customer_id
    return acting.actor.viewer_of(own_id, case.managers.get(own_id))


async def tell_case(session: AsyncSession, case: Case, acting: Acting) -> Told:
    """A request as the caller is told it; what he is not shown in clear is not decrypted.

    An officer who is shown a request that waits, whole and in clear, has read this version of it;
    who is shown no statement, since nothing opens it, has not.
    """
    viewer = viewer_of(case, acting)
    files = await evidence.files_of(
        session, request_id=case.request.id, version=case.request.version
    )
    if acting.actor.role not in SEE_ALL:
        # The same content may be kept for a request that the caller may not know of.
        kept = timedelta(acting.settings.evidence_keep_days)
        files = await evidence.as_if_alone(session, files, request_id=case.request.id, kept=kept)
    opened = _opened(case, files, acting) if shows_free_text(viewer) else {}
    # Nothing is opened where its key is gone or strange: nobody has read what he was not shown.
    is_whole = case.chosen is None and bool(opened)
    if is_whole and case.waiting_overrides and department_of(acting) is not None:
        await steps.record_read(session, case.version, reader=acting.digest, now=acting.now)
    return Told(case, files, opened, viewer)


def _opened(
    case: Case, files: Sequence[evidence.LinkedFile], acting: Acting
) -> dict[str, str | None]:
    """Everything that people wrote, None where nobody did; after erasure nothing opens it."""
    version = case.version
    row = version_row(version.request_id, version.version)
    sealed: list[tuple[str, tuple[str, str, str], bytes | None]] = [
        ("statement", (*STATEMENT, row), version.statement_cipher)
    ]
    for approval in case.stored.approvals:
        id_ = str(approval.id)
        sealed.append((id_, (*APPROVAL_STATEMENT, id_), approval.statement_cipher))
    for override in case.overrides:
        id_ = str(override.id)
        sealed.append((id_, (*CLOSING_STATEMENT, id_), override.closing_statement_cipher))
    try:
        key = request_key(case.request, acting.vault)
        opened: dict[str, str | None] = {
            name: None if cipher is None else acting.vault.decrypt(key, *place, cipher).decode()
            for name, place, cipher in sealed
        }
        return opened | {found.sha256: found.file_name(key) for found in files}
    except CipherError:
        return {}


@dataclass(frozen=True, slots=True)
class Listed:
    """A request in a list: its overrides are counted, and the one of a single request is told."""

    case: Case
    counts: Mapping[OverrideState, int]
    viewer: Viewer

    @property
    def only(self) -> StoredOverride | None:
        """The one override of a request for one customer."""
        return None if self.case.request.is_bulk else self.case.overrides[0]


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Some requests; `after` is the last of them, None at the end of all."""

    items: list[Listed]
    after: UUID | None


async def list_requests(
    session: AsyncSession,
    *,
    wanted: InboxFilter,
    for_me: bool,
    acting: Acting,
    limit: int,
    before: UUID | None = None,
) -> InboxPage:
    """A page of the requests that the caller may know of, the newest first.

    Args:
        session: an open session.
        wanted: which, by state and customer.
        for_me: only those that wait for the caller: for his key, or as what he asked for.
        acting: the caller.
        limit: how many at most.
        before: where the page before ended.
    """
    is_officer = department_of(acting) is not None
    if for_me and is_officer and not await _may_decide(session, acting):
        return InboxPage([], None)
    narrowed = _narrowed(wanted, acting, for_me=for_me)
    found = await inbox.list_request_ids(session, narrowed, limit=limit + 1, before=before)
    shown = found[:limit]
    counts = await cases.count_states(session, shown)
    items = [
        Listed(case, counts[case.request.id], viewer_of(case, acting))
        for case in await load_cases(session, request_ids=shown, with_bulk=False)
    ]
    return InboxPage(items, shown[-1] if len(found) > limit else None)


async def _may_decide(session: AsyncSession, acting: Acting) -> bool:
    """Whether an officer has a key today: by his newest token, and nobody else acts for him."""
    try:
        require_officer(await find_people(session, [acting.digest]), acting)
    except Forbidden:
        return False
    return not await delegations.away_on(session, people=[acting.digest], on=acting.today)


def _narrowed(wanted: InboxFilter, acting: Acting, *, for_me: bool) -> InboxFilter:
    """The requests of a filter that the caller may know of, and that are for him."""
    department = department_of(acting)
    subject = acting.actor.subject
    waiter = None
    if for_me and department is not None:
        waiter = Waiter(department, acting.digest, subject, acting.now)
    return InboxFilter(
        state=wanted.state,
        customer_id=wanted.customer_id,
        asked_by=acting.digest if for_me and waiter is None else None,
        seen_by=None if acting.actor.role in SEE_ALL else (acting.digest, subject),
        waits_for=waiter,
    )
