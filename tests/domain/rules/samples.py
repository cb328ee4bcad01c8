"""A small catalogue and a whole document that the rule tests share."""

import copy
from collections.abc import Mapping
from typing import Any

from app.domain.facts.model import Fact, FactType

Raw = dict[str, Any]


def fact(name: str, kind: str, **changes: object) -> Fact:
    """Return a fact with everything unsaid at its plainest."""
    plain: dict[str, object] = {
        "name": name,
        "type": FactType(kind),
        "scale": 0,
        "unit": None,
        "minimum": None,
        "maximum": None,
        "values": (),
        "nullable": True,
        "sensitivity": "internal",
        "meaning": name,
        "meaning_zh": name,
        "source": "S1",
        "influenceable": False,
        "consent": None,
    }
    return Fact(**{**plain, **changes})  # type: ignore[arg-type]


CATALOGUE: Mapping[str, Fact] = {
    item.name: item
    for item in (
        fact("ratio", "decimal", scale=4, minimum=0, maximum=1_000_000, influenceable=True),
        fact("premium", "decimal", scale=2, minimum=0, maximum=10**12, influenceable=True),
        fact("growth", "int", minimum=0, maximum=10),
        fact("policies", "int", minimum=0, maximum=50, nullable=False, influenceable=True),
        fact("claims", "int", minimum=0, maximum=100, sensitivity="risk"),
        fact("delta", "int"),
        fact("occupation", "enum", values=("low", "medium", "high")),
        fact("health", "enum", values=("A", "B", "C", "D", "E"), sensitivity="s.health"),
        fact("smoker", "bool", sensitivity="s.health"),
        fact("suspicion", "bool", sensitivity="s.fraud", nullable=False),
        fact("app_user", "bool", influenceable=True),
        fact("since", "date"),
        fact("opened", "date", minimum=700_000, maximum=800_000, influenceable=True),
        fact("cluster", "string", influenceable=True),
        fact("city", "string", nullable=False),
        fact("line", "enum", values=("motor", "life"), nullable=False),
        fact("complaints_12m", "int", minimum=0, maximum=99),
    )
}


def _reason(code: str) -> Raw:
    return {"code": code, "en": f"Reason {code}", "zh": f"原因 {code}"}


_DOCUMENT: Raw = {
    "format": "tiering/1",
    "id": "sample",
    "product_line": "motor",
    "title": {"en": "Sample", "zh": "样例"},
    "objective": "balanced",
    "objectives": {
        "balanced": {"value": 600, "loyalty": 400, "body": 0},
        "renewal": {"value": 300, "loyalty": 700, "body": 0},
    },
    "scorecard": {
        "reasons": {"top": 4},
        "characteristics": [
            {
                "id": "ratio",
                "dimension": "value",
                "input": "ratio",
                "trend": "increasing",
                "reason": _reason("V01"),
                "bins": [
                    {"when": "< 1", "points": 0},
                    {"when": "[1..3]", "points": 60},
                    {"when": "> 3", "points": 100},
                    {"when": "null", "points": 0, "reason": _reason("V02")},
                ],
            },
            {
                "id": "growth",
                "dimension": "value",
                "input": "growth",
                "reason": _reason("V03"),
                "bins": [
                    {"when": "< 2, null", "points": 0},
                    {"when": ">= 2", "points": 40},
                ],
            },
            {
                "id": "policies",
                "dimension": "loyalty",
                "input": "policies",
                "reason": _reason("L01"),
                "bins": [
                    {"when": 0, "points": 0},
                    {"when": "[1..2]", "points": 30},
                    {"when": "> 2", "points": 70},
                ],
            },
            {
                "id": "health",
                "dimension": "body",
                "input": "health",
                "reason": _reason("B01"),
                "bins": [
                    {"when": "A, B", "points": 10},
                    {"when": "not(A, B), null", "points": 0},
                ],
            },
        ],
    },
    "tables": [
        {
            "id": "risk",
            "output": {"name": "risk_grade", "values": ["A", "B", "C", "D", "E"]},
            "hit_policy": "priority",
            "complete": True,
            "inputs": ["claims", "suspicion", "dimension.body"],
            "rules": [
                {"id": "R1", "when": {"claims": "0"}, "then": "A"},
                {"id": "R2", "when": {"claims": "> 0"}, "then": "B"},
                {"id": "R3", "when": {"suspicion": True}, "then": "E"},
                {"id": "R4", "when": {"dimension.body": "< 500"}, "then": "D"},
                {"id": "R5", "then": "C"},
            ],
        },
        {
            "id": "segment",
            "output": {
                "name": "segment",
                "values": ["high_net_worth", "mid_market", "potential", "base"],
            },
            "complete": True,
            "inputs": ["ratio", "growth"],
            "rules": [
                {"id": "S1", "when": {"ratio": "> 3", "growth": ">= 2"}, "then": "high_net_worth"},
                {"id": "S2", "when": {"ratio": "[1..3]"}, "then": "mid_market"},
                {"id": "S3", "when": {"ratio": "> 3", "growth": "< 2, null"}, "then": "mid_market"},
                {"id": "S4", "when": {"ratio": "< 1, null"}, "then": "base"},
            ],
        },
        {
            "id": "stage",
            "output": {"name": "life_cycle_stage", "values": ["new", "stable", "lapsed"]},
            "hit_policy": "first",
            "complete": True,
            "inputs": ["policies", "since"],
            "rules": [
                {"id": "L1", "when": {"policies": 0}, "then": "lapsed"},
                {"id": "L2", "when": {"since": ">= date(2020-01-01)"}, "then": "new"},
                {"id": "L3", "then": "stable"},
            ],
        },
        {
            "id": "labels",
            "output": {"name": "labels", "values": ["vip_care", "digital", "big"]},
            "hit_policy": "collect",
            "inputs": ["growth", "app_user", "ratio", "cluster"],
            "rules": [
                {"id": "B1", "when": {"app_user": "true"}, "then": "digital"},
                {"id": "B2", "when": {"growth": "> 5"}, "then": "vip_care"},
                {"id": "B3", "when": {"ratio": "> 3", "cluster": "not(c1)"}, "then": "big"},
                {"id": "B4", "when": {"cluster": "c1, c2"}, "then": "vip_care"},
            ],
        },
        {
            "id": "tier",
            "output": {"name": "tier", "values": ["diamond", "gold", "standard"]},
            "hit_policy": "any",
            "complete": True,
            "inputs": ["segment", "score"],
            "rules": [
                {"id": "T1", "when": {"segment": "high_net_worth"}, "then": "diamond"},
                {"id": "T2", "when": {"segment": "mid_market", "score": ">= 500"}, "then": "gold"},
                {"id": "T3", "when": {"segment": "mid_market", "score": "< 500"},
                 "then": "standard"},
                {"id": "T4", "when": {"segment": "not(high_net_worth, mid_market)"},
                 "then": "standard"},
                {"id": "T5", "when": {"segment": "base", "score": "> 900"}, "then": "standard"},
            ],
        },
        {
            "id": "module",
            "output": {"name": "extra_risk_module", "values": ["on"]},
            "inputs": ["occupation", "smoker"],
            "rules": [
                {"id": "M1", "when": {"occupation": "high"}, "then": "on"},
                {"id": "M2", "when": {"occupation": "not(high), null", "smoker": "true"},
                 "then": "on"},
            ],
        },
    ],
    "stability": {
        "downgrade_cooldown_days": 90,
        "downgrade_step": "one",
        "grace_days": 30,
        "min_dwell_days": 30,
    },
    "tests": [
        {
            "in": {"ratio": "3.2", "growth": 2, "policies": 1, "city": "上海", "line": "motor"},
            "expect": {"tier": "diamond", "dimension.loyalty": 429, "labels": []},
        }
    ],
}  # fmt: skip


def sample() -> Raw:
    """Return a fresh copy of the sample document as YAML would give it."""
    return copy.deepcopy(_DOCUMENT)


def facts(**changes: object) -> Raw:
    """Facts that the sample document can be evaluated on: those that are never null, and others."""
    return {"policies": 1, "suspicion": False, **changes}
