"""The shipped templates, parsed and compiled once, and random facts for them."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from random import Random
from typing import Final

from hypothesis import strategies as st

from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import Fact, FactType, FactValue
from app.domain.rules.compile import compile_rule_set
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.document import parse_document
from app.domain.rules.evaluation import Evaluation
from app.domain.rules.scalar import evaluate
from app.infra.documents import read_document

NAMES: Final = ("all", "corporate", "health", "liability", "life", "motor", "property")
#: The templates of single lines.
LINES: Final = tuple(name for name in NAMES if name not in {"all", "corporate"})


@cache
def raw(name: str) -> Mapping[str, object]:
    """The document as its author wrote it."""
    text = resources.files("app.templates").joinpath(f"{name}.yaml").read_text("utf-8")
    return read_document(text)


@cache
def template(name: str) -> CompiledRuleSet:
    """The compiled template; compiling proves that its tables are complete."""
    document = parse_document(raw(name), CATALOGUE, lambda reference: raw(reference[:-2]))
    return compile_rule_set(document, CATALOGUE)


def judged(name: str, **known: FactValue) -> Evaluation:
    """Evaluate facts, decimals scaled; the kind is individual and the rest null unless given."""
    facts: dict[str, FactValue] = dict.fromkeys(template(name).document.facts)
    facts |= {"is_corporate": False, "has_credit_code": False, **known}
    return evaluate(template(name), facts)


def value(fact: Fact, chance: Random) -> FactValue:
    """A random value of one fact, near the small figures that rules speak of or anywhere."""
    if fact.nullable and chance.random() < 0.2:
        return None
    if fact.type is FactType.BOOL:
        return chance.random() < 0.5
    if fact.type is FactType.ENUM:
        return chance.choice(fact.values)
    low, high = fact.minimum or 0, fact.maximum or 0
    if chance.random() < 0.1:
        return chance.randint(low, high)
    near = chance.randint(-20, 20) * int(10**fact.scale) // 2 + chance.randint(-1, 1)
    return min(max(near * chance.choice((1, 1, 10_000)), low), high)


def facts_of(name: str, chance: Random) -> dict[str, FactValue]:
    """Random facts for a template."""
    return {fact: value(CATALOGUE[fact], chance) for fact in template(name).document.facts}


chances = st.integers(0, 2**32).map(Random)
"""Seeded chances: forty facts drawn one by one would take Hypothesis most of a second."""
