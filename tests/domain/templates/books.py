"""The shipped templates, parsed and compiled once, and random facts for them."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
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

NAMES: Final = ("all", "corporate", "motor")


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


def values(fact: Fact) -> st.SearchStrategy[FactValue]:
    """Random values of one fact, near the small figures that rules speak of and far from them."""
    null = st.none() if fact.nullable else st.nothing()
    if fact.type is FactType.BOOL:
        return null | st.booleans()
    if fact.type is FactType.ENUM:
        return null | st.sampled_from(fact.values)
    low, high = fact.minimum or 0, fact.maximum or 0
    near = st.integers(max(low, -20), min(high, 20)).map(lambda n: n * 10**fact.scale // 2)
    return null | near.filter(lambda n: low <= n <= high) | st.integers(low, high)


def random_facts(name: str) -> st.SearchStrategy[dict[str, FactValue]]:
    """Random facts for a template."""
    return st.fixed_dictionaries(
        {fact: values(CATALOGUE[fact]) for fact in template(name).document.facts}
    )
