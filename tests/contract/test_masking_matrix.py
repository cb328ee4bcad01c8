"""Every customer-data route in every role: status, audit event, and nothing that is withheld."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import resources
from typing import Any, Final, TypeAlias

import pytest
from fastapi.routing import iter_route_contexts
from httpx import Response
from sqlalchemy import text

from app.domain.privacy.actor import Actor
from app.domain.privacy.matrix import parse_matrix
from app.domain.privacy.roles import Relation, Role, Viewer
from app.domain.words import PURPOSES
from app.features.customers.service import profile
from app.infra import classified, rendering
from app.infra.auth.dependencies import Admission
from app.infra.cipher import find_subject_keys
from app.infra.clock import utc_now
from app.infra.database import AsyncSession
from app.infra.logging import JsonFormatter
from app.infra.media_types import CSV, XLSX
from tests.api import Api
from tests.contract.sentinels import (
    CUSTOMER,
    GUARDED,
    MANAGERS,
    NUMBERS,
    OFFICERS,
    OVERRIDES,
    READERS_OF_FREE,
    SEATS,
    SENTINELS,
    SIMULATION,
    STAFF,
    STAND,
    STRANGER,
    guarded_fields,
)
from tests.contract.untold_routes import NOT_ABOUT_CUSTOMERS, SIMULATED

pytestmark = pytest.mark.anyio


#: Route, seat, and what is wrong: a sentinel, the form of a field, or the status.
Fault: TypeAlias = tuple[str, str, object]


@dataclass(frozen=True, slots=True)
class Route:
    """A route about customers, the seats it serves, and the status it serves them with."""

    template: str
    seats: set[str]
    status: int = 200
    body: Any = None
    changes: bool = True
    query: str = ""
    finds_nobody: set[str] = field(default_factory=set)
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Any = None
    unknown_to: set[str] = field(default_factory=set)
    override: str = ""
    #: The decision that was evaluated, with a snapshot, instead of the one that was written.
    evaluated: bool = False

    @property
    def method(self) -> str:
        """The method alone."""
        return self.template.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path, filled in for the customer of the sentinels."""
        path = self.template.partition(" ")[2].replace("{customer_id}", CUSTOMER)
        path = path.replace("{override_id}", OVERRIDES.get(self.override, ""))
        path = path.replace("{rule_set_id}", STAND.rule_set_id)
        path = path.replace("{simulation_id}", str(SIMULATION.id))
        path = path.replace("{sha256}", OVERRIDES.get("sha256", ""))
        decision_id = OVERRIDES.get("decision", "") if self.evaluated else STAND.decision_id
        return path.replace("{decision_id}", str(decision_id)) + self.query

    def expected(self, seat: str) -> int:
        """The status that a seat is answered with."""
        if seat in self.seats:
            return self.status
        if seat in self.unknown_to:
            return 404
        # To a customer another one is not there.
        return 404 if seat == "other customer" and "customer" in self.seats else 403


MATRIX_TEXT: Final = (
    resources.files("app.domain.privacy").joinpath("matrix.toml").read_text("utf-8")
)
READERS: Final = {*STAFF, "customer"}
OVERRIDE_READERS: Final = {*MANAGERS, *OFFICERS, "other manager", "compliance"}
WANTED: Final = {
    "tier": "gold",
    "mode": "floor",
    "reason": "merger",
    "statement": "Nobody is told anything by this.",
    "valid_until": (utc_now() + timedelta(30)).date().isoformat(),
}
#: One override of the customer waits, so that no other can be asked for; of the other request,
#: which was taken back, nothing can be decided any more.
OVERRIDE_ROUTES: Final = (
    Route(
        "POST /v1/overrides",
        {*MANAGERS, "other manager"},
        409,
        body={"customer_id": CUSTOMER, **WANTED},
        headers={"Idempotency-Key": "asked"},
    ),
    Route(
        "POST /v1/overrides/bulk",
        {*MANAGERS, "other manager"},
        409,
        body={"customer_ids": [CUSTOMER], **WANTED},
        headers={"Idempotency-Key": "asked for many"},
    ),
    Route("GET /v1/overrides", OVERRIDE_READERS, finds_nobody={"other manager"}),
    Route(
        "GET /v1/overrides/{override_id}",
        OVERRIDE_READERS - {"other manager"},
        unknown_to={"other manager"},
        override="waiting",
    ),
    Route(
        "GET /v1/overrides/{override_id}/evidence/{sha256}",
        READERS_OF_FREE,
        unknown_to={"other manager"},
        override="waiting",
    ),
    Route(
        "PUT /v1/overrides/{override_id}",
        MANAGERS,
        409,
        body=WANTED,
        headers={"If-Match": "*"},
        unknown_to={"other manager"},
        override="closed",
    ),
    Route(
        "POST /v1/overrides/{override_id}/evidence",
        MANAGERS,
        409,
        files={"file": ("a.txt", b"Nothing in particular.\n", "text/plain")},
        unknown_to={"other manager"},
        override="closed",
    ),
    Route(
        "POST /v1/overrides/{override_id}/approvals",
        OFFICERS,
        409,
        body={"decision": "reject", "statement": WANTED["statement"]},
        override="closed",
    ),
    Route(
        "POST /v1/overrides/{override_id}/withdraw",
        MANAGERS,
        409,
        unknown_to={"other manager"},
        override="closed",
    ),
    Route(
        "POST /v1/overrides/{override_id}/revoke",
        OFFICERS,
        409,
        body={"statement": WANTED["statement"]},
        override="closed",
    ),
)
PROFILE: Final = Route("GET /v1/customers/{customer_id}", READERS)
#: Seats whose calls say what for.
PURPOSEFUL: Final = {name for name, seat in SEATS.items() if seat.headers}
ROUTES: Final = (
    Route(
        "POST /v1/customers/search",
        STAFF & PURPOSEFUL,
        body={"phone": SENTINELS["phone"].text},
        changes=False,
    ),
    Route(
        "POST /v1/customers/search",
        STAFF & PURPOSEFUL,
        body={"id_no": SENTINELS["id_no"].text.lower()},
        changes=False,
    ),
    Route(
        "GET /v1/customers",
        STAFF,
        query=f"?tier={STAND.tier}",
        finds_nobody={"other manager"},
    ),
    *(
        Route(
            "GET /v1/customers",
            STAFF,
            query=f"?tier={STAND.tier}",
            finds_nobody={"other manager"},
            headers={"Accept": kind},
        )
        for kind in (CSV, XLSX)
    ),
    PROFILE,
    Route("GET /v1/customers/{customer_id}/tier", {*READERS, "integration"}),
    Route(
        "POST /v1/tier-lookups",
        # Another customer is answered too: that there is nothing for him.
        {*READERS, "integration", "other customer"},
        body={"customer_ids": [CUSTOMER]},
        changes=False,
    ),
    Route("GET /v1/customers/{customer_id}/tier-history", {*READERS, "integration"}),
    Route("GET /v1/customers/{customer_id}/tier/explanation", {*READERS, "integration"}),
    Route(
        "GET /v1/customers/{customer_id}/benefits",
        {"customer", "agent", "agent with a purpose", "other manager", *MANAGERS},
    ),
    Route("GET /v1/decisions/{decision_id}", {*MANAGERS, *OFFICERS, "other manager"}),
    Route(
        "GET /v1/decisions/{decision_id}/trace",
        {*MANAGERS, *OFFICERS, "other manager"},
        evaluated=True,
    ),
    # The stand of the sentinels has no snapshot that could be replayed.
    Route("POST /v1/decisions/{decision_id}/replay", {*MANAGERS, *OFFICERS, "other manager"}, 409),
    Route(
        "POST /v1/customers/{customer_id}/verifications",
        {"agent", "agent with a purpose", "other manager", *MANAGERS},
        body={"field": "id_no", "value": SENTINELS["id_no"].text},
        changes=False,
    ),
    Route("GET /v1/customers/{customer_id}/consents", READERS),
    Route(
        "PUT /v1/customers/{customer_id}/consents",
        {"integration"},
        body={"items": [{"purpose": purpose, "given_on": "2020-01-01"} for purpose in PURPOSES]},
    ),
    # There is nobody to merge into, so that the sentinels stay who they are.
    Route("POST /v1/customers/{customer_id}/merge", {"integration"}, 404, body={"into": "NOBODY"}),
    Route(
        "PUT /v1/customers/{customer_id}",
        {"integration"},
        body={"kind": "individual", "name": SENTINELS["name"].text},
    ),
    Route(
        "POST /v1/customers/{customer_id}/evaluations",
        {*MANAGERS, *OFFICERS, "other manager"},
        201,
    ),
    *OVERRIDE_ROUTES,
    *(
        Route(f"GET {SIMULATED}/movers", {*OFFICERS, "compliance"}, headers={"Accept": kind})
        for kind in ("application/json", CSV, XLSX)
    ),
)
#: Reads that name their customer in the path.
OF_ONE_CUSTOMER: Final = [
    route for route in ROUTES if route.method == "GET" and "customer" in route.seats
]
#: Routes that serve whoever is shown anything of customers, so that there is nobody to let in.
SERVE_ALL: Final = {
    "GET /v1/customers/{customer_id}/tier",
    "POST /v1/tier-lookups",
    "GET /v1/customers/{customer_id}/tier-history",
    "GET /v1/customers/{customer_id}/tier/explanation",
}


@pytest.fixture
def stock(sentinels: str) -> str:
    """The customer whose every value is unique."""
    return sentinels


async def call(api: Api, route: Route, seat: str) -> Response:
    """One call from one seat."""
    held = SEATS[seat]
    return await api.call(
        route.method,
        route.path,
        held.caller,
        headers={**held.headers, **route.headers},
        **({"json": route.body} if route.files is None else {"files": route.files}),
    )


def contents(answer: Response) -> bytes:
    """The body as who opens it reads it: a workbook unpacked, with all its parts."""
    if answer.headers.get("content-type") != XLSX:
        return answer.content
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        parts = [name.encode() + b"\n" + package.read(name) for name in package.namelist()]
    return b"\n".join(parts)


def leaks(answer: Response, seat: str) -> list[str]:
    """The sentinels that a seat may not see and that are somewhere in the answer."""
    body = contents(answer)
    told = body + b"\n".join(part for pair in answer.headers.raw for part in pair)
    numbers = (
        name for name, number in NUMBERS.items() if seat not in number.seats and number.is_in(body)
    )
    return [
        *(
            name
            for name, sentinel in SENTINELS.items()
            if seat not in sentinel.seats and sentinel.is_in(told)
        ),
        *numbers,
    ]


def misshown(answer: Response, seat: str) -> list[str]:
    """The guarded fields that are shown in another form than the seat may see, or not listed."""
    return [
        f"form of {name}"
        for name, shown, listed in guarded_fields(body_of(answer))
        if not GUARDED[name].is_kept(seat, shown, listed)
    ]


def body_of(answer: Response) -> Any:  # noqa: ANN401 - any JSON there is.
    """What is answered; nothing where the answer is a problem or a file."""
    is_json = answer.headers.get("content-type") == "application/json"
    return answer.json() if is_json and answer.status_code in {200, 201} else None


async def faults(api: Api, route: Route, seat: str) -> tuple[Response, list[Fault]]:
    """One call from one seat, and everything about the answer that must not be."""
    answer = await call(api, route, seat)
    found: list[object] = [*leaks(answer, seat), *misshown(answer, seat)]
    if answer.status_code != route.expected(seat):
        found.append(answer.status_code)
    return answer, [(route.template, seat, fault) for fault in found]


async def events(session: AsyncSession, before: int = 0) -> list[dict[str, Any]]:
    """The audit events but those that were there before, in the order they were written."""
    query = text("SELECT * FROM audit_events ORDER BY at, seq OFFSET :before")
    return [dict(row) for row in (await session.execute(query, {"before": before})).mappings()]


async def test_the_matrix_knows_every_route_of_the_application(api: Api) -> None:
    served = {
        f"{method} {route.path}"
        for route in iter_route_contexts(api.app.routes)
        for method in route.methods or set()
    }
    assert served <= {route.template for route in ROUTES} | NOT_ABOUT_CUSTOMERS
    assert {route.template for route in ROUTES} <= served


async def test_no_role_is_told_on_any_route_what_is_withheld_from_it(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    shown: dict[str, set[str]] = {name: set() for name in (*SENTINELS, *NUMBERS)}
    named: dict[str, set[str]] = {name: set() for name in GUARDED}
    found: list[Fault] = []
    caplog.set_level(logging.DEBUG)
    for route in ROUTES:
        for seat in SEATS:
            answer, wrong = await faults(api, route, seat)
            found += wrong
            body = contents(answer)
            for name, sentinel in SENTINELS.items():
                if sentinel.text.encode() in body:
                    shown[name].add(seat)
            for name, number in NUMBERS.items():
                if number.is_in(body):
                    shown[name].add(seat)
            for name, *_ in guarded_fields(body_of(answer)):
                named[name].add(seat)
    assert found == []
    # The control: who is entitled does see it, so the values are there and the search finds them.
    entitled = {name: sentinel.seats for name, sentinel in SENTINELS.items()}
    entitled |= {name: number.seats for name, number in NUMBERS.items()}
    assert shown == entitled
    assert {name: seats for name, seats in named.items() if not seats & OFFICERS} == {}
    logged = caplog.text + "\n".join(map(JsonFormatter().format, caplog.records))
    assert [name for name, sentinel in SENTINELS.items() if sentinel.is_in(logged.encode())] == []


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        (
            'risk = "withheld"',
            {
                *("occupation", "claims paid", "last claim", "driving_score"),
                *(f"form of {name}" for name in ("occupation_risk", "driving_score")),
                *(f"form of {name}" for name in ("risk_grade", "claims", "open_claims")),
            },
        ),
        ('"c2.id_no" = "withheld"', {"id_no"}),
        ('value = "band"', {"premium"}),
        (
            '"s.income" = "withheld"',
            {
                *("income", "assets", "credit_score"),
                *(f"form of {name}" for name in ("credit_score", "career_stage", "family_stage")),
            },
        ),
        (
            '"s.health" = "withheld"',
            {
                "health_habit_score",
                *(f"form of {name}" for name in ("health_grade", "health_habit_score")),
                *(f"form of {name}" for name in ("smoker", "heavy_drinker")),
            },
        ),
        ('"s.fraud" = "withheld"', {"form of fraud_suspicion"}),
    ],
)
async def test_one_cell_too_open_in_the_role_table_is_seen(
    api: Api, monkeypatch: pytest.MonkeyPatch, cell: str, names: set[str]
) -> None:
    head, column, rest = MATRIX_TEXT.partition('role = "agent"')
    opened = head + column + rest.replace(cell, f'{cell.partition(" = ")[0]} = "clear"', 1)
    matrix = parse_matrix(opened)
    for module in (classified, profile, rendering):
        monkeypatch.setattr(module, "MATRIX", matrix)
    rendering.forget_plans()
    try:
        _, found = await faults(api, PROFILE, "agent")
        assert {fault for _, _, fault in found} == names
    finally:
        rendering.forget_plans()


@pytest.mark.parametrize("kind", [CSV, XLSX])
async def test_the_search_finds_in_a_file_what_is_in_it(api: Api, kind: str) -> None:
    (route,) = (
        route
        for route in ROUTES
        if (route.template, route.headers) == ("GET /v1/customers", {"Accept": kind})
    )
    answer = await call(api, route, "manager")
    found = {name for name, one in SENTINELS.items() if one.text.encode() in contents(answer)}
    assert found == {"account_manager", "label", "segment", "stage"}
    assert set(leaks(answer, "integration")) == found
    assert leaks(answer, "manager") == []


async def test_a_caller_who_passes_for_the_owner_is_seen(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def viewer_of(actor: Actor, _customer_id: str, _manager: str | None = None) -> Viewer:
        is_customer = actor.role is Role.CUSTOMER
        relation = Relation.SELF if is_customer else Relation.OWN
        return replace(actor.viewer(), relation=relation)

    monkeypatch.setattr(Actor, "viewer_of", viewer_of)
    # By both ways: the second time the token is known, and the hot read answers.
    for _ in range(2):
        for seat, names in (
            ("other manager", {"name", "phone", "email", "birth_date", "premium"}),
            ("other customer", {"name", "birth_date", "income", "assets", "premium", 200}),
        ):
            _, found = await faults(api, PROFILE, seat)
            assert {(PROFILE.template, seat, name) for name in names} <= set(found)
    for route in OF_ONE_CUSTOMER:
        _, found = await faults(api, route, "other customer")
        assert (route.template, "other customer", 200) in found


async def test_a_route_that_lets_every_role_in_is_seen(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Admission, "require", lambda _admission, _actor: None)
    # Roles that are shown something of customers elsewhere; of the others the role table says that
    # they are shown nothing, which holds on every route by itself.
    seats = ("integration", "agent", "risk officer")
    seen: set[str] = set()
    for route in ROUTES:
        for seat in seats:
            if route.expected(seat) == 403:
                answer, found = await faults(api, route, seat)
                if (route.template, seat, answer.status_code) in found:
                    seen.add(route.template)
    assert {route.template for route in ROUTES} - seen == SERVE_ALL


async def test_what_nobody_is_shown_is_stored_all_the_same(api: Api, session: AsyncSession) -> None:
    query = text("SELECT id_no_cipher FROM customers WHERE customer_id = :id")
    sealed = await session.scalar(query, {"id": CUSTOMER})
    vault = api.app.state.vault
    key = (await find_subject_keys(session, vault, [CUSTOMER]))[CUSTOMER]
    opened = vault.decrypt(key, "customers", "id_no_cipher", CUSTOMER, sealed)
    assert opened.decode() == SENTINELS["id_no"].text


async def test_every_answer_and_every_denial_leaves_exactly_one_event(
    api: Api, session: AsyncSession
) -> None:
    before = len(await events(session))
    for route in ROUTES:
        for seat, held in SEATS.items():
            answer = await call(api, route, seat)
            written = await events(session, before)
            before += len(written)
            place = (route.template, seat)
            assert len(written) == 1, place
            (event,) = written
            served = answer.status_code in {200, 201}
            changed = served and route.changes and route.method in {"PUT", "POST"}
            assert (event["route"], event["role"], event["status"]) == (
                route.template,
                held.caller.role.value,
                answer.status_code,
            ), place
            assert event["purpose"] == held.headers.get("X-Purpose"), place
            outcome = ("changed" if changed else "answered") if served else "denied"
            assert event["outcome"] == outcome, place
            if "{customer_id}" in route.template or served:
                subjects = [] if seat in route.finds_nobody else [CUSTOMER]
                assert event["subjects"] == subjects, place
            assert (event["body_hmac"] is not None) is served, place
            assert "SENTINEL" not in event["actor_digest"], place


async def test_a_caller_without_a_token_leaves_no_event(api: Api, session: AsyncSession) -> None:
    before = await events(session)
    for route in ROUTES:
        assert (await api.call(route.method, route.path, json=route.body)).status_code == 401
    assert await events(session) == before


async def test_no_event_holds_a_value(api: Api, session: AsyncSession) -> None:
    for route in ROUTES:
        for seat in SEATS:
            await call(api, route, seat)
    told = str(await events(session)).encode()
    hidden = {name: found for name, found in SENTINELS.items() if name != "account_manager"}
    assert [name for name, sentinel in hidden.items() if sentinel.is_in(told)] == []


@pytest.mark.parametrize("route", OF_ONE_CUSTOMER)
async def test_a_missing_and_a_foreign_customer_are_the_same_bytes(api: Api, route: Route) -> None:
    headers = {"X-Request-Id": "the-same-request"}
    seat = SEATS["other customer"].caller
    foreign = await api.get(route.path, seat, headers=headers)
    missing = await api.get(route.path.replace(CUSTOMER, "NOBODY"), seat, headers=headers)
    assert (foreign.status_code, foreign.content, foreign.headers) == (
        404,
        missing.content,
        missing.headers,
    )
    assert STRANGER.encode() not in foreign.content
