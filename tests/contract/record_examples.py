"""Records the examples of the interface description: real answers of a small made-up book.

    python -m tests.contract.record_examples

writes them anew. The book, its days and the clock are fixed, ids are numbered in the order they are
told, and every instant is that of the recording, so that the files change only with what the
service answers. Of a long list the first entries are kept.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self
from unittest.mock import patch

import asyncpg
import polars as pl

from app.domain.privacy.roles import Role
from app.features.customers.schemas import CustomerWrite
from app.features.overrides.schemas import OverrideWrite
from app.features.publications.service import publishing
from app.features.rule_sets.schemas import DraftCreate
from app.features.rule_sets.service import load_document
from app.infra import clock
from app.infra.database import libpq_url, open_database
from app.infra.migrations import upgrade
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.contract.live import load_book
from tests.features.imports.feed import Feed
from tests.features.simulations.rehearsal import NEVER, Rehearsal, generous
from tests.paths import ROOT
from tests.postgres import throw_away_server

FOLDER: Final = ROOT / "app" / "infra" / "description" / "examples"
NOW: Final = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
KEPT: Final = 2
_ID: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
#: A sealed cursor, which is another one each time.
_CURSOR: Final = re.compile('("next_cursor": )"[^"]*"')
#: A person who has policies, a tier that is not the highest, and an account manager.
_SUBJECT: Final = """
SELECT customer_id, account_manager FROM customers JOIN tier_assignments USING (customer_id)
WHERE kind = 'individual' AND tier = 'gold' AND account_manager IS NOT NULL
ORDER BY customer_id LIMIT 1
"""
_WRITTEN: Final[Any] = CustomerWrite.model_json_schema()["examples"][0]
_WANTED: Final[Any] = OverrideWrite.model_json_schema()["examples"][0]
#: The template with a row that forgets the floor of premium.
_CONTRADICTION: Final = {
    "format": "tiering/1",
    "id": "motor-own",
    "extends": "motor@1",
    "tables": [
        {
            "id": "segment",
            "rules": [
                {
                    "id": "SEG9",
                    "when": {"premium_ratio": "> 3", "years_of_premium_growth": ">= 2"},
                    "then": "high_net_worth",
                }
            ],
        }
    ],
}
_OPENED: Final[Any] = DraftCreate.model_json_schema()["examples"][0]
_OWN: Final = f"/v1/rule-sets/{_OPENED['id']}"
_PURPOSE: Final = {"X-Purpose": "override_review"}
_EVIDENCE: Final = "Contract of sale, signed on 2026-10-30.\nThe buyer takes over all policies.\n"
_SIMULATION: Final = "/v1/rule-sets/motor-retail/simulations/{simulation_id}"
#: What is salted is another one each time.
_DIGEST: Final = re.compile('("digest": )"[0-9a-f]{64}"')
#: A second version of a rule set, which decides for nobody yet.
_NEXT_VERSION: Final = """
format: tiering/1
id: motor
product_line: motor
extends: motor@1
title: {en: Motor, zh: 车险}
tables:
  - id: tier
    rules:
      - {id: TIER2, when: {annual_premium: "> 60000"}, then: diamond}
"""


@dataclass(frozen=True, slots=True)
class Call:
    """How an operation is called to show it; `{name}` stands for what is known by then.

    A body that comes with a file is a form; `works` does the job that waits first, and
    `simulates` the simulation.
    """

    operation: str
    request: str
    role: Role | None = None
    body: Any = None
    remembers: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    file: tuple[str, str] | None = None
    works: bool = False
    simulates: bool = False
    subject: str | None = None


CALLS: Final = (
    Call("list_customers", "GET /v1/customers?tier=gold&limit=2", Role.AGENT),
    Call(
        "list_customers",
        "GET /v1/customers?tier=gold",
        Role.AGENT,
        headers={"Accept": "text/csv"},
    ),
    Call(
        "search_customers",
        "POST /v1/customers/search",
        Role.AGENT,
        {"phone": "{phone}"},
        headers={"X-Purpose": "customer_service"},
    ),
    Call(
        "verify_customer",
        "POST /v1/customers/{customer_id}/verifications",
        Role.AGENT,
        {"field": "phone", "value": "{phone}"},
    ),
    Call("get_customer", "GET /v1/customers/{customer_id}", Role.ACCOUNT_MANAGER),
    Call("put_customer", "PUT /v1/customers/C-1001", Role.INTEGRATION, _WRITTEN),
    Call("put_customer", "PUT /v1/customers/C-1001", Role.INTEGRATION, _WRITTEN),
    Call(
        "put_consents",
        "PUT /v1/customers/C-1001/consents",
        Role.INTEGRATION,
        {"items": [{"purpose": "lifestyle_data", "given_on": "2026-11-02"}]},
    ),
    Call("list_consents", "GET /v1/customers/C-1001/consents", Role.AGENT),
    Call("put_customer", "PUT /v1/customers/C-1002", Role.INTEGRATION, _WRITTEN),
    Call(
        "merge_customer",
        "POST /v1/customers/C-1002/merge",
        Role.INTEGRATION,
        {"into": "C-1001"},
    ),
    Call("list_tiers", "GET /v1/tiers", Role.AGENT),
    Call("get_tier", "GET /v1/customers/{customer_id}/tier", Role.AGENT),
    Call(
        "find_tiers",
        "POST /v1/tier-lookups",
        Role.INTEGRATION,
        {"customer_ids": ["{customer_id}", "C-1001", "NOBODY"]},
    ),
    Call("list_tier_history", "GET /v1/customers/{customer_id}/tier-history", Role.COMPLIANCE),
    Call("get_tier_explanation", "GET /v1/customers/{customer_id}/tier/explanation", Role.AGENT),
    Call("get_tier_sla", "GET /v1/tiers/gold/sla", Role.AGENT),
    Call("list_benefits", "GET /v1/customers/{customer_id}/benefits", Role.CUSTOMER),
    Call("list_facts", "GET /v1/facts", Role.RULE_AUTHOR),
    Call("check_rule_set", "POST /v1/rule-sets/check", Role.RISK_OFFICER, _CONTRADICTION),
    Call("list_rule_sets", "GET /v1/rule-sets", Role.RULE_AUTHOR),
    Call(
        "get_rule_set_version",
        "GET /v1/rule-sets/motor/versions/1",
        Role.RULE_AUTHOR,
    ),
    Call(
        "get_rule_set_version",
        "GET /v1/rule-sets/motor/versions/1",
        Role.RULE_AUTHOR,
        headers={"Accept": "application/yaml"},
    ),
    *(
        Call(
            "get_rule_set_version",
            "GET /v1/rule-sets/motor/versions/1",
            Role.RULE_AUTHOR,
            headers={"Accept": media_type},
        )
        for media_type in ("application/dmn+xml", "application/pmml+xml")
    ),
    Call(
        "list_rule_set_changes",
        "GET /v1/rule-sets/motor/versions/2/changes",
        Role.RULE_AUTHOR,
    ),
    Call("list_rule_templates", "GET /v1/rule-templates", Role.RULE_AUTHOR),
    Call("create_rule_set_draft", "POST /v1/rule-sets", Role.RULE_AUTHOR, _OPENED),
    Call("get_rule_set_draft", f"GET {_OWN}/draft", Role.RULE_PUBLISHER),
    Call(
        "put_rule_set_draft",
        f"PUT {_OWN}/draft",
        Role.RULE_AUTHOR,
        {
            "format": "tiering/1",
            "id": _OPENED["id"],
            "product_line": "motor",
            "title": _OPENED["title"],
            "extends": "motor@1",
            "stability": {"grace_days": 45},
        },
        {"hash": "hash"},
        headers={"If-Match": "*"},
    ),
    Call("list_draft_changes", f"GET {_OWN}/draft/changes", Role.RULE_PUBLISHER),
    Call(
        "publish_rule_set",
        f"POST {_OWN}/publish",
        Role.RULE_PUBLISHER,
        {"hash": "{hash}", "valid_from": "2027-01-01", "pia_ref": "PIA-2026-017"},
        headers={"Idempotency-Key": "five"},
    ),
    # While there is one: ids of one instant, which is that of all here, are in no order.
    Call("list_publications", f"GET {_OWN}/publications", Role.COMPLIANCE),
    Call(
        "retire_rule_set",
        f"POST {_OWN}/retire",
        Role.RULE_PUBLISHER,
        {"valid_to": "2027-06-01"},
        headers={"Idempotency-Key": "six"},
    ),
    Call(
        "create_import",
        "POST /v1/imports",
        Role.INTEGRATION,
        {"record": "customers"},
        file=(
            "customers.csv",
            "customer_id,kind,gender\nC-1003,individual,\nC-1004,individual,=?\n",
        ),
        remembers={"import_id": "id", "job_id": "job_id"},
    ),
    Call("cancel_job", "POST /v1/jobs/{job_id}/cancel", Role.INTEGRATION),
    Call("requeue_job", "POST /v1/jobs/{job_id}/requeue", Role.INTEGRATION),
    Call("get_import", "GET /v1/imports/{import_id}", Role.INTEGRATION, works=True),
    Call("get_rejected_rows", "GET /v1/imports/{import_id}/rejected", Role.INTEGRATION),
    Call("get_job", "GET /v1/jobs/{job_id}", Role.INTEGRATION),
    Call(
        "create_evaluation",
        "POST /v1/customers/{customer_id}/evaluations",
        Role.RISK_OFFICER,
        {"as_of": "2026-11-01"},
        {"decision_id": "id"},
    ),
    Call("get_decision", "GET /v1/decisions/{decision_id}", Role.BUSINESS_OFFICER),
    Call("get_decision_trace", "GET /v1/decisions/{decision_id}/trace", Role.BUSINESS_OFFICER),
    Call("replay_decision", "POST /v1/decisions/{decision_id}/replay", Role.RISK_OFFICER),
    Call(
        "try_facts",
        "POST /v1/evaluations/what-if",
        Role.ANALYST,
        {
            "facts": {"age": 41, "annual_premium": "18000.00", "smoker": False, "nps": 9},
            "explain": True,
        },
    ),
    Call(
        "create_override",
        "POST /v1/overrides",
        Role.ACCOUNT_MANAGER,
        {"customer_id": "{customer_id}", **_WANTED},
        {"override_id": "id"},
        headers={"Idempotency-Key": "one", **_PURPOSE},
    ),
    Call(
        "create_override_evidence",
        "POST /v1/overrides/{override_id}/evidence",
        Role.ACCOUNT_MANAGER,
        headers=_PURPOSE,
        file=("contract.txt", _EVIDENCE),
    ),
    Call("list_overrides", "GET /v1/overrides?status=requested&for=me", Role.RISK_OFFICER),
    Call(
        "get_override", "GET /v1/overrides/{override_id}", Role.BUSINESS_OFFICER, headers=_PURPOSE
    ),
    Call("get_override", "GET /v1/overrides/{override_id}", Role.RISK_OFFICER, headers=_PURPOSE),
    Call(
        "create_override_approval",
        "POST /v1/overrides/{override_id}/approvals",
        Role.RISK_OFFICER,
        {"decision": "approve", "statement": "The risk does not rise by a better service."},
        headers=_PURPOSE,
    ),
    Call(
        "create_override_approval",
        "POST /v1/overrides/{override_id}/approvals",
        Role.BUSINESS_OFFICER,
        {"decision": "approve", "statement": "The contract under way justifies it."},
        headers=_PURPOSE,
    ),
    Call(
        "get_override_evidence",
        f"GET /v1/overrides/{{override_id}}/evidence/{sha256(_EVIDENCE.encode()).hexdigest()}",
        Role.COMPLIANCE,
        headers=_PURPOSE,
    ),
    Call(
        "revoke_override",
        "POST /v1/overrides/{override_id}/revoke",
        Role.RISK_OFFICER,
        {"statement": "The merger was called off yesterday."},
        headers=_PURPOSE,
    ),
    Call(
        "create_override",
        "POST /v1/overrides",
        Role.ACCOUNT_MANAGER,
        {"customer_id": "{customer_id}", **_WANTED},
        {"override_id": "id"},
        headers={"Idempotency-Key": "two", **_PURPOSE},
    ),
    Call(
        "put_override",
        "PUT /v1/overrides/{override_id}",
        Role.ACCOUNT_MANAGER,
        {**_WANTED, "mode": "pin"},
        headers={"If-Match": "*", **_PURPOSE},
    ),
    Call(
        "withdraw_override",
        "POST /v1/overrides/{override_id}/withdraw",
        Role.ACCOUNT_MANAGER,
        headers=_PURPOSE,
    ),
    Call(
        "create_override_bulk",
        "POST /v1/overrides/bulk",
        Role.ACCOUNT_MANAGER,
        {"customer_ids": ["{customer_id}", "C-1001"], **_WANTED},
        headers={"Idempotency-Key": "three", **_PURPOSE},
    ),
    # Whoever has called once is known.
    Call("list_facts", "GET /v1/facts", Role.RISK_OFFICER, subject="colleague"),
    Call(
        "create_override_delegation",
        "POST /v1/override-delegations",
        Role.RISK_OFFICER,
        {"delegate": "colleague", "valid_from": "2026-12-21", "valid_to": "2027-01-11"},
        {"delegation_id": "id"},
        headers={"Idempotency-Key": "four"},
    ),
    Call("list_override_delegations", "GET /v1/override-delegations", Role.COMPLIANCE),
    Call(
        "get_override_delegation",
        "GET /v1/override-delegations/{delegation_id}",
        Role.RISK_OFFICER,
    ),
    Call(
        "end_override_delegation",
        "POST /v1/override-delegations/{delegation_id}/end",
        Role.RISK_OFFICER,
    ),
    Call(
        "create_simulation",
        "POST /v1/rule-sets/motor/simulations",
        Role.RULE_AUTHOR,
        {"candidate": {"version": 1}, "objectives": ["renewal"], "as_of": "2026-11-01"},
        {"simulation_id": "id"},
    ),
    Call(
        "cancel_simulation",
        "POST /v1/rule-sets/motor/simulations/{simulation_id}/cancel",
        Role.RULE_AUTHOR,
    ),
    Call(
        "create_simulation",
        "POST /v1/rule-sets/motor-retail/simulations",
        Role.RULE_AUTHOR,
        {
            "candidate": {"version": 1},
            "baseline": {"rule_set": "motor", "version": 1},
            "objectives": ["renewal"],
            "as_of": "2026-11-01",
        },
        {"simulation_id": "id"},
    ),
    Call(
        "get_simulation",
        f"GET {_SIMULATION}",
        Role.RISK_OFFICER,
        simulates=True,
    ),
    Call("list_simulations", "GET /v1/rule-sets/motor-retail/simulations", Role.RULE_AUTHOR),
    Call(
        "list_movers",
        f"GET {_SIMULATION}/movers",
        Role.RISK_OFFICER,
    ),
    Call(
        "list_movers",
        f"GET {_SIMULATION}/movers",
        Role.RISK_OFFICER,
        headers={"Accept": "text/csv"},
    ),
    Call(
        "get_simulation_comparison",
        f"GET {_SIMULATION}/comparison?with={{simulation_id}}",
        Role.RULE_AUTHOR,
    ),
    Call("get_liveness", "GET /livez"),
    Call("get_readiness", "GET /readyz"),
    Call("get_metrics", "GET /metrics", Role.ADMIN),
)


class _StoppedClock(datetime):
    """The instant of the recording."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Always the same."""
        return cls.fromtimestamp(NOW.timestamp(), tz)


@contextmanager
def stopped_clock() -> Iterator[None]:
    """Let the service take every moment for that of the recording."""
    with patch.object(clock, "datetime", _StoppedClock):
        yield


def short(value: Any) -> Any:  # noqa: ANN401 - any JSON there is.
    """The value with the first entries of each list, and all that is said of what is masked."""
    if isinstance(value, dict):
        return {name: part if name == "meta" else short(part) for name, part in value.items()}
    return [short(part) for part in value[:KEPT]] if isinstance(value, list) else value


async def _was_rehearsed(*_session: object, **_asked: object) -> bool:
    return True


# What is published here was simulated nowhere.
@patch.object(publishing, "has_rehearsed", _was_rehearsed)
async def record(url: str, folder: Path) -> dict[str, str]:
    """The files that show each operation, by name, from a migrated database without customers."""
    settings = Settings(data_dir=folder / "data")
    await load_book(url, settings, folder / "book")
    async with open_database(url, settings) as database, database.sessions.begin() as session:
        await load_document(session, json.dumps(generous("6000", "motor-retail")), valid_from=NEVER)
    customer_id, manager = await _subject(url)
    shown: dict[str, dict[str, Any]] = {}
    people = pl.scan_parquet(folder / "book" / "customers.parquet")
    phone = people.filter(pl.col("customer_id") == customer_id).select("phone").collect().item()
    known = {"customer_id": customer_id, "phone": phone}
    async with (
        open_database(url, settings) as database,
        open_api(create_app(settings, database), settings) as api,
    ):
        async with database.sessions.begin() as session:
            await load_document(session, _NEXT_VERSION, valid_from=date(2027, 1, 1))
        for call in CALLS:
            if call.works:
                await Feed(api, database).work()
            if call.simulates:
                await Rehearsal(url, settings, database, api).work()
            await _show(api, call, known, manager, shown)
    # The database has a clock of its own.
    text = _INSTANT.sub(f"{NOW:%Y-%m-%dT%H:%M:%SZ}", json.dumps(shown, ensure_ascii=False))
    text = _CURSOR.sub(r'\1"c2VhbGVkLWN1cnNvcg"', text)
    text = _DIGEST.sub(rf'\1"{sha256(b"").hexdigest()}"', text)
    numbers: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        number = numbers.setdefault(found[0], len(numbers) + 1)
        return f"01a203c5-d8e4-7e70-99e9-{number:012x}"

    final = json.loads(_ID.sub(numbered, text))
    return {
        f"{name}.json": json.dumps(one, ensure_ascii=False, indent=2) + "\n"
        for name, one in final.items()
    }


async def _subject(url: str) -> tuple[str, str]:
    """The customer of whom is told, and the customer's account manager."""
    connection = await asyncpg.connect(libpq_url(url))
    try:
        customer_id, manager = await connection.fetchrow(_SUBJECT) or ("", "")
    finally:
        await connection.close()
    return customer_id, manager


def _filled(text: str, known: Mapping[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    return text


async def _show(
    api: Api, call: Call, known: dict[str, str], manager: str, shown: dict[str, dict[str, Any]]
) -> None:
    method, path = _filled(call.request, known).split(" ")
    body = json.loads(_filled(json.dumps(call.body), known))
    caller = None
    if call.role is not None:
        own = known["customer_id"] if call.role is Role.CUSTOMER else None
        subject = manager if call.role is Role.ACCOUNT_MANAGER else call.subject
        caller = Caller(call.role, customer_id=own, subject=subject)
    sent = {"json": body} if call.file is None else {"files": {"file": call.file}, "data": body}
    answer = await api.call(method, path, caller, headers=call.headers, **sent)
    assert answer.is_success, (call, answer.status_code, answer.text)
    media_type = answer.headers["Content-Type"].partition(";")[0]
    is_json = media_type == "application/json"
    value = short(answer.json()) if is_json else "\n".join(answer.text.splitlines()[:KEPT])
    one = shown.setdefault(call.operation, {"responses": {}})
    if body is not None:
        one["request"] = body
    if call.file is not None:
        one["request"] = {**(body or {}), "file": call.file[1]}
    one["responses"].setdefault(str(answer.status_code), {})[media_type] = value
    for name, place in call.remembers.items():
        known[name] = answer.json()[place]


def main() -> None:
    """Write the files, and drop those of operations that are gone."""
    with throw_away_server() as url, tempfile.TemporaryDirectory() as folder, stopped_clock():
        asyncio.run(upgrade(url))
        files = asyncio.run(record(url, Path(folder)))
    for gone in FOLDER.glob("*.json"):
        gone.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(files)} operations shown\n")


if __name__ == "__main__":
    main()
