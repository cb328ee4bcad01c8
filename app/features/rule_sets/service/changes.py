"""What differs between two rule sets, whether both are stored or one is still a draft."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date

from app.domain.errors import NotFound
from app.domain.rules.difference import (
    AnswerShifts,
    Difference,
    Effect,
    answer_shifts,
    differences,
)
from app.domain.rules.model import RuleSetDocument
from app.features.rule_sets.service.drafts import get_draft
from app.features.rule_sets.service.versions import RuleSet, get_version, resolve
from app.infra.database import AsyncSession


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs, in the order of the document, and for whom tables answer otherwise.

    `since` is the version that was compared with, as `motor@1`.
    """

    since: str
    items: tuple[Difference, ...]
    answers: AnswerShifts

    @property
    def can_decide(self) -> bool:
        """Whether any customer may be decided on otherwise."""
        return any(item.effect is Effect.DECIDES for item in self.items)


def list_changes(old: RuleSet, new: RuleSetDocument) -> Changes:
    """What a document changes about a version; nothing exactly if their hashes are equal."""
    before, stored = old.compiled.document, old.stored
    since = f"{stored.rule_set_id}@{stored.version}"
    return Changes(since, differences(before, new), answer_shifts(before, new))


async def list_version_changes(
    session: AsyncSession, *, rule_set_id: str, version: int, since: int
) -> Changes:
    """What a stored version changes about another one of the same rule set.

    Raises:
        NotFound: there is no such rule set, or not both versions.
    """
    if since == 0:
        raise NotFound("not-found", f"{rule_set_id}@{version} is the first version.")
    old = await get_version(session, rule_set_id=rule_set_id, version=since)
    new = await get_version(session, rule_set_id=rule_set_id, version=version)
    return await asyncio.to_thread(list_changes, old, new.compiled.document)


async def list_draft_changes(
    session: AsyncSession, *, rule_set_id: str, since: tuple[str, int] | None, today: date
) -> Changes:
    """What the open draft changes about a version, by default about what decides for its line.

    Args:
        session: an open session.
        rule_set_id: whose draft.
        since: rule set and version to compare with.
        today: the business day whose rule set decides.

    Raises:
        NotFound: no draft is open, or there is no such version.
        Conflict: `no-rule-set` if nothing decides for the line.
    """
    draft = await get_draft(session, rule_set_id=rule_set_id)
    if since is None:
        old = await resolve(session, draft.product_line, today)
    else:
        old = await get_version(session, rule_set_id=since[0], version=since[1])
    return await asyncio.to_thread(list_changes, old, draft.document)
