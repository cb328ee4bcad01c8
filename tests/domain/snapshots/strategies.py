"""Random facts within the catalogue's bounds, and a shipped rule set to judge them by."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import polars as pl
import yaml
from hypothesis import strategies as st

from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import Fact, FactType, FactValue
from app.domain.rules.compile import compile_rule_set
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.document import parse_document

TEMPLATES = Path(__file__).resolve().parents[3] / "app" / "templates"
COLUMN_TYPES = {
    FactType.INT: pl.Int64,
    FactType.DECIMAL: pl.Int64,
    FactType.BOOL: pl.Boolean,
    FactType.ENUM: pl.String,
    FactType.STRING: pl.String,
    FactType.DATE: pl.Date,
}
SCHEMA = {name: COLUMN_TYPES[fact.type] for name, fact in CATALOGUE.items()}


def fact_values(fact: Fact) -> st.SearchStrategy[FactValue]:
    """Values that a fact may have, null included where it may be null."""
    low = -(10**12) if fact.minimum is None else fact.minimum
    high = 10**12 if fact.maximum is None else fact.maximum
    floor = max(low, 0)
    values: dict[FactType, st.SearchStrategy[FactValue]] = {
        # Bounds of rules are small numbers, so half of the values are.
        FactType.INT: st.integers(low, high) | st.integers(floor, max(floor, min(high, 20))),
        FactType.DECIMAL: st.integers(low, high)
        | st.integers(floor, max(floor, min(high, 10 * 10**fact.scale))),
        FactType.BOOL: st.booleans(),
        FactType.ENUM: st.sampled_from(fact.values or ("",)),
        FactType.STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        FactType.DATE: st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    }
    return st.none() | values[fact.type] if fact.nullable else values[fact.type]


facts = st.fixed_dictionaries({name: fact_values(fact) for name, fact in CATALOGUE.items()})


@cache
def shipped(name: str = "all") -> CompiledRuleSet:
    """A template, compiled."""
    raw = {path.stem: yaml.safe_load(path.read_text()) for path in TEMPLATES.glob("*.yaml")}
    document = parse_document(raw[name], CATALOGUE, lambda ref: raw[ref.partition("@")[0]])
    return compile_rule_set(document, CATALOGUE)
