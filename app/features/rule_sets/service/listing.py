"""Which rule sets there are: stored ones with all their versions, and the shipped templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from app.domain.rules.check import ActivationRange, check_versions
from app.domain.rules.findings import Finding
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.writing import document_hash
from app.features.rule_sets import repository
from app.features.rule_sets.repository import StoredActivation
from app.features.rule_sets.service.versions import shipped_documents
from app.infra.database import AsyncSession


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """A stored version without its document; `published_at` is when it was last published."""

    version: int
    hash: str
    origin: str
    created_at: datetime
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedRuleSet:
    """A rule set: the title of its newest version, all versions, and when they decide."""

    rule_set_id: str
    product_line: str
    title: Mapping[str, str]
    versions: tuple[ListedVersion, ...]
    activations: tuple[StoredActivation, ...]

    def in_force_on(self, day: date) -> StoredActivation | None:
        """What of it decides on a business day."""
        return next(
            (
                found
                for found in self.activations
                if found.since <= day and (found.until is None or found.until > day)
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """Every rule set in the order of ids, and what is wrong with when they decide."""

    items: tuple[ListedRuleSet, ...]
    findings: tuple[Finding, ...]


async def list_all(session: AsyncSession) -> Listing:
    """Every stored rule set, and where versions of a line overlap or leave it without one."""
    items = tuple(await list_rule_sets(session))
    ranges = (
        ActivationRange(
            found.product_line, f"{found.rule_set_id}@{found.version}", found.since, found.until
        )
        for item in items
        for found in item.activations
    )
    return Listing(items, check_versions(ranges))


async def list_rule_sets(session: AsyncSession) -> list[ListedRuleSet]:
    """Every stored rule set, in the order of ids."""
    activations = await repository.list_activations(session)
    listed: dict[str, ListedRuleSet] = {}
    for entry in await repository.list_versions(session):
        stored = entry.stored
        own_id = stored.rule_set_id
        before = listed[own_id].versions if own_id in listed else ()
        listed[own_id] = ListedRuleSet(
            own_id,
            stored.product_line,
            entry.title,
            (
                *before,
                ListedVersion(
                    stored.version, stored.hash, entry.origin, entry.created_at, entry.published_at
                ),
            ),
            tuple(found for found in activations if found.rule_set_id == own_id),
        )
    return list(listed.values())


@dataclass(frozen=True, slots=True)
class Template:
    """A rule set that travels with the package, and the version it is stored as, if it is."""

    document: RuleSetDocument
    hash: str
    version: int | None


async def list_templates(session: AsyncSession) -> list[Template]:
    """The shipped rule sets, by id; a release may ship one that is not stored yet."""
    stored = {
        (found.stored.rule_set_id, found.stored.hash): found.stored.version
        for found in await repository.list_versions(session)
    }
    hashed = [(document, document_hash(document)) for document in shipped_documents()]
    return [
        Template(document, hash_, stored.get((document.id, hash_)))
        for document, hash_ in sorted(hashed, key=lambda pair: pair[0].id)
    ]
