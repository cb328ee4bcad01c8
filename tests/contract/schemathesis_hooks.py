"""What a schemathesis run is told of the service: a token for each call, ids that exist.

Which roles may call is read from the description (`x-roles`), so that a new route needs nothing
here; one call in eight is made in a role that may not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import count
from typing import Any, Final

import schemathesis
from hypothesis import strategies as st

from tests.contract.known import COLLEAGUE, day_ahead
from tests.described import said_by
from tests.paths import ROOT

TOKENS: Final[dict[str, str]] = json.loads(os.environ.get("TIERING_CONTRACT_TOKENS", "{}"))
WRONG_ONE_IN: Final = 8
IDS: Final[dict[str, list[str]]] = json.loads(os.environ.get("TIERING_CONTRACT_IDS", "{}"))
#: What is changed only by who says which version he has read.
CONDITIONAL: Final = ("PUT", "/v1/overrides/{override_id}")
DRAFT: Final = "/v1/rule-sets/{rule_set_id}/draft"
PUBLISH: Final = "/v1/rule-sets/{rule_set_id}/publish"
SIMULATIONS: Final = "/v1/rule-sets/{rule_set_id}/simulations"
#: The rule set whose simulations are there, and an objective of all.
SIMULATED: Final = "motor"
OBJECTIVES: Final = ["renewal"]
EVIDENCE: Final = "/v1/overrides/{override_id}/evidence"
CHANGES: Final = "/v1/rule-sets/{rule_set_id}/versions/{version}/changes"
CONSENTS: Final = "/v1/customers/{customer_id}/consents"

_turn = count(1)
#: Rule sets of which a draft was opened in the run.
_opened: list[str] = []


def role_for(operation: dict[str, Any], asked: object, turn: int) -> str:
    """The role of the token of one call: the one it asks to act in, else one that may call."""
    may: list[str] = list(operation["x-roles"])
    if isinstance(asked, str) and asked in TOKENS:
        return asked
    if turn % WRONG_ONE_IN == 0:
        may = [role for role in TOKENS if role not in may] or may
    return may[turn % len(may)]


@schemathesis.auth(refresh_interval=None)
class TokenOfARole:
    """Puts a token on each call."""

    def get(self, case: schemathesis.Case[Any], context: schemathesis.AuthContext) -> str | None:
        """The token, None where the description asks for none."""
        operation = context.operation.definition.raw
        if "x-roles" not in operation:
            return None
        asked = next(
            (value for name, value in case.headers.items() if name.lower() == "x-act-role"), None
        )
        return TOKENS[role_for(operation, asked, next(_turn))]

    def set(
        self,
        case: schemathesis.Case[Any],
        data: str | None,
        context: schemathesis.AuthContext,  # noqa: ARG002 - given by the library.
    ) -> None:
        """Into the header."""
        if data is not None:
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext,  # noqa: ARG001 - given by the library.
    case: schemathesis.Case[Any],
    kwargs: dict[str, Any],
) -> None:
    """Let a call that shall be served keep to what no description can say.

    Nobody can guess a cursor or a version's tag; a consent ends after it began.
    """
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.query:
        case.query = {name: value for name, value in case.query.items() if name != "cursor"}
    for name in [name for name in case.headers if name.lower() == "if-match"]:
        del case.headers[name]
    if (case.method, case.path) == CONDITIONAL:
        case.headers["If-Match"] = "*"
    body: Any = case.body
    if case.path == CONSENTS and isinstance(body, dict):
        case.body = body | {"items": list(consistent(body["items"]))}
    if case.path.startswith("/v1/override"):
        make_possible(case, kwargs)
    if case.path.startswith("/v1/rule-sets"):
        make_sensible(case)


def make_possible(case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Let a call about overrides be one that somebody makes who knows of them.

    What waits is soon decided on, so that it is not left to chance whether it is met.
    """
    turn = next(_turn)
    for name in case.path_parameters or ():
        case.path_parameters[name] = known(name, turn)
    for name in [name for name in case.headers if name.lower() == "idempotency-key"]:
        case.headers[name] = f"{case.headers[name][:200]} {turn}"
    if case.path == EVIDENCE:
        # Nobody makes a file of a kind by chance.
        kwargs["files"] = {"file": ("a.txt", f"Evidence {turn}.\n", "text/plain")}
    body: Any = case.body
    if isinstance(body, dict):
        possible = {name: of(turn) for name, of in _POSSIBLE.items() if name in body}
        case.body = body | possible


def make_sensible(case: schemathesis.Case[Any]) -> None:
    """Let a call about rule sets say what somebody would who knows of them."""
    turn = next(_turn)
    for name in [name for name in case.headers if name.lower() == "idempotency-key"]:
        case.headers[name] = f"{case.headers[name][:200]} {turn}"
    if case.path == CHANGES:
        # Before the first version, which all rule sets have, there is none to compare it with.
        case.query = {"since": 1}
    elif case.path == DRAFT:
        edit_sensibly(case, turn)
    elif case.path.startswith(f"{SIMULATIONS}/"):
        look_at_a_simulation(case, turn)
    elif case.path == PUBLISH:
        case.path_parameters["rule_set_id"] = known("rule_set_id", turn)
        case.body = {"version": 1, "valid_from": day_ahead(50), "pia_ref": "PIA-1"}
    elif case.method == "POST" and case.path == "/v1/rule-sets":
        _opened.append(f"swept-{turn}")
        case.body = {"id": _opened[-1], "from": {"template": "motor"}}
    else:
        say_what_is_there(case)


def edit_sensibly(case: schemathesis.Case[Any], turn: int) -> None:
    """Edit a draft that is open, and discard one that the run has opened."""
    case.headers["If-Match"] = "*"
    own_id = case.path_parameters["rule_set_id"] = known("rule_set_id", turn)
    if case.method == "PUT":
        case.body = {"format": "tiering/1", "id": own_id, "extends": f"{own_id}@1"}
    if case.method == "DELETE" and _opened:
        # Who discarded the others would leave nothing to edit.
        case.path_parameters["rule_set_id"] = _opened.pop()


def look_at_a_simulation(case: schemathesis.Case[Any], turn: int) -> None:
    """Name a simulation that is there, by the rule set it is of."""
    case.path_parameters["rule_set_id"] = SIMULATED
    case.path_parameters["simulation_id"] = known("simulation_id", turn)
    if case.path.endswith("/comparison"):
        case.query = {"with": known("simulation_id", turn + 1)}


def say_what_is_there(case: schemathesis.Case[Any]) -> None:
    """Name a day to come, and an objective that the rule sets have."""
    body: Any = case.body
    if isinstance(body, dict):
        sent = {"valid_to": day_ahead(60), "objectives": OBJECTIVES}
        case.body = body | {name: value for name, value in sent.items() if name in body}


#: What somebody who asks for an override knows: days to come, customers, a colleague.
_POSSIBLE: Final[Mapping[str, Callable[[int], object]]] = {
    "valid_from": lambda _turn: day_ahead(50),
    "valid_to": lambda _turn: day_ahead(60),
    "valid_until": lambda _turn: day_ahead(90),
    "delegate": lambda _turn: COLLEAGUE,
    "customer_id": lambda turn: known("customer_id", turn),
    # Two could be one by now, who was merged into the other.
    "customer_ids": lambda turn: [known("customer_id", turn)],
}


def known(name: str, turn: int) -> str:
    """An id that there is; those of one turn belong together."""
    return IDS[name][turn % len(IDS[name])]


def consistent(consents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The consents, each once, and with its two days in their order."""
    seen = set()
    for one in consents:
        days = sorted(filter(None, (one["given_on"], one.get("withdrawn_on"))))
        ordered = one | dict(zip(("given_on", "withdrawn_on"), days, strict=False))
        if (key := (ordered["purpose"], ordered["given_on"])) not in seen:
            seen.add(key)
            yield ordered


@schemathesis.check
def problem_is_listed(
    ctx: schemathesis.CheckContext,  # noqa: ARG001 - given by the library.
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    """An answered problem is one of those that the description lists for the status."""
    if not response.headers.get("content-type", [""])[0].startswith("application/problem+json"):
        return
    told = str(response.json()["type"]).removeprefix("/problems/")
    status = str(response.status_code)
    described = case.operation.schema.raw_schema
    listed = said_by(described, case.operation.definition.raw["responses"].get(status))
    # A method that is not there belongs to no operation.
    if status == "405" or listed is None:
        return
    known = listed["content"]["application/problem+json"]["examples"]
    assert told in known, f"name {told!r} in problem_responses() of {case.operation.label}"


#: Mappings of files that somebody has.
_MAPPINGS: Final = [
    *(file.read_text("utf-8") for file in sorted((ROOT / "examples").rglob("mapping*.yaml"))),
]
schemathesis.openapi.format("tiering-mapping", st.sampled_from(_MAPPINGS))

#: Days as callers mean them: none before records begin, none to come.
schemathesis.openapi.format(
    "date", st.dates(date(1900, 1, 1), date(2026, 10, 31)).map(date.isoformat)
)
