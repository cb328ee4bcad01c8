"""What differs between two rule sets, whether both are stored or one is still a draft."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import NotFound
from app.domain.rules.difference import Difference, Effect, differences
from app.domain.rules.model import RuleSetDocument
from app.features.rule_sets.service.versions import get_version
from app.infra.database import AsyncSession


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs, in the order of the document."""

    items: tuple[Difference, ...]

    @property
    def can_decide(self) -> bool:
        """Whether any customer may be decided on otherwise."""
        return any(item.effect is Effect.DECIDES for item in self.items)


def list_changes(old: RuleSetDocument, new: RuleSetDocument) -> Changes:
    """What a document changes about another one; nothing exactly if their hashes are equal."""
    return Changes(differences(old, new))


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
    return list_changes(old.compiled.document, new.compiled.document)
