"""The rule sets a simulation is asked for: stored versions and drafts, safe to decide by."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import Invalid
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.findings import Finding
from app.features.rule_sets.service import get_draft, get_version, list_rule_sets
from app.features.simulations.service.plan import Decider
from app.infra.database import AsyncSession
from app.infra.prover import Proves


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


async def choose(session: AsyncSession, chosen: Chosen, prover: Proves) -> Decider:
    """The rule set that was chosen, as it is now; a draft is proved.

    Raises:
        NotFound: there is no such version or draft.
        UnsafeError: its tables do not keep what they claim, so nobody may decide by it.
    """
    if chosen.version is None:
        draft = await get_draft(session, rule_set_id=chosen.rule_set_id)
        return await safe_decider(draft.compiled, prover)
    found = await get_version(session, rule_set_id=chosen.rule_set_id, version=chosen.version)
    return Decider.of_version(found)


async def safe_decider(compiled: CompiledRuleSet, prover: Proves) -> Decider:
    """What was compiled without proof, once it is proved to be safe to decide by.

    Raises:
        UnsafeError: its tables do not keep what they claim.
    """
    proof = await prover.prove(compiled.document)
    if proof.unsafe:
        raise UnsafeError(proof.unsafe)
    return Decider.of_document(compiled)


async def require_rule_set(session: AsyncSession, rule_set_id: str) -> None:
    """See to it that a rule set has a version or a draft.

    Raises:
        NotFound: it has neither.
    """
    versions = {found.rule_set_id for found in await list_rule_sets(session)}
    if rule_set_id not in versions:
        await get_draft(session, rule_set_id=rule_set_id)
