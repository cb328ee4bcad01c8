"""The rule sets a simulation is asked for: stored versions and drafts, safe to decide by."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.domain.errors import Invalid
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.compile import compile_rule_set
from app.domain.rules.findings import DocumentError, Finding
from app.domain.rules.model import RuleSetDocument
from app.features.rule_sets.service import get_draft, get_version
from app.features.simulations.service.plan import Decider
from app.infra.database import AsyncSession


@dataclass(frozen=True, slots=True)
class Chosen:
    """A stored version of a rule set, or its draft where there is no version."""

    rule_set_id: str
    version: int | None


class UnsafeError(Invalid):
    """A document that cannot be executed safely, with what is wrong with it."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        super().__init__("rule-set-unsafe", "\n".join(map(str, findings)))


async def choose(session: AsyncSession, chosen: Chosen) -> Decider:
    """The rule set that was chosen, as it is now.

    Raises:
        NotFound: there is no such version or draft.
        UnsafeError: its tables do not keep what they claim, so nobody may decide by it.
    """
    if chosen.version is None:
        return await prove((await get_draft(session, rule_set_id=chosen.rule_set_id)).document)
    found = await get_version(session, rule_set_id=chosen.rule_set_id, version=chosen.version)
    return Decider.of_version(found)


async def prove(document: RuleSetDocument) -> Decider:
    """A document, proved; other work goes on meanwhile.

    Raises:
        UnsafeError: its tables do not keep what they claim.
    """
    try:
        compiled = await asyncio.to_thread(compile_rule_set, document, CATALOGUE)
    except DocumentError as error:
        raise UnsafeError(error.findings) from None
    return Decider.of_document(compiled)
