"""Retiring: a rule set decides no more from a day on, and `all` decides for its line."""

from __future__ import annotations

from datetime import date

from app.features.publications.repository import Act, StoredPublication
from app.features.publications.service.reading import get_publication
from app.features.publications.service.recording import (
    Publisher,
    record_act,
    require_day,
    require_publisher,
)
from app.features.rule_sets.service import deactivate, lock_activations, require_version
from app.infra.database import AsyncSession
from app.infra.ids import new_id


async def retire(
    session: AsyncSession, *, rule_set_id: str, valid_to: date, publisher: Publisher
) -> StoredPublication:
    """Let a rule set decide on no day from one on; what would begin later never does.

    Args:
        session: in whose transaction.
        rule_set_id: the rule set.
        valid_to: first business day on which it no longer decides.
        publisher: who.

    Raises:
        NotFound: there is no such rule set.
        Invalid: `publication-back-dated`.
        Forbidden: `not-a-publisher`.
        Conflict: `not-in-force`, or `all-must-decide` for the rule set of all lines.
    """
    require_day(valid_to, publisher)
    await require_publisher(session, publisher)
    await require_version(session, rule_set_id)
    await lock_activations(session)
    line = await deactivate(session, rule_set_id, valid_to=valid_to)
    act = Act(
        id=new_id(),
        rule_set_id=rule_set_id,
        kind="retired",
        product_line=line,
        version=None,
        effective_on=valid_to,
        activation_id=None,
        pia_ref=None,
        authors=(),
        published_by=publisher.digest,
        published_at=publisher.now,
    )
    await record_act(session, act)
    return await get_publication(session, rule_set_id=rule_set_id, publication_id=act.id)
