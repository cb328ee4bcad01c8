"""Publishing: a draft becomes a version that decides, or a version decides anew.

Whoever edited what is published does not publish it: a document has all who had a hand in it, in
whichever draft, and a version those of the documents that it was published from. To put a version
in force anew, which is how a publication is rolled back, takes what to publish it takes; one that
was published has it all on record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from app.domain.errors import Conflict, Forbidden
from app.domain.rules.check import Proof
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.findings import Finding, Severity
from app.domain.words import PublicationKind
from app.features.publications import repository
from app.features.publications.repository import Act, StoredPublication
from app.features.publications.service.reading import get_publication
from app.features.publications.service.recording import (
    Publisher,
    record_act,
    require_day,
    require_publisher,
)
from app.features.rule_sets.service import (
    OpenDraft,
    StoredVersion,
    activate,
    compile_draft,
    discard_draft,
    find_open_draft,
    get_version,
    list_authors,
    lock_activations,
    require_version,
    store_published,
)
from app.features.simulations.service import has_rehearsed
from app.infra.database import AsyncSession
from app.infra.ids import new_id
from app.infra.prover import Prove

#: Facts of these classes need a privacy assessment.
_SENSITIVE: Final = "s."


@dataclass(frozen=True, slots=True)
class PublicationOrder:
    """What is to decide from a day on: the draft of a hash, or a version.

    Args:
        hash: of the open draft; None where a version is named.
        version: to decide anew; None where a draft is named.
        valid_from: first business day.
        pia_ref: reference of the privacy assessment.
    """

    hash: str | None
    version: int | None
    valid_from: date
    pia_ref: str | None


class NotPublishableError(Conflict):
    """What has errors, `open-errors`, or does not pass its own tests, `tests-fail`."""

    def __init__(self, type_: str, findings: tuple[Finding, ...]) -> None:
        super().__init__(type_, "\n".join(map(str, findings)))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be published, and who edited it; `version` where it is stored already."""

    compiled: CompiledRuleSet
    hash: str
    authors: tuple[str, ...]
    version: StoredVersion | None
    pia_ref: str | None

    @property
    def needs_assessment(self) -> bool:
        """Whether it reads what a privacy assessment is needed for."""
        return any(fact.sensitivity.startswith(_SENSITIVE) for fact in self.compiled.facts)


async def publish(
    session: AsyncSession,
    *,
    rule_set_id: str,
    order: PublicationOrder,
    publisher: Publisher,
    prove: Prove,
) -> StoredPublication:
    """Let a draft, or a version anew, decide for its line from a day on.

    The predecessor ends on that day, and what would begin later never comes into force. Of two who
    publish at once one waits for the other, and finds that the draft is gone.

    Args:
        session: in whose transaction.
        rule_set_id: the rule set.
        order: what, and from when.
        publisher: who.
        prove: proves it.

    Raises:
        NotFound: there is no such rule set or version.
        Conflict: `draft-changed`, `pia-required`, `not-rehearsed` or `already-in-force`.
        NotPublishableError: errors are open, or tests fail.
        Forbidden: `publisher-is-author` or `not-a-publisher`.
        Invalid: `publication-back-dated`.
    """
    require_day(order.valid_from, publisher)
    await require_publisher(session, publisher)
    candidate = await _candidate(session, rule_set_id, order)
    _require_second_person(candidate.authors, publisher)
    if candidate.needs_assessment and candidate.pia_ref is None:
        raise Conflict("pia-required", "It reads facts that need a privacy assessment.")
    if not await has_rehearsed(session, rule_set_id=rule_set_id, hash_=candidate.hash):
        raise Conflict("not-rehearsed", "Simulate exactly this document on the whole book first.")
    # Proving it may take seconds, in which nobody else should have to wait.
    _require_flawless(await prove(candidate.compiled.document))
    await lock_activations(session)
    if candidate.version is not None:
        return await _put_in_force(session, candidate, candidate.version, order, publisher)
    held = await _hold_draft(session, rule_set_id, candidate.hash)
    authors = await list_authors(session, held)
    _require_second_person(authors, publisher)
    stored = await store_published(session, candidate.compiled.document)
    candidate = replace(candidate, authors=authors)
    published = await _put_in_force(session, candidate, stored, order, publisher)
    await discard_draft(session, held)
    return published


async def _candidate(session: AsyncSession, rule_set_id: str, order: PublicationOrder) -> Candidate:
    """What the publisher names; it is compiled, not proved."""
    if order.version is not None:
        found = await get_version(session, rule_set_id=rule_set_id, version=order.version)
        precedent = await repository.find_precedent(session, rule_set_id, order.version)
        return Candidate(
            found.compiled,
            found.stored.hash,
            precedent.authors,
            found.stored,
            order.pia_ref or precedent.pia_ref,
        )
    opened = await find_open_draft(session, rule_set_id=rule_set_id)
    if opened is None:
        await require_version(session, rule_set_id)
    if opened is None or opened.stored.hash != order.hash:
        raise _changed()
    draft = await compile_draft(session, opened)
    authors = await list_authors(session, opened)
    return Candidate(draft.compiled, draft.hash, authors, None, order.pia_ref)


def _changed() -> Conflict:
    return Conflict("draft-changed", "No draft of that hash is open; somebody was faster.")


def _require_second_person(authors: tuple[str, ...], publisher: Publisher) -> None:
    if publisher.digest in authors:
        raise Forbidden("publisher-is-author")


def _require_flawless(proof: Proof) -> None:
    errors = tuple(found for found in proof.findings if found.severity is Severity.ERROR)
    if errors:
        raise NotPublishableError("open-errors", errors)
    if proof.failing:
        raise NotPublishableError("tests-fail", proof.failing)


async def _hold_draft(session: AsyncSession, rule_set_id: str, hash_: str) -> OpenDraft:
    """The draft that was looked at, kept from changing."""
    held = await find_open_draft(session, rule_set_id=rule_set_id, lock=True)
    if held is None or held.stored.hash != hash_:
        raise _changed()
    return held


async def _put_in_force(
    session: AsyncSession,
    candidate: Candidate,
    stored: StoredVersion,
    order: PublicationOrder,
    publisher: Publisher,
) -> StoredPublication:
    kind: PublicationKind = "published" if candidate.version is None else "republished"
    activation_id = await activate(session, stored, valid_from=order.valid_from)
    act = Act(
        id=new_id(),
        rule_set_id=stored.rule_set_id,
        kind=kind,
        product_line=stored.product_line,
        version=stored.version,
        effective_on=order.valid_from,
        activation_id=activation_id,
        pia_ref=candidate.pia_ref,
        authors=candidate.authors,
        published_by=publisher.digest,
        published_at=publisher.now,
    )
    await record_act(session, act, hash_=stored.hash)
    return await get_publication(session, rule_set_id=stored.rule_set_id, publication_id=act.id)
