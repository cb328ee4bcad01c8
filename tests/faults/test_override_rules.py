"""Through psql, as the role the application has, each forbidden row fails on a named constraint."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from app.domain.privacy.roles import Role
from app.infra.clock import utc_now
from app.infra.database import create_database, libpq_url
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Caller, open_api
from tests.conftest import made_databases
from tests.factories.customers import put_customer
from tests.factories.templates import put_templates
from tests.factories.tiers import Stand, write_stand
from tests.faults.override_flaws import ALL_FLAWS, SHADOWED, Flaw
from tests.faults.override_rules import (
    ACTIVATE,
    ACTIVE,
    AWAY,
    BASE,
    BUSINESS,
    LATER,
    NEXT,
    RISK,
    TODAY,
    approve,
    assignment,
    change,
    chunk,
    closed,
    delegate,
    file,
    link,
    person,
    read,
)
from tests.psql import APPLICATION, Said, as_application, psql

CUSTOMERS = {"C1": "own", "C2": None, "C3": None}
_LATER_TOKEN = "timestamptz '2026-11-23 04:30:00Z'"
_GOOD, _NEXT = "so far so good", "the next one"
_ISOLATION = "ck_overrides_read_committed"


@pytest.fixture(scope="module")
def owner_url(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with three customers who were evaluated; C1 has an account manager."""

    async def fill(url: str) -> None:
        settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
        database = create_database(url, settings)
        async with database.sessions.begin() as session:
            await put_templates(session)
        async with open_api(create_app(settings, database), settings) as api:
            for customer_id, manager in CUSTOMERS.items():
                await put_customer(api, customer_id, account_manager=manager)
        async with database.sessions() as session:
            for customer_id in CUSTOMERS:
                await write_stand(session, Stand(customer_id))
        await database.close()

    with made_databases(server_url) as make:
        url = make()
        asyncio.run(fill(url))
        yield url


@pytest.fixture(scope="module")
def url(owner_url: str) -> str:
    """The same, for the application's role."""
    return as_application(owner_url)


def test_the_good_course_is_accepted(url: str) -> None:
    """What every flaw leaves; without it, a refusal would tell nothing."""
    courses = (
        ACTIVE
        + change("tier_assignments", f"valid_to = {TODAY}", "customer_id = 'C1'")
        + assignment(customer_id="'C1'"),
        ACTIVE + closed("revoked", by="'bob'"),
        ACTIVE + closed("ended", "validity", closed_on=f"{TODAY} + 30"),
        ACTIVE + closed("ended", "superseded"),
        approve("ann", "risk", decision="'reject'") + closed("rejected", by="'ann'"),
        closed("withdrawn", by="'max'"),
        closed("withdrawn", "merge"),
        closed("expired", closed_at="timestamptz '2026-11-26 04:00:00Z'"),
        delegate("ann", "bob", id=AWAY)
        + approve("bob", "risk", delegation_id=AWAY, on_behalf_of="'ann'")
        + BUSINESS
        + ACTIVATE,
        RISK
        + person("ann", "agent", at=_LATER_TOKEN)
        + change("override_approvals", f"voided_at = {LATER}", "true")
        + approve("bob", "risk")
        + BUSINESS
        + ACTIVATE,
        file() + chunk() + NEXT + link(version="2"),
        file(retained_until="date '2020-01-01'") + chunk() + "DELETE FROM evidence_chunks;\n",
    )
    for course in courses:
        said = psql(url, BASE + course + "SELECT 'done';\nROLLBACK;")
        assert (said.error, said.output.split()[-1:]) == ("", ["done"]), course


@pytest.fixture(scope="module")
def answers(url: str) -> dict[Flaw, tuple[str, Said]]:
    """What psql says to the good part of each flaw, and to the bad one; one session for all."""
    script = "".join(
        f"{BASE}{flaw.good}\\warn {_GOOD}\n{flaw.bad}\nROLLBACK;\n\\warn {_NEXT}\n"
        for flaw in ALL_FLAWS
    )
    said = psql(url, script, ON_ERROR_STOP="0").error.split(_NEXT + "\n")
    assert said.pop() == ""
    parts = [answer.partition(_GOOD + "\n") for answer in said]
    return {
        flaw: (to_good, Said("", to_bad))
        for flaw, (to_good, _, to_bad) in zip(ALL_FLAWS, parts, strict=True)
    }


@pytest.mark.parametrize("flaw", ALL_FLAWS, ids=lambda flaw: f"{flaw.constraint}: {flaw.name}")
def test_a_forbidden_row_fails_on_its_constraint(
    answers: dict[Flaw, tuple[str, Said]], flaw: Flaw
) -> None:
    to_good, to_bad = answers[flaw]
    assert to_good == ""
    assert to_bad.constraint == flaw.constraint, to_bad.error


def test_every_rule_of_the_tables_has_a_flaw(owner_url: str) -> None:
    """A constraint that somebody adds is shown to bite, or this fails."""
    listed = psql(
        owner_url,
        r"""
        WITH tables AS (
            SELECT oid FROM pg_class WHERE relkind = 'r' AND (relname LIKE 'override%'
                OR relname IN ('actors', 'evidence_files', 'evidence_chunks'))
        ), rules AS (
            SELECT conname::text AS name FROM pg_constraint AS c
            WHERE (conrelid IN (TABLE tables) OR (conname LIKE '%override%' AND contype <> 'p'))
                AND (contype IN ('c', 'f', 'x') OR (contype = 'u' AND NOT EXISTS (
                    SELECT FROM pg_constraint AS p WHERE p.conrelid = c.conrelid
                        AND p.contype = 'p' AND c.conkey @> p.conkey)))
            UNION SELECT indexrelid::regclass::text FROM pg_index
            WHERE indrelid IN (TABLE tables) AND indisunique AND indpred IS NOT NULL
            UNION SELECT (regexp_matches(prosrc, 'refuse_by\(''(\w+)''', 'g'))[1] FROM pg_proc
        )
        SELECT name FROM rules ORDER BY name;
        """,
    )
    assert not listed.error
    # Those of rule sets and simulations are shown beside theirs.
    others = ("ck_rule_set", "ck_simulation")
    shown = {flaw.constraint for flaw in ALL_FLAWS} | set(SHADOWED) | {_ISOLATION}
    found = {name for name in listed.output.split() if not name.startswith(others)}
    assert found == shown
    assert len(shown) > 80


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_nobody_judges_by_an_old_snapshot(url: str, level: str) -> None:
    script = BASE.replace("BEGIN;", f"BEGIN ISOLATION LEVEL {level};")
    assert psql(url, script).constraint == _ISOLATION


@pytest.mark.parametrize(
    "table",
    [
        "actors",
        "audit_events",
        "decisions",
        "evidence_files",
        "outbox_events",
        "override_approvals",
        "override_delegations",
        "override_evidence",
        "override_reads",
        "override_requests",
        "override_versions",
        "overrides",
    ],
)
def test_nothing_is_deleted(url: str, owner_url: str, table: str) -> None:
    """The application has no right to, and its owner no way."""
    for forbidden in (f"DELETE FROM {table};", f"TRUNCATE {table} CASCADE;"):
        assert psql(url, BASE + forbidden).state == "42501"
    if table not in {"outbox_events", "audit_events", "decisions"}:
        row = BASE + delegate("own", "bob") + RISK + file() + NEXT + link(version="2")
        assert psql(owner_url, row + f"DELETE FROM {table};").state == "23001"
        assert psql(owner_url, f"TRUNCATE {table} CASCADE;").state == "23001"


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE override_versions SET tier = 'gold';",
        "UPDATE override_reads SET read_at = now();",
        "UPDATE override_evidence SET added_at = now();",
        "UPDATE audit_events SET role = 'x';",
        "UPDATE outbox_events SET kind = 'x';",
        "UPDATE evidence_chunks SET content = 'x';",
        "UPDATE alembic_version SET version_num = 'x';",
        "ALTER TABLE overrides DISABLE TRIGGER ALL;",
        "ALTER TABLE overrides DISABLE TRIGGER guarded;",
        "DROP TRIGGER guarded ON overrides;",
        "ALTER TABLE overrides DROP CONSTRAINT ck_overrides_served;",
        "DROP INDEX uq_overrides_active;",
        (
            "CREATE OR REPLACE FUNCTION has_two_keys(request uuid, of_version integer,"
            " customer text) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
        ),
        (
            "CREATE FUNCTION public.may_turn_key(who text, department varchar)"
            " RETURNS boolean LANGUAGE sql AS 'SELECT true';"
        ),
        "CREATE TABLE public.actors_too (roles text[]);",
        "SET session_replication_role = replica;",
        "CREATE RULE nothing AS ON INSERT TO override_approvals DO INSTEAD NOTHING;",
        "GRANT DELETE ON overrides TO PUBLIC;",
        "SET ROLE postgres;",
    ],
)
def test_no_guard_is_changed_or_switched_off(url: str, forbidden: str) -> None:
    said = psql(url, forbidden + f" DO $$ BEGIN ASSERT current_user = '{APPLICATION}'; END $$;")
    # A grant by who may not give it is a warning, and gives nothing.
    assert said.state == "42501" or "no privileges were granted" in said.error, said.error


def test_no_table_of_a_session_stands_before_the_one_a_guard_asks(url: str) -> None:
    shadow = (
        "CREATE TEMP TABLE actors AS TABLE public.actors;\n"
        "UPDATE pg_temp.actors SET roles = '{risk_officer}' WHERE actor_digest = 'max';\n"
        "CREATE TEMP TABLE override_approvals (LIKE public.override_approvals);\n"
        "SET search_path = pg_temp, public;\n"
    )
    said = psql(url, BASE + shadow + ACTIVATE)
    assert said.constraint == "ck_overrides_two_keys"
    officers = shadow + delegate("max", "ann").replace("override_", "public.override_", 1)
    assert psql(url, BASE + officers).constraint == "ck_override_delegations_officers"


@pytest.mark.anyio
async def test_the_service_needs_no_more_than_that(url: str, settings: Settings) -> None:
    database = create_database(url, settings)
    officers = [Caller(Role.RISK_OFFICER, subject=name) for name in ("rita", "ralf")]
    day = utc_now().date()
    away = {
        "delegate": "ralf",
        "valid_from": str(day + timedelta(5)),
        "valid_to": str(day + timedelta(9)),
    }
    async with open_api(create_app(settings, database), settings) as api:
        await put_customer(api, "C9")
        for officer in officers:
            assert (await api.get("/v1/customers/C1/tier", officer)).status_code == 200
        evaluated = "/v1/customers/C9/evaluations"
        assert (await api.call("POST", evaluated, Role.ACCOUNT_MANAGER)).status_code == 201
        made = await api.call(
            "POST",
            "/v1/override-delegations",
            officers[0],
            json=away,
            headers={"Idempotency-Key": "away"},
        )
        assert made.status_code == 201
        ended = f"{made.headers['Location']}/end"
        assert (await api.call("POST", ended, officers[0])).status_code == 200
    await database.close()


# ------------------------------------------------------------------------------------ two sessions

_VOID = change("override_approvals", f"voided_at = {LATER}", "approver = 'ann'")
_LOST = person("ann", "agent", at=_LATER_TOKEN)
_TO_TWO = NEXT + change("overrides", "version = 2")

RACES = {
    "approval after a new version": ("", _TO_TWO, RISK, "ck_override_approvals_current_version"),
    "new version after the approval": ("", RISK, _TO_TWO, None),
    "activation after a new version": (
        RISK + BUSINESS,
        _TO_TWO,
        ACTIVATE,
        "ck_overrides_two_keys",
    ),
    "new version after activation": (
        RISK + BUSINESS,
        ACTIVATE,
        change("override_requests", "version = 2"),
        "ck_override_requests_next_version",
    ),
    "two approvals of one department": (
        "",
        RISK,
        approve("bob", "risk"),
        "uq_override_approvals_department",
    ),
    "two approvals of one person": ("", RISK, RISK, "ck_override_approvals_different_people"),
    "activation after a key became void": (
        RISK + BUSINESS,
        _LOST + _VOID,
        ACTIVATE,
        "ck_overrides_two_keys",
    ),
    "a key void after activation": (
        RISK + BUSINESS,
        ACTIVATE,
        _LOST + _VOID,
        "ck_override_approvals_void",
    ),
    "activation after a withdrawal": (
        RISK + BUSINESS,
        closed("withdrawn", by="'max'"),
        ACTIVATE,
        "ck_overrides_closed_for_good",
    ),
    "approval after a withdrawal": (
        "",
        closed("withdrawn", by="'max'"),
        RISK,
        "ck_override_approvals_waiting",
    ),
    "two activations": (RISK + BUSINESS, ACTIVATE, ACTIVATE, None),
    "evidence after a reading": (
        file() + _TO_TWO,
        read("ann", number=2),
        link(version="2"),
        "ck_override_evidence_before_reading",
    ),
    "two delegations in a chain": (
        person("gus", "risk_officer"),
        delegate("bob", "gus"),
        delegate("ann", "bob"),
        "ck_override_delegations_chain",
    ),
}


@asynccontextmanager
async def _sessions(url: str) -> AsyncIterator[tuple[asyncpg.Connection[asyncpg.Record], ...]]:
    opened = [await asyncpg.connect(libpq_url(url)) for _ in range(3)]
    try:
        yield tuple(opened)
    finally:
        for connection in opened:
            await connection.close()


@pytest.mark.anyio
@pytest.mark.parametrize("race", RACES)
async def test_of_two_sessions_the_second_judges_by_what_the_first_did(
    owner_url: str,
    server_url: str,
    race: str,
) -> None:
    good, first, second, refused = RACES[race]
    name = owner_url.rpartition("/")[2].partition("?")[0]
    admin = await asyncpg.connect(libpq_url(server_url))
    await admin.execute(f"CREATE DATABASE race TEMPLATE {name}")
    try:
        own = owner_url.replace(name, "race", 1)
        async with _sessions(await asyncio.to_thread(as_application, own)) as (one, two, watch):
            await one.execute(BASE + good + "COMMIT;")
            begun = one.transaction()
            await begun.start()
            await one.execute(first)
            waiting = asyncio.ensure_future(two.execute(second))
            blocked = "SELECT cardinality(pg_blocking_pids($1)) > 0"
            while not waiting.done():
                if await watch.fetchval(blocked, two.get_server_pid()):
                    break
            assert not waiting.done(), "the second did not wait for the first"
            await begun.commit()
            if refused is None:
                await waiting
            else:
                with pytest.raises(asyncpg.IntegrityConstraintViolationError) as error:
                    await waiting
                assert error.value.constraint_name == refused
    finally:
        await admin.execute("DROP DATABASE race WITH (FORCE)")
        await admin.close()
