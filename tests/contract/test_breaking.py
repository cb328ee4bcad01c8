"""Clients of the last released description go on working; every kind of break is seen once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contract.breaking import breaks
from tests.described import said_by
from tests.paths import ROOT

RELEASED: Final = ROOT / "openapi" / "released.json"
COMMITTED: Final = ROOT / "openapi" / "openapi.json"
TIER: Final = "/v1/customers/{customer_id}/tier"
HISTORY: Final = "/v1/customers/{customer_id}/tier-history"
CUSTOMER: Final = "/v1/customers/{customer_id}"
BENEFITS: Final = "/v1/customers/{customer_id}/benefits"

Document = dict[str, Any]


def read(path: Path) -> Document:
    found: Document = json.loads(path.read_text(encoding="utf-8"))
    return found


def get(document: Document, path: str, method: str = "get") -> Document:
    """An operation as if it shared nothing, so that a change of it is one of no other."""
    methods = document["paths"][path]
    found: Document = said_by(document, methods[method])
    methods[method] = found
    return found


def schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def limit(document: Document) -> Document:
    (found,) = [one for one in get(document, HISTORY)["parameters"] if one["name"] == "limit"]
    return dict.__getitem__(found, "schema")


def test_clients_of_the_released_description_go_on_working() -> None:
    found = breaks(read(RELEASED), read(COMMITTED))
    assert found == [], "CONTRIBUTING.md says what to do about a break"


BREAKS: Final[dict[str, Callable[[Document], Any]]] = {
    "operation removed": lambda d: d["paths"].pop(TIER),
    "operationId changed": lambda d: get(d, TIER).update(operationId="find_tier"),
    "may no longer call": lambda d: get(d, TIER)["x-roles"].remove("agent"),
    "a token is needed now": lambda d: get(d, "/livez").update({"x-roles": ["admin"]}),
    "parameter cursor removed": lambda d: get(d, HISTORY)["parameters"].pop(2),
    "parameter limit became required": lambda d: get(d, HISTORY)["parameters"][1].update(
        required=True
    ),
    "parameter since is new and required": lambda d: get(d, HISTORY)["parameters"].append(
        {"name": "since", "in": "query", "required": True, "schema": {"type": "string"}}
    ),
    "limit: maximum lowered": lambda d: limit(d).update(maximum=100),
    "limit: minimum raised": lambda d: limit(d).update(minimum=2),
    "limit: type changed": lambda d: limit(d).update(type="string"),
    "customer_id: pattern changed": lambda d: get(d, TIER)["parameters"][0]["schema"].update(
        pattern="^C[0-9]+$"
    ),
    "customer_id: maxLength lowered": lambda d: get(d, TIER)["parameters"][0]["schema"].update(
        maxLength=8
    ),
    "body.kind: fewer words allowed": lambda d: schema(d, "CustomerWrite")["properties"]["kind"][
        "enum"
    ].remove("corporate"),
    "body.city: required now": lambda d: schema(d, "CustomerWrite")["required"].append("city"),
    "body.city: removed": lambda d: schema(d, "CustomerWrite")["properties"].pop("city"),
    "body.city: an alternative changed": lambda d: schema(d, "CustomerWrite")["properties"]["city"][
        "anyOf"
    ].pop(),
    "a body became required": lambda d: get(d, f"{CUSTOMER}/evaluations", "post")[
        "requestBody"
    ].update(required=True),
    "body: application/json removed": lambda d: get(d, CUSTOMER, "put")["requestBody"][
        "content"
    ].pop("application/json"),
    "200.tier: removed": lambda d: schema(d, "TierRead")["properties"].pop("tier"),
    "200.tier: type changed": lambda d: schema(d, "TierRead")["properties"]["tier"].update(
        type="integer"
    ),
    "200.tier: no longer always there": lambda d: schema(d, "TierRead")["required"].remove("tier"),
    "200.status: more words answered": lambda d: schema(d, "Readiness")["properties"]["status"][
        "enum"
    ].append("starting"),
    "an alternative changed": lambda d: schema(d, "TierRead")["properties"]["since"].update(
        anyOf=[{"type": "string"}, {"type": "null"}]
    ),
    "status 409 removed": lambda d: get(d, TIER)["responses"].pop("409"),
    "status 202 is a new way to succeed": lambda d: get(d, TIER)["responses"].update(
        {"202": {"description": "later"}}
    ),
    "header ETag removed": lambda d: get(d, TIER)["responses"]["200"]["headers"].pop("ETag"),
    "problems ['not-evaluated'] removed": lambda d: get(d, TIER)["responses"]["409"]["content"][
        "application/problem+json"
    ]["examples"].pop("not-evaluated"),
}


@pytest.mark.parametrize("told", BREAKS)
def test_every_kind_of_break_is_found(told: str) -> None:
    old, new = read(COMMITTED), read(COMMITTED)
    BREAKS[told](new)
    found = breaks(old, new)
    assert any(told in one for one in found), found


def shared(document: Document, section: str, name: str) -> Document:
    """A part that several operations refer to."""
    found: Document = document["components"][section][name]
    return found


#: Breaks of what several operations share: what is changed, and what is told of each.
OF_SHARED: Final[dict[str, Callable[[Document], Any]]] = {
    "409: problems ['not-evaluated'] removed": lambda d: shared(d, "responses", "not-evaluated")[
        "content"
    ]["application/problem+json"]["examples"].clear(),
    "status 409: header X-Request-Id removed": lambda d: shared(d, "responses", "not-evaluated")[
        "headers"
    ].pop("X-Request-Id"),
    "409: application/problem+json removed": lambda d: shared(d, "responses", "not-evaluated")[
        "content"
    ].clear(),
    "customer_id: maxLength lowered": lambda d: shared(d, "parameters", "path.customer_id")[
        "schema"
    ].update(maxLength=8),
}


@pytest.mark.parametrize("told", OF_SHARED)
def test_a_break_of_what_operations_share_is_one_of_each(told: str) -> None:
    old, new = read(COMMITTED), read(COMMITTED)
    OF_SHARED[told](new)
    found = breaks(old, new)
    assert {f"GET {path}: {told}" for path in (TIER, BENEFITS)} <= set(found), found


HARMLESS: Final[dict[str, Callable[[Document], Any]]] = {
    "nothing": lambda _: None,
    "an operation more": lambda d: d["paths"].update({"/v1/x": d["paths"][TIER]}),
    "a role more": lambda d: get(d, TIER)["x-roles"].append("analyst"),
    "an optional parameter more": lambda d: get(d, TIER)["parameters"].append(
        {"name": "since", "in": "query", "required": False, "schema": {"type": "string"}}
    ),
    "a wider bound": lambda d: limit(d).update(maximum=500),
    "an optional field more": lambda d: schema(d, "CustomerWrite")["properties"].update(
        nickname={"type": "string"}
    ),
    "a word more to send": lambda d: schema(d, "CustomerWrite")["properties"]["kind"][
        "enum"
    ].append("public"),
    "a field more answered": lambda d: schema(d, "TierRead")["properties"].update(
        motto={"type": "string"}
    ),
    "a promise more": lambda d: schema(d, "TierRead").update(
        required=sorted(schema(d, "TierRead")["properties"])
    ),
    "a word less answered": lambda d: schema(d, "Readiness")["properties"]["status"]["enum"].pop(),
    "a problem more": lambda d: get(d, TIER)["responses"].update(
        {"410": get(d, TIER)["responses"]["503"]}
    ),
    "a condition to ask on": lambda d: get(d, "/v1/jobs/{job_id}")["responses"].update(
        {"304": get(d, TIER)["responses"]["304"]}
    ),
    "another text": lambda d: get(d, TIER).update(summary="Which tier?"),
}


@pytest.mark.parametrize("change", HARMLESS)
def test_what_harms_nobody_is_let_through(change: str) -> None:
    old, new = read(COMMITTED), read(COMMITTED)
    HARMLESS[change](new)
    assert breaks(old, new) == []
