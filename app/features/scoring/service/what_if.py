"""Trying facts on a rule set; nothing is read about anybody, and nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from app.domain.errors import Invalid
from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import Fact, FactType, FactValue
from app.domain.rules.cells import CellError, value_of
from app.domain.rules.compile import compile_unproved
from app.domain.rules.domains import domain_of
from app.domain.rules.objectives import with_objective
from app.domain.rules.trace import Trace, trace
from app.domain.rules.values import fact_value
from app.domain.tiering.decision import Cause, CauseKind, TierDecision
from app.features.rule_sets.service import RuleSet, get_version, resolve_all
from app.features.scoring.service.decide import Occasion, decide, deciding_rule_set
from app.infra.database import AsyncSession

NOBODY = "-"
"""Stands where a decision names its customer."""

#: How the values of a type are written in JSON; a boolean is no number, and a number no text.
_WRITTEN: Final[Mapping[FactType, frozenset[type]]] = {
    FactType.BOOL: frozenset({bool}),
    FactType.INT: frozenset({int}),
    FactType.DECIMAL: frozenset({int, str}),
    FactType.ENUM: frozenset({str}),
    FactType.DATE: frozenset({str}),
    FactType.STRING: frozenset({str}),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule set says of the facts that were tried, and how it comes to it if asked."""

    decision: TierDecision
    rule_set: RuleSet
    trace: Trace | None = None


async def try_facts(
    session: AsyncSession,
    *,
    given: Mapping[str, str | int | bool | None],
    version: tuple[str, int] | None,
    as_of: date,
    objective: str | None = None,
    explain: bool = False,
) -> Trial:
    """Decide on facts that the caller made up, for a customer without a past.

    A fact that is left out is null, or where it can never be null false or 0.

    Args:
        session: an open session.
        given: facts by name, written as in documents: decimals and dates as text.
        version: id and version of the rule set; without it the one in force for such a customer.
        as_of: the business day to decide for.
        objective: the profile of the rule set to weigh by; without it the one that it decides by.
        explain: whether to trace the way to the answer.

    Raises:
        NotFound: there is no such rule set version.
        Conflict: `no-rule-set`.
        Invalid: `unknown-fact`, `input-error` or `unknown-objective`.
    """
    facts = {name: _neutral(fact) for name, fact in CATALOGUE.items()}
    for name, raw in given.items():
        if name not in CATALOGUE:
            raise Invalid("unknown-fact", "A fact is not in the catalogue; GET /v1/facts lists it.")
        facts[name] = _value(CATALOGUE[name], raw)
    if version is None:
        rule_set = deciding_rule_set(facts, await resolve_all(session, as_of))
    else:
        rule_set = await get_version(session, rule_set_id=version[0], version=version[1])
    if objective is not None:
        # Compiling keeps the interpreter busy for a while.
        rule_set = await asyncio.to_thread(_weighed, rule_set, objective)
    occasion = Occasion(NOBODY, as_of, Cause(CauseKind.API), None, None)
    decision = decide(facts, rule_set, occasion)
    return Trial(decision, rule_set, trace(rule_set.compiled, facts) if explain else None)


def _weighed(rule_set: RuleSet, objective: str) -> RuleSet:
    document = with_objective(rule_set.compiled.document, objective)
    # What is proved of a stored version is proved under each of its objectives.
    return replace(rule_set, compiled=compile_unproved(document, CATALOGUE))


def _value(fact: Fact, raw: str | int | bool | None) -> FactValue:  # noqa: FBT001 - a fact's value.
    if raw is None:
        return None
    if type(raw) not in _WRITTEN[fact.type]:
        raise Invalid("input-error", f"{fact.name}: not written as its type is.")
    text = ("true" if raw else "false") if isinstance(raw, bool) else str(raw)
    domain = domain_of(fact)
    try:
        return fact_value(domain, value_of(text, domain))
    except CellError as error:
        raise Invalid("input-error", f"{fact.name}: {error}") from None


def _neutral(fact: Fact) -> FactValue:
    if fact.nullable:
        return None
    if fact.type is FactType.BOOL:
        return False
    return max(0, fact.minimum or 0)
