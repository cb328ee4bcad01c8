"""Rows of overrides as psql writes them: a good course of things, and every way to leave it.

`BASE` is accepted: Max asks for a tier of his colleague's customer C1, officers of both departments
have read it. Each flaw is SQL that is refused after it, by the constraint it is listed under.
"""

from __future__ import annotations

from typing import Final

REQUEST: Final = "'01900000-0000-7000-8000-000000000001'"
OTHER: Final = "'01900000-0000-7000-8000-000000000002'"
BULK: Final = "'01900000-0000-7000-8000-000000000003'"
AWAY: Final = "'01900000-0000-7000-8000-000000000004'"
FILE: Final = "'01900000-0000-7000-8000-000000000005'"
NOBODY: Final = "'01900000-0000-7000-8000-00000000dead'"
ONE: Final = "repeat('1', 64)"
TWO: Final = "repeat('2', 64)"
NOW: Final = "timestamptz '2026-11-23 04:00:00Z'"
LATER: Final = "timestamptz '2026-11-23 05:00:00Z'"
TODAY: Final = "date '2026-11-23'"


def person(who: str, *roles: str, at: str = NOW) -> str:
    """Somebody shows a token with these roles."""
    return (
        "INSERT INTO actors (actor_digest, issuer, subject, roles, issued_at)"
        f" VALUES ('{who}', 'issuer', '{who}', '{{{','.join(roles)}}}', {at})"
        " ON CONFLICT (actor_digest) DO UPDATE SET roles = excluded.roles,"
        " issued_at = excluded.issued_at;\n"
    )


def request(
    id_: str = REQUEST,
    *,
    by: str = "max",
    hours: int = 72,
    version: int = 1,
    bulk: bool = False,
) -> str:
    """Somebody asks."""
    return (
        "INSERT INTO override_requests (id, is_bulk, version, requested_by, requested_at,"
        " expires_at, key_id, wrapped_key)"
        f" VALUES ({id_}, {bulk}, {version}, '{by}', {NOW}, {NOW} + interval '{hours} hours',"
        " 'k', 'w');\n"
    )


def version(id_: str = REQUEST, number: int = 1, **changes: str) -> str:
    """What is asked for; values are SQL."""
    row = {
        "request_id": id_,
        "version": str(number),
        "tier": "'diamond'",
        "mode": "'pin'",
        "reason": "'merger'",
        "valid_until": f"{TODAY} + 30",
        "written_on": TODAY,
        "written_at": NOW,
        "statement_cipher": "'s'",
        "statement_characters": "20",
        "salt": "'s'",
        "digest": ONE if number == 1 else TWO,
    }
    return insert("override_versions", row | changes)


def override(id_: str = REQUEST, request_id: str | None = None, **changes: str) -> str:
    """For whom; values are SQL."""
    row = {
        "id": id_,
        "request_id": request_id or id_,
        "customer_id": "'C1'",
        "version": "1",
        "tier": "'diamond'",
        "mode": "'pin'",
        "valid_until": f"{TODAY} + 30",
        "evaluated_tier": "'gold'",
        "decision_id": "(SELECT id FROM decisions ORDER BY id LIMIT 1)",
        "state": "'requested'",
    }
    return insert("overrides", row | changes)


def read(who: str, id_: str = REQUEST, number: int = 1, digest: str | None = None) -> str:
    """An officer is shown a version."""
    row = {
        "request_id": id_,
        "version": str(number),
        "reader": f"'{who}'",
        "digest": digest or (ONE if number == 1 else TWO),
        "read_at": NOW,
    }
    return insert("override_reads", row)


def approve(who: str, department: str, id_: str = REQUEST, **changes: str) -> str:
    """An officer turns his key; values are SQL."""
    row = {
        "id": "gen_random_uuid()",
        "request_id": id_,
        "version": "1",
        "digest": ONE,
        "requested_by": "'max'",
        "approver": f"'{who}'",
        "department": f"'{department}'",
        "decision": "'approve'",
        "statement_cipher": "'s'",
        "statement_characters": "20",
        "decided_at": LATER,
    }
    return insert("override_approvals", row | changes)


def delegate(delegator: str, to: str, department: str = "risk", **changes: str) -> str:
    """An officer who will be away names a colleague; values are SQL."""
    row = {
        "id": "gen_random_uuid()",
        "delegator": f"'{delegator}'",
        "delegate": f"'{to}'",
        "department": f"'{department}'",
        "valid_from": f"{TODAY} - 3",
        "valid_to": f"{TODAY} + 7",
    }
    return insert("override_delegations", row | changes)


def file(**changes: str) -> str:
    """A file of evidence; values are SQL."""
    row = {
        "id": FILE,
        "sha256": ONE,
        "media_type": "'application/pdf'",
        "size_bytes": "1",
        "key_id": "'k'",
        "wrapped_key": "'w'",
        "retained_until": "date '2099-01-01'",
    }
    return insert("evidence_files", row | changes)


def chunk(**changes: str) -> str:
    """A part of it."""
    return insert(
        "evidence_chunks", {"evidence_id": FILE, "chunk_no": "0", "content": "'c'"} | changes
    )


def link(**changes: str) -> str:
    """A version rests on it."""
    row = {
        "request_id": REQUEST,
        "version": "1",
        "evidence_id": FILE,
        "file_name_cipher": "'f'",
        "added_at": NOW,
    }
    return insert("override_evidence", row | changes)


def assignment(**changes: str) -> str:
    """A tier that serves because of an override."""
    row = {
        "id": "gen_random_uuid()",
        "customer_id": "'C3'",
        "tier": "'diamond'",
        "source": "'override'",
        "decision_id": "(SELECT id FROM decisions ORDER BY id LIMIT 1)",
        "valid_from": TODAY,
        "override_id": REQUEST,
    }
    return insert("tier_assignments", row | changes)


def insert(table: str, row: dict[str, str]) -> str:
    """One row."""
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(row.values())});\n"


def change(table: str, what: str, where: str = f"id = {REQUEST}") -> str:
    """A change of rows."""
    return f"UPDATE {table} SET {what} WHERE {where};\n"


PEOPLE: Final = "".join(
    (
        person("max", "account_manager"),
        person("ann", "risk_officer"),
        person("bob", "risk_officer"),
        person("eve", "business_officer"),
        person("fay", "business_officer"),
        # C1's account manager, who is an officer too.
        person("own", "risk_officer", "account_manager"),
    )
)
BASE: Final = "".join(
    (
        "BEGIN;\n",
        PEOPLE,
        request(),
        version(),
        override(),
        *(read(who) for who in ("ann", "bob", "eve", "fay", "own", "max")),
    )
)
RISK: Final = approve("ann", "risk")
BUSINESS: Final = approve("eve", "business")
ACTIVATE: Final = change(
    "overrides", f"state = 'active', valid_from = {TODAY}, activated_at = {LATER}"
)
ACTIVE: Final = RISK + BUSINESS + ACTIVATE
NEXT: Final = version(number=2) + change("override_requests", "version = 2")


def closed(state: str, because: str | None = None, by: str = "NULL", **changes: str) -> str:
    """An override is closed; values are SQL."""
    row = {
        "state": f"'{state}'",
        "closed_because": f"'{because or state}'",
        "closed_at": LATER,
        "closed_on": TODAY,
        "closed_by": by,
    }
    told = ", ".join(f"{name} = {value}" for name, value in (row | changes).items())
    return change("overrides", told)
