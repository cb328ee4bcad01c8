"""What an onlooker finds in the database after each step, judged by rules of his own.

He shares no code with the service: who may turn a key, which step leads where and what an override
makes of a tier is said here once more, as naively as can be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import text

from app.domain.privacy.roles import Role
from tests.features.overrides.office import CUSTOMERS, DEPARTMENTS, Office

Row: TypeAlias = dict[str, Any]

LADDER: Final = ("standard", "gold", "diamond")
#: The event of a step, by what an override became and why.
KINDS: Final = {
    "rejected": "override-rejected",
    "withdrawn": "override-withdrawn",
    "expired": "override-expired",
    "validity": "override-ended",
    "revoked": "override-revoked",
}
QUERIES: Final = {
    "overrides": """
        SELECT o.id::text, o.request_id::text AS request, o.customer_id, o.version, o.tier, o.mode,
            o.valid_until, o.state, o.closed_because, o.reminded_at, o.activated_at,
            to_jsonb(o) - 'reminded_at' AS whole, asker.subject AS asker
        FROM overrides o JOIN override_requests r ON r.id = o.request_id
        JOIN actors asker ON asker.actor_digest = r.requested_by""",
    "requests": "SELECT id::text, version, reminded_at FROM override_requests",
    "approvals": """
        SELECT a.id::text, a.request_id::text AS request, a.version, a.digest, a.department,
            a.decision, a.voided_at, officer.subject AS officer, absent.subject AS absent,
            a.delegation_id::text AS delegation, EXISTS (
                SELECT FROM override_reads r WHERE r.request_id = a.request_id
                    AND r.digest = a.digest AND r.reader = a.approver AND r.read_at <= a.decided_at
            ) AS was_read
        FROM override_approvals a JOIN actors officer ON officer.actor_digest = a.approver
        LEFT JOIN actors absent ON absent.actor_digest = a.on_behalf_of""",
    "delegations": """
        SELECT d.id::text, d.department, d.valid_from, d.valid_to, d.ended_at,
            absent.subject AS absent, acting.subject AS acting
        FROM override_delegations d JOIN actors absent ON absent.actor_digest = d.delegator
        JOIN actors acting ON acting.actor_digest = d.delegate""",
    "events": """
        SELECT id::text, kind, coalesce(payload->>'request_id', payload->>'delegation_id') AS about
        FROM outbox_events""",
    "states": "SELECT customer_id AS id, tier FROM scoring_states",
}


@dataclass(frozen=True, slots=True)
class Sight:
    """All tables at one moment, by name and id."""

    tables: Mapping[str, Mapping[str, Row]] = field(
        default_factory=lambda: {name: {} for name in QUERIES}
    )

    def rows(self, table: str) -> Iterable[Row]:
        """The rows of a table."""
        return self.tables[table].values()

    def of(self, table: str, id_: str) -> Row:
        """A row as it was, with nothing in it if it was not there."""
        return self.tables[table].get(id_, {})


async def look(office: Office) -> Sight:
    """Look at the database, all of whose rules have to hold now and not only at the end."""
    tables: dict[str, dict[str, Row]] = {}
    async with office.database.sessions.begin() as session:
        await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        for name, query in QUERIES.items():
            found = (await session.execute(text(query))).mappings()
            tables[name] = {row["id"]: dict(row) for row in found}
        await session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    return Sight(tables)


def check(office: Office, before: Sight, now: Sight) -> None:
    """See to it that nothing is as it must not be."""
    for override in now.rows("overrides"):
        was = before.of("overrides", override["id"]).get("state")
        if override["state"] == "active":
            keys = _keys(now, override)
            check_keys(office, override, keys)
            if was != "active":
                check_execution(office, override, keys)
        if was in {"rejected", "withdrawn", "expired", "ended", "revoked"}:
            assert override["whole"] == before.of("overrides", override["id"])["whole"]
        assert (was, override["state"]) in STEPS
    for state in ("requested", "active"):
        counted = Counter(
            row["customer_id"] for row in now.rows("overrides") if row["state"] == state
        )
        assert max(counted.values(), default=0) <= 1, (state, counted)
    check_turned(office, before, now)
    events = [row for row in now.rows("events") if not before.of("events", row["id"])]
    assert Counter((row["kind"], row["about"]) for row in events) == expected_events(before, now)


EXECUTION: Final = ("requested", "active")
#: What an override may be after one step, by what it was; nothing else changes.
STEPS: Final = {
    (None, "requested"),
    *(("requested", to) for to in ("requested", "active", "rejected", "withdrawn", "expired")),
    *(("active", to) for to in ("active", "ended", "revoked")),
    *((state, state) for state in ("rejected", "withdrawn", "expired", "ended", "revoked")),
}


def _keys(now: Sight, override: Row) -> list[Row]:
    """The approvals that count for an override."""
    return [
        row
        for row in now.rows("approvals")
        if row["request"] == override["request"]
        and row["version"] == override["version"]
        and row["voided_at"] is None
    ]


def check_keys(office: Office, override: Row, keys: list[Row]) -> None:
    """Two keys, of two departments, turned by different people for exactly this content."""
    said = office.versions[override["request"], override["version"]]
    assert (override["tier"], override["mode"], override["valid_until"]) == (
        *(said.tier, said.mode, said.until),
    )
    assert sorted(key["department"] for key in keys) == ["business", "risk"]
    people = [key[part] for key in keys for part in ("officer", "absent") if key[part]]
    assert len(set(people)) == len(people)
    assert said.asker == override["asker"]
    assert said.asker not in people
    for key in keys:
        assert (key["decision"], key["digest"], key["was_read"]) == ("approve", said.digest, True)
        assert said.digest in office.has_read[key["officer"]], "nobody showed it to him"


def check_execution(office: Office, override: Row, keys: list[Row]) -> None:
    """When it began to serve, everybody still was who he has to be."""
    said = office.versions[override["request"], override["version"]]
    manager = office.account_managers[override["customer_id"]]
    assert office.today < said.until
    assert (office.now - said.asked_at).total_seconds() < 72 * 3600
    for key in keys:
        for person in filter(None, (key["officer"], key["absent"])):
            assert person != manager
            roles = set(office.shown[person].roles)
            assert roles & set(DEPARTMENTS.values()) == {DEPARTMENTS[key["department"]]}


def check_turned(office: Office, before: Sight, now: Sight) -> None:
    """Whoever has just turned a key for somebody had his delegation; and he was not away."""
    for key in now.rows("approvals"):
        if before.of("approvals", key["id"]):
            continue
        away = {
            row["absent"]
            for row in now.rows("delegations")
            if row["ended_at"] is None and row["valid_from"] <= office.today < row["valid_to"]
        }
        assert key["officer"] not in away
        if key["delegation"] is not None:
            delegation = now.of("delegations", key["delegation"])
            assert (delegation["absent"], delegation["acting"]) == (key["absent"], key["officer"])
            assert key["absent"] in away
        assert (key["delegation"] is None) == (key["absent"] is None)


def expected_events(before: Sight, now: Sight) -> Counter[tuple[str, str]]:
    """What a step has to tell, by what it changed: one event of a kind for each request."""
    changed = [
        (before.of("overrides", row["id"]), row)
        for row in now.rows("overrides")
        if before.of("overrides", row["id"])
    ]
    executed = {row["request"] for was, row in changed if (was["state"], row["state"]) == EXECUTION}
    told = {("override-activated", request) for request in executed}
    for was, row in changed:
        if was["state"] != row["state"] and row["closed_because"] in KINDS:
            told.add((KINDS[row["closed_because"]], row["request"]))
        if was["state"] != row["state"] and row["closed_because"] == "superseded":
            told.add(("override-superseded", row["request"]))
        if was["reminded_at"] != row["reminded_at"]:
            told.add(("override-ending", row["request"]))
    told |= _told_of_requests(before, now)
    told |= _told_of_keys(before, now, executed)
    return Counter(told)


def _told_of_requests(before: Sight, now: Sight) -> set[tuple[str, str]]:
    told: set[tuple[str, str]] = set()
    for row in now.rows("requests"):
        was = before.of("requests", row["id"])
        if not was:
            told.add(("override-requested", row["id"]))
            continue
        if was["version"] != row["version"]:
            told.add(("override-revised", row["id"]))
        if was["reminded_at"] != row["reminded_at"]:
            told.add(("override-reminder", row["id"]))
    return told


def _told_of_keys(before: Sight, now: Sight, executed: set[str]) -> set[tuple[str, str]]:
    told: set[tuple[str, str]] = set()
    for row in now.rows("approvals"):
        was = before.of("approvals", row["id"])
        if not was and row["decision"] == "approve" and row["request"] not in executed:
            told.add(("override-approved", row["request"]))
        if was and was["voided_at"] != row["voided_at"]:
            told.add(("override-approval-void", row["request"]))
    for row in now.rows("delegations"):
        was = before.of("delegations", row["id"])
        if not was:
            told.add(("override-delegated", row["id"]))
        elif was["ended_at"] != row["ended_at"]:
            told.add(("override-delegation-ended", row["id"]))
    return told


def naive_effect(tier: str, override: Row | None) -> str:
    """What an override makes of a tier."""
    if override is None:
        return tier
    if override["mode"] == "pin":
        return str(override["tier"])
    bound = LADDER.index(override["tier"]), LADDER.index(tier)
    return LADDER[max(bound) if override["mode"] == "floor" else min(bound)]


async def check_served(office: Office, now: Sight) -> None:
    """What is served is what the override in force makes of the tier held, and says so."""
    for customer in CUSTOMERS:
        held = now.of("states", customer)
        if not held:
            continue
        in_force: list[Row | None] = [
            row
            for row in now.rows("overrides")
            if row["customer_id"] == customer
            and row["state"] == "active"
            and office.today < row["valid_until"]
        ]
        [override] = in_force or [None]
        answer = await office.call("ann", Role.AGENT, "GET", f"/v1/customers/{customer}/tier")
        told = answer.json()
        assert told["tier"] == naive_effect(held["tier"], override), (customer, told, held)
        assert (told["override"] or {}).get("id") == (override and override["id"])
