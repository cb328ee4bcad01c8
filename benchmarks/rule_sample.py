"""The rule set that both rule benchmarks run: 8 characteristics and 4 tables, three ways.

The same rules stand here as a document, as a chain of decision tables for zen-engine, and hand
written in Polars. `agree` compares the answers before anything is measured.
"""

# ruff: noqa: PLR2004 - rules written by hand spell their bounds out

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import polars as pl

from app.domain.facts.model import Fact, FactType
from app.domain.rules import CompiledRuleSet, compile_rule_set, parse_document

Raw = dict[str, Any]

# Name, type, largest value or values, share of nulls in the generated book.
_FACTS: tuple[tuple[str, str, Any, float], ...] = (
    ("premium_ratio", "decimal", 100_000, 0.05),
    ("years_of_growth", "int", 8, 0.05),
    ("renewal_rate", "int", 100, 0.2),
    ("policies", "int", 12, 0.0),
    ("claims", "int", 10, 0.1),
    ("tenure", "int", 30, 0.0),
    ("interactions", "int", 40, 0.15),
    ("occupation", "enum", ("low", "medium", "high"), 0.1),
    ("uplift", "int", 100, 0.5),
    ("months_silent", "int", 36, 0.1),
    ("smoker", "bool", None, 0.3),
)

# Characteristic, dimension, breakpoints (upper bounds, exclusive), points, points for null.
SCORECARD: tuple[tuple[str, str, tuple[int, ...], tuple[int, ...], int], ...] = (
    ("premium_ratio", "value", (10_000, 30_000), (0, 60, 100), 0),
    ("years_of_growth", "value", (1, 3), (0, 20, 50), 0),
    ("claims", "risk", (1, 2, 4), (100, 70, 30, 0), 50),
    ("policies", "loyalty", (1, 3, 6), (0, 20, 40, 60), 0),
    ("renewal_rate", "loyalty", (50, 80, 95), (0, 20, 50, 80), 20),
    ("tenure", "loyalty", (1, 3, 5), (0, 10, 30, 50), 0),
    ("interactions", "potential", (1, 5, 15), (0, 20, 50, 80), 0),
    ("uplift", "potential", (20, 60), (0, 40, 100), 10),
)
WEIGHTS = {"value": 400, "risk": 200, "loyalty": 250, "potential": 150}


def catalogue() -> dict[str, Fact]:
    """Return the facts of the benchmark."""
    facts: dict[str, Fact] = {}
    for name, kind, bound, nulls in _FACTS:
        number = isinstance(bound, int)
        facts[name] = Fact(
            name=name,
            type=FactType(kind),
            scale=4 if kind == "decimal" else 0,
            unit=None,
            minimum=0 if number else None,
            maximum=bound if number else None,
            values=bound if kind == "enum" else (),
            nullable=nulls > 0,
            sensitivity="internal",
            meaning=name,
            meaning_zh=name,
            source="S11",
            influenceable=name in ("policies", "interactions", "premium_ratio", "renewal_rate"),
            consent=None,
        )
    return facts


def _text(name: str, value: int) -> str:
    return f"{value // 10_000}" if name == "premium_ratio" else str(value)


def _cells(name: str, bounds: tuple[int, ...]) -> list[str]:
    inner = [f"[{_text(name, low)}..{_text(name, high)})" for low, high in pairwise(bounds)]
    return [f"< {_text(name, bounds[0])}", *inner, f">= {_text(name, bounds[-1])}"]


def _characteristics() -> list[Raw]:
    nullable = {name for name, _, _, nulls in _FACTS if nulls}
    characteristics: list[Raw] = []
    for at, (name, dimension, bounds, points, null_points) in enumerate(SCORECARD):
        bins: list[Raw] = [
            {"when": cell, "points": value}
            for cell, value in zip(_cells(name, bounds), points, strict=True)
        ]
        if name in nullable:
            bins.append({"when": "null", "points": null_points})
        reason = {"code": f"K{at:02d}", "en": name, "zh": name}
        characteristics.append(
            {"id": name, "dimension": dimension, "input": name, "reason": reason, "bins": bins}
        )
    return characteristics


TABLES: tuple[tuple[str, str, tuple[str, ...], tuple[tuple[dict[str, str], str], ...]], ...] = (
    (
        "risk_grade",
        "first",
        ("A", "B", "C", "D", "E"),
        (
            ({"claims": ">= 5"}, "E"),
            ({"occupation": "high", "smoker": "true"}, "D"),
            ({"claims": "[2..4]"}, "C"),
            ({"claims": "null"}, "C"),
            ({"occupation": "low", "claims": "0"}, "A"),
            ({}, "B"),
        ),
    ),
    (
        "segment",
        "first",
        ("high_net_worth", "mid_market", "potential", "base"),
        (
            ({"premium_ratio": "> 3", "years_of_growth": ">= 2"}, "high_net_worth"),
            ({"premium_ratio": ">= 1"}, "mid_market"),
            ({"uplift": ">= 70"}, "potential"),
            ({}, "base"),
        ),
    ),
    (
        "life_cycle_stage",
        "first",
        ("new", "stable", "at_risk", "dormant", "lapsed"),
        (
            ({"policies": "0"}, "lapsed"),
            ({"months_silent": ">= 12"}, "dormant"),
            ({"renewal_rate": "< 50"}, "at_risk"),
            ({"tenure": "< 1"}, "new"),
            ({}, "stable"),
        ),
    ),
    (
        "tier",
        "first",
        ("diamond", "gold", "standard"),
        (
            ({"segment": "high_net_worth"}, "diamond"),
            ({"segment": "mid_market", "score": ">= 550"}, "gold"),
            ({}, "standard"),
        ),
    ),
)


def document() -> Raw:
    """Return the rules as a rule-set document."""
    tables = [
        {
            "id": name,
            "output": {"name": name, "values": list(values)},
            "hit_policy": policy,
            "complete": True,
            "inputs": list(dict.fromkeys(key for when, _ in rules for key in when)),
            "rules": [
                {"id": f"R{at}", "when": when, "then": then}
                for at, (when, then) in enumerate(rules)
            ],
        }
        for name, policy, values, rules in TABLES
    ]
    return {
        "format": "tiering/1",
        "id": "benchmark",
        "product_line": "all",
        "title": {"en": "Benchmark", "zh": "基准"},
        "objective": "balanced",
        "objectives": {"balanced": WEIGHTS},
        "scorecard": {"reasons": {"top": 4}, "characteristics": _characteristics()},
        "tables": tables,
        "stability": {
            "downgrade_cooldown_days": 90,
            "downgrade_step": "one",
            "grace_days": 30,
            "min_dwell_days": 30,
        },
    }


def compiled() -> CompiledRuleSet:
    """Return the rules compiled by the service."""
    return compile_rule_set(parse_document(document(), catalogue()), catalogue())


def book(rows: int) -> pl.DataFrame:
    """Return generated facts of so many customers, the same on every run."""
    places = pl.int_range(rows, eager=True)
    columns = []
    for seed, (name, kind, bound, nulls) in enumerate(_FACTS):
        noise = places.hash(seed)
        if kind == "bool":
            values = noise % 4 == 0
        elif kind == "enum":
            names = pl.Series(list(bound))
            values = names.gather((noise % len(bound)).cast(pl.UInt32))
        else:
            values = (noise % (bound + 1)).cast(pl.Int64)
        missing = places.hash(seed + 100) % 1000 < int(nulls * 1000)
        columns.append(
            pl.select(pl.when(missing).then(None).otherwise(values).alias(name)).to_series()
        )
    return pl.DataFrame(columns)


def customers(count: int) -> list[Raw]:
    """Return generated facts of a few customers as mappings."""
    rows = book(count).to_dicts()
    random.Random(7).shuffle(rows)
    return rows


def by_hand(frame: pl.DataFrame) -> pl.DataFrame:
    """Return scores and outcomes as an engineer would write these rules in Polars."""
    raw: dict[str, pl.Expr] = {}
    reach: dict[str, tuple[int, int]] = {}
    for name, dimension, bounds, points, null_points in SCORECARD:
        value = pl.col(name)
        chain: Any = pl.when(value.is_null()).then(null_points)
        for bound, below in zip(bounds, points, strict=False):
            chain = chain.when(value < bound).then(below)
        given = chain.otherwise(points[-1])
        raw[dimension] = raw[dimension] + given if dimension in raw else given
        low, high = reach.get(dimension, (0, 0))
        reach[dimension] = (low + min(points), high + max(points))
    scaled = {
        f"dimension.{name}": (2000 * (raw[name] - low) + (high - low)) // (2 * (high - low))
        for name, (low, high) in reach.items()
    }
    scores = frame.with_columns(**scaled)
    weighted = sum(pl.col(f"dimension.{name}") * weight for name, weight in WEIGHTS.items())
    scores = scores.with_columns(score=(weighted + 500) // 1000)
    return _outcomes_by_hand(scores)


def _outcomes_by_hand(scores: pl.DataFrame) -> pl.DataFrame:
    col, lit = pl.col, pl.lit
    silent = col("months_silent") >= 12
    wealthy = (col("premium_ratio") > 30_000) & (col("years_of_growth") >= 2)
    outcomes = scores.with_columns(
        risk_grade=pl.when(col("claims") >= 5)
        .then(lit("E"))
        .when((col("occupation") == "high") & col("smoker"))
        .then(lit("D"))
        .when(col("claims").is_between(2, 4) | col("claims").is_null())
        .then(lit("C"))
        .when((col("occupation") == "low") & (col("claims") == 0))
        .then(lit("A"))
        .otherwise(lit("B")),
        segment=pl.when(wealthy)
        .then(lit("high_net_worth"))
        .when(col("premium_ratio") >= 10_000)
        .then(lit("mid_market"))
        .when(col("uplift") >= 70)
        .then(lit("potential"))
        .otherwise(lit("base")),
        life_cycle_stage=pl.when(col("policies") == 0)
        .then(lit("lapsed"))
        .when(silent)
        .then(lit("dormant"))
        .when(col("renewal_rate") < 50)
        .then(lit("at_risk"))
        .when(col("tenure") < 1)
        .then(lit("new"))
        .otherwise(lit("stable")),
    )
    outcomes = outcomes.with_columns(
        tier=pl.when(col("segment") == "high_net_worth")
        .then(lit("diamond"))
        .when((col("segment") == "mid_market") & (col("score") >= 550))
        .then(lit("gold"))
        .otherwise(lit("standard"))
    )
    names = [f"dimension.{name}" for name in WEIGHTS]
    return outcomes.select("score", *names, *(name for name, *_ in TABLES))


def zen_decision() -> str:
    """Return the rules as a zen-engine decision: scorecard columns, an expression, four tables."""
    nodes = [_zen_node("in", "inputNode", {})]
    for name, _, bounds, points, null_points in SCORECARD:
        bins = [(["null"], str(null_points))]
        for low, high, given in zip((None, *bounds), (*bounds, None), points, strict=True):
            sides = [f">= {low}"] if low is not None else []
            sides += [f"< {high}"] if high is not None else []
            bins.append(([" and ".join(sides)], str(given)))
        nodes.append(_zen_table(f"points_{name}", [name], bins))
    expressions: list[tuple[str, str]] = []
    for name in WEIGHTS:
        columns = [item for item in SCORECARD if item[1] == name]
        low = sum(min(item[3]) for item in columns)
        span = sum(max(item[3]) for item in columns) - low
        total = " + ".join(f"points_{item[0]}" for item in columns)
        expressions.append(
            (f"s_{name}", f"floor((2000 * ({total} - {low}) + {span}) / {2 * span})")
        )
    weighted = " + ".join(f"{weight} * $.s_{name}" for name, weight in WEIGHTS.items())
    expressions.append(("score", f"floor(({weighted} + 500) / 1000)"))
    nodes.append(_zen_expressions(expressions))
    for name, _, _, rules in TABLES:
        inputs = list(dict.fromkeys(key for when, _ in rules for key in when))
        rows = [
            ([_zen_cell(key, when.get(key, "-")) for key in inputs], f'"{then}"')
            for when, then in rules
        ]
        nodes.append(_zen_table(name, inputs, rows))
    nodes.append(_zen_node("out", "outputNode", {}))
    edges = [
        {"id": f"e{at}", "sourceId": a["id"], "targetId": b["id"], "type": "edge"}
        for at, (a, b) in enumerate(pairwise(nodes))
    ]
    return json.dumps({"nodes": nodes, "edges": edges})


def _zen_cell(name: str, cell: str) -> str:
    if cell == "-":
        return ""
    if name == "premium_ratio":
        order, number = cell.split(" ")
        return f"$ != null and $ {order} {int(number) * 10_000}"
    if cell[0].isalpha() and cell not in ("true", "null"):
        return f'"{cell}"'
    return f"$ != null and $ {cell}" if cell[0] in "<>" else cell


def _zen_node(name: str, kind: str, content: Raw) -> Raw:
    return {
        "id": name,
        "name": name,
        "type": kind,
        "content": content,
        "position": {"x": 0, "y": 0},
    }


def _zen_table(name: str, inputs: list[str], rows: list[tuple[list[str], str]]) -> Raw:
    rules = [
        {"_id": f"{name}{at}", "out": then}
        | {f"in{place}": cell for place, cell in enumerate(cells)}
        for at, (cells, then) in enumerate(rows)
    ]
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": f"in{at}", "name": key, "field": key} for at, key in enumerate(inputs)],
        "outputs": [{"id": "out", "name": name, "field": name}],
        "rules": rules,
        "passThrough": True,
        "inputField": None,
        "outputPath": None,
        "executionMode": "single",
    }
    return _zen_node(name, "decisionTableNode", content)


def _zen_expressions(expressions: list[tuple[str, str]]) -> Raw:
    content = {
        "expressions": [{"id": key, "key": key, "value": value} for key, value in expressions],
        "passThrough": True,
        "inputField": None,
        "outputPath": None,
        "executionMode": "single",
    }
    return _zen_node("scores", "expressionNode", content)
