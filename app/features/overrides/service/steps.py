"""What every step of an override tells: an outbox event, and where it ended, the tier after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.domain.errors import DomainError
from app.domain.tiering.decision import Cause, CauseKind
from app.domain.words import EventKind
from app.features.overrides.repository import steps
from app.features.overrides.repository.cases import StoredOverride
from app.features.overrides.repository.steps import Closing
from app.features.overrides.service.cases import Case
from app.features.scoring.service import evaluate_customers
from app.features.tiers.service import return_to_evaluated
from app.infra.cipher import CipherError, Vault
from app.infra.database import AsyncSession
from app.infra.outbox import record_event


async def tell(
    session: AsyncSession,
    case: Case,
    kind: EventKind,
    *,
    now: datetime,
    overrides: Sequence[StoredOverride] | None = None,
    **words: str,
) -> None:
    """Put a step into the outbox, in the transaction of the step.

    Args:
        session: that transaction.
        case: the request.
        kind: the step.
        now: when.
        overrides: those it happened to; by default those of the request that wait.
        words: what else is told, never a value.
    """
    concerned = case.waiting_overrides if overrides is None else overrides
    await record_event(
        session,
        kind=kind,
        customer_ids=[found.customer_id for found in concerned],
        payload={
            "request_id": str(case.request.id),
            "version": case.request.version,
            "digest": case.version.digest,
            **words,
        },
        occurred_at=now,
    )


async def stop_serving(
    session: AsyncSession,
    overrides: Sequence[StoredOverride],
    closing: Closing,
    *,
    vault: Vault,
) -> None:
    """End overrides that serve; the evaluated tiers serve again from the same day on.

    Args:
        session: in whose transaction; the overrides are locked.
        overrides: those that serve.
        closing: how they end.
        vault: seals what an evaluation keeps.
    """
    await steps.close(session, [found.id for found in overrides], closing)
    if await _reevaluated(session, overrides, closing, vault):
        return
    # Who cannot be decided on today must not keep an override alive, neither his nor another's.
    for found in sorted(overrides, key=lambda each: each.customer_id):
        if not await _reevaluated(session, [found], closing, vault):
            await return_to_evaluated(
                session, customer_id=found.customer_id, on=closing.on, now=closing.at
            )


async def _reevaluated(
    session: AsyncSession, overrides: Sequence[StoredOverride], closing: Closing, vault: Vault
) -> bool:
    """Evaluate the customers of overrides, all of them or none; whether they could be."""
    try:
        async with session.begin_nested():
            await evaluate_customers(
                session,
                customer_ids=[found.customer_id for found in overrides],
                as_of=closing.on,
                causes={found.customer_id: cause_of(found) for found in overrides},
                now=closing.at,
                vault=vault,
            )
    except (DomainError, CipherError):
        # A key that does not open keeps the decision from being stored, as facts do.
        return False
    return True


def cause_of(override: StoredOverride) -> Cause:
    """Why the customer of an override is evaluated."""
    return Cause(CauseKind.OVERRIDE, str(override.id))
