"""The service in a process of its own, over a small made-up book of fixed days."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from app.cli.records import surroundings_of
from app.cli.serving import bring_up_to_date
from app.demo.book import write_book
from app.demo.layout import LAYOUT
from app.domain.privacy.roles import Role
from app.features.imports.service import ImportOptions, run_import
from app.features.reevaluation.service import run
from app.infra.auth import development_token
from app.infra.clock import utc_now
from app.infra.database import libpq_url, normalise_url, open_database
from app.infra.ids import new_id
from app.infra.settings import Settings
from tests.contract.known import COLLEAGUE, day_ahead
from tests.patience import PATIENCE_SECONDS
from tests.unmeasured import unmeasured

CUSTOMERS: Final = 60
SEED: Final = 20_261_122
AS_OF: Final = date(2026, 10, 31)
#: Ids named in the description's paths, and where the book has real ones.
IDS: Final[Mapping[str, str]] = {
    "customer_id": "SELECT DISTINCT customer_id FROM tier_assignments ORDER BY 1 LIMIT 5",
    "decision_id": "SELECT id FROM decisions ORDER BY customer_id LIMIT 5",
    "tier": "SELECT unnest(ARRAY['diamond', 'gold', 'standard'])",
    "rule_set_id": "SELECT DISTINCT rule_set_id FROM rule_set_versions",
    "version": "SELECT 1",
    "import_id": "SELECT payload->>'import_id' FROM jobs WHERE payload ? 'import_id'",
    "job_id": "SELECT id FROM jobs",
    # In the order in which they were made: each request has a file of its own.
    "override_id": "SELECT id FROM override_requests ORDER BY id",
    "sha256": "SELECT sha256 FROM evidence_files ORDER BY id",
    "simulation_id": "SELECT id FROM simulations ORDER BY id",
    "delegation_id": "SELECT id FROM override_delegations",
}
#: More than a sweep asks for: it is about what is answered, and not about how often.
QUOTAS: Final = {
    **{f"TIERING_{name}RATE_LIMIT_PER_MINUTE": "0" for name in ("", "COSTLY_", "SEARCH_")},
    **{f"TIERING_SEARCH_MISSES_PER_{window}": "0" for window in ("HOUR", "DAY")},
}


@dataclass(frozen=True, slots=True)
class Live:
    """A service that answers on the loopback."""

    base: str
    settings: Settings
    ids: Mapping[str, tuple[str | int, ...]]
    log: Path

    @property
    def customer_id(self) -> str:
        """A customer who has a tier."""
        return str(self.ids["customer_id"][0])

    def token(self, role: Role) -> str:
        """An hour's token of a role; a customer's is that of `customer_id`."""
        own = self.customer_id if role is Role.CUSTOMER else None
        return token_of(self.settings, role, customer_id=own)


def token_of(
    settings: Settings, role: Role, *, customer_id: str | None = None, subject: str | None = None
) -> str:
    """An hour's token of a role."""
    return development_token(
        settings, role=role, now=utc_now(), customer_id=customer_id, subject=subject
    )


async def load_book(url: str, settings: Settings, folder: Path) -> None:
    """Fill a migrated database with the book, scored."""
    await bring_up_to_date(url, settings)
    book = write_book(folder, customers=CUSTOMERS, seed=SEED, as_of=AS_OF)
    async with open_database(url, settings) as database:
        surroundings = surroundings_of(database, settings)
        for record in LAYOUT:
            options = ImportOptions(record=record, rejects=folder / f"{record}.rejects.csv")
            file = book.folder / f"{record}.parquet"
            result = await run_import(surroundings, file, options, lambda *_: None)
            assert result.total.rejected == 0, record
    await run(url, settings, as_of=AS_OF, apply=True, progress=lambda _: None)


def _written(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)


async def known_ids(url: str) -> dict[str, tuple[str | int, ...]]:
    """Ids that are in the database, by the name of their path parameter."""
    connection = await asyncpg.connect(libpq_url(url))
    try:
        return {
            name: tuple(_written(row[0]) for row in await connection.fetch(query))
            for name, query in IDS.items()
        }
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Served:
    """A serving process of its own."""

    base: str
    process: subprocess.Popen[str]
    log: Path

    def kill(self) -> None:
        """SIGKILL; when this returns, the process is gone."""
        self.process.kill()
        self.process.wait(timeout=PATIENCE_SECONDS)


@contextmanager
def a_server(
    url: str, settings: Settings, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """`tiering serve` over a migrated database.

    Args:
        url: the database.
        settings: whose data folder it shares.
        folder: where it works and where its log stands.
        environment: variables besides.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--no-with-worker", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=unmeasured()
        | {
            "DATA_DIR": str(settings.data_dir),
            "TIERING_DATABASE_URL": libpq_url(url),
            **QUOTAS,
            **(environment or {}),
        },
    ) as process:
        try:
            _wait(process)
            # A full pipe would stop the service.
            threading.Thread(target=_drain, args=(process, folder / "log"), daemon=True).start()
            yield Served(f"http://127.0.0.1:{port}", process, folder / "log")
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)


@contextmanager
def serving(url: str, folder: Path) -> Iterator[Live]:
    """`tiering serve` over a database with the book in it."""
    settings = Settings(data_dir=folder / "data")
    asyncio.run(load_book(url, settings, folder / "book"))
    with a_server(url, settings, folder) as served:
        _order_import(served.base, settings)
        known = asyncio.run(known_ids(url))
        _ask_for_overrides(served.base, settings, known["customer_id"])
        _open_drafts(served.base, settings, known["rule_set_id"])
        _ask_for_simulations(served.base, settings)
        yield Live(served.base, settings, asyncio.run(known_ids(url)), served.log)


def _order_import(base: str, settings: Settings) -> None:
    """A file in, so that there is an import and a job to look at."""
    token = development_token(settings, role=Role.INTEGRATION, now=utc_now())
    ordered = httpx.post(
        f"{base}/v1/imports",
        headers={"Authorization": f"Bearer {token}"},
        files={"file": ("customers.csv", "customer_id,kind,gender\nC-1003,individual,\n")},
        data={"record": "customers"},
    )
    assert ordered.status_code == 202, ordered.text


def _ask_for_overrides(base: str, settings: Settings, customers: Sequence[object]) -> None:
    """Requests that wait, with evidence, and a delegation, so that something is there."""

    def send(
        role: Role,
        path: str,
        subject: str | None = None,
        **body: Any,  # noqa: ANN401 - whatever the client takes.
    ) -> httpx.Response:
        token = token_of(settings, role, subject=subject)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(new_id())}
        answer = httpx.post(f"{base}{path}", headers=headers, **body)
        assert answer.is_success, answer.text
        return answer

    for customer_id in customers:
        wanted = {
            "customer_id": customer_id,
            "tier": "gold",
            "mode": "floor",
            "reason": "merger",
            "statement": "Acquired by our largest corporate client.",
            "valid_until": day_ahead(90),
        }
        asked = send(Role.ACCOUNT_MANAGER, "/v1/overrides", json=wanted)
        send(
            Role.ACCOUNT_MANAGER,
            f"/v1/overrides/{asked.json()['id']}/evidence",
            files={"file": ("a.txt", f"Of {customer_id}.\n", "text/plain")},
        )
    # Whoever has called once is known.
    send(Role.RISK_OFFICER, "/v1/evaluations/what-if", COLLEAGUE, json={"facts": {}})
    absence = {"delegate": COLLEAGUE, "valid_from": day_ahead(30), "valid_to": day_ahead(40)}
    send(Role.RISK_OFFICER, "/v1/override-delegations", json=absence)


def _open_drafts(base: str, settings: Settings, rule_sets: Sequence[object]) -> None:
    """A draft of each rule set."""
    headers = {"Authorization": f"Bearer {token_of(settings, Role.RULE_AUTHOR)}"}
    for own_id in rule_sets:
        wanted = {"id": own_id, "from": {"rule_set": own_id, "version": 1}}
        answer = httpx.post(f"{base}/v1/rule-sets", headers=headers, json=wanted)
        assert answer.is_success, answer.text


def _ask_for_simulations(base: str, settings: Settings) -> None:
    """Simulations that wait: no worker runs beside the service."""
    token = token_of(settings, Role.RULE_AUTHOR)
    for _ in range(3):
        asked = httpx.post(
            f"{base}/v1/rule-sets/motor/simulations",
            headers={"Authorization": f"Bearer {token}"},
            json={"candidate": {"version": 1}},
        )
        assert asked.status_code == 202, asked.text


@contextmanager
def a_database(server: str, template: str = "template1") -> Iterator[str]:
    """A new database on a test server, empty or a copy."""
    name = f"live_{new_id().hex}"
    asyncio.run(_execute(server, f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield normalise_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(_execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def a_live_service(server: str, folder: Path) -> Iterator[Live]:
    """The service over a database of its own on a test server."""
    with a_database(server) as url, serving(url, folder) as live:
        yield live


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(libpq_url(server))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _drain(process: subprocess.Popen[str], log: Path) -> None:
    assert process.stderr is not None
    with log.open("w") as kept:
        kept.writelines(process.stderr)


def _wait(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if re.search("Uvicorn running", line):
            return
    raise AssertionError("".join(seen))
