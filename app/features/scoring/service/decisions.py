"""Reading stored decisions, and replaying them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.domain.errors import Conflict, DomainError, NotFound
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.evaluation import InputError
from app.domain.rules.trace import Trace, trace
from app.domain.snapshots.snapshot import Snapshot, SnapshotError, read_snapshot
from app.domain.tiering.decision import Cause
from app.domain.tiering.record import differing_outputs, record_of
from app.features.rule_sets.service import get_version
from app.features.scoring import repository
from app.features.scoring.repository import Sealed
from app.features.scoring.service.decide import Occasion, decide
from app.features.scoring.service.evaluate import SNAPSHOT_PLACE, Stored
from app.infra.cipher import CipherError, Vault, find_subject_keys
from app.infra.database import AsyncSession


@dataclass(frozen=True, slots=True)
class Replay:
    """What deciding again from the snapshot gave: the outputs that came out otherwise."""

    stored: Stored
    differences: tuple[str, ...]

    @property
    def is_identical(self) -> bool:
        """Whether it says the same in everything."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class TracedDecision:
    """A stored decision with the way from its snapshot to its outcomes."""

    stored: Stored
    trace: Trace


async def get_decision(session: AsyncSession, *, decision_id: UUID) -> Stored:
    """One stored decision.

    Raises:
        NotFound: there is none of that id.
    """
    return await _stored(session, await _sealed(session, decision_id))


async def replay_decision(session: AsyncSession, *, decision_id: UUID, vault: Vault) -> Replay:
    """Decide again from the snapshot, with the rule set version that decided then.

    Nothing is stored, and no record is read: what came in since changes nothing.

    Raises:
        NotFound: there is no such decision.
        Conflict: `decision-erased` if the customer's key is gone, so that nobody can read the
            snapshot any more; `snapshot-unreadable` if it does not open or has another form.
    """
    sealed = await _sealed(session, decision_id)
    stored = await _stored(session, sealed)
    record = stored.record
    snapshot = await _opened(session, sealed, vault)
    occasion = Occasion(
        customer_id=record.customer_id,
        as_of=record.as_of,
        cause=Cause.parse(record.cause),
        state=snapshot.state,
        benchmark_version=record.benchmark_version,
        override=snapshot.override,
    )
    try:
        decision = decide(snapshot.facts, stored.rule_set, occasion)
    except DomainError as error:
        return Replay(stored, (error.type,))
    again = record_of(decision, record.id, record.recorded_at)
    return Replay(stored, differing_outputs(record, again))


async def trace_decision(
    session: AsyncSession, *, decision_id: UUID, vault: Vault
) -> TracedDecision:
    """Explain a decision from its snapshot, with the rule set version that decided then.

    Raises:
        NotFound: there is no such decision.
        Conflict: `decision-erased` or `snapshot-unreadable`, as when it is replayed.
    """
    sealed = await _sealed(session, decision_id)
    stored = await _stored(session, sealed)
    snapshot = await _opened(session, sealed, vault)
    try:
        return TracedDecision(stored, trace(stored.rule_set.compiled, snapshot.facts))
    except InputError:
        # The catalogue has changed since, so that what was judged then no longer can be.
        raise Conflict("snapshot-unreadable", "The snapshot is not judged any more.") from None


async def _sealed(session: AsyncSession, decision_id: UUID) -> Sealed:
    sealed = await repository.find_decision(session, decision_id)
    if sealed is None:
        raise NotFound("not-found", "There is no such decision.")
    return sealed


async def _stored(session: AsyncSession, sealed: Sealed) -> Stored:
    reference = sealed.record.rule_set
    rule_set = await get_version(session, rule_set_id=reference.id, version=reference.version)
    return Stored(sealed.record, rule_set)


async def _opened(session: AsyncSession, sealed: Sealed, vault: Vault) -> Snapshot:
    record = sealed.record
    try:
        keys = await find_subject_keys(session, vault, [record.customer_id])
        key = keys.get(record.customer_id)
        if key is None:
            raise Conflict("decision-erased", "The customer's data was erased.")
        text = vault.decrypt(key, *SNAPSHOT_PLACE, str(record.id), sealed.snapshot_cipher)
        return read_snapshot(text, CATALOGUE)
    except (CipherError, SnapshotError):
        raise Conflict("snapshot-unreadable", "The snapshot does not open.") from None
