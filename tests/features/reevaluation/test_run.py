from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from dirty_equals import IsDatetime
from sqlalchemy import make_url, text

from app.domain.errors import Conflict, Invalid
from app.domain.tiering.decision import Cause, CauseKind
from app.features.reevaluation.service import Progress, RunSummary, run
from app.features.scoring.service import evaluate_customer
from app.features.tiers.service import return_to_evaluated, stage_standings
from app.infra.cipher import Vault, load_master_key
from app.infra.clock import business_day, utc_now
from app.infra.database import AsyncSession, Database, open_database
from app.infra.settings import Settings
from tests.conftest import made_databases
from tests.factories.book import AS_OF, change_some, write_book
from tests.factories.overrides import end_override, put_override
from tests.factories.templates import put_templates

pytestmark = pytest.mark.anyio

run_module = sys.modules["app.features.reevaluation.service.run"]

CUSTOMERS = 60


@pytest.fixture(scope="module")
def book(server_url: str) -> Iterator[str]:
    """The name of a database with a small book and the templates, for each test to copy."""
    with made_databases(server_url) as make:
        url = make()
        asyncio.run(write_down(url))
        yield make_url(url).database or ""


async def write_down(url: str) -> None:
    """Write the book."""
    async with open_database(url, Settings()) as opened, opened.sessions.begin() as session:
        await write_book(session, CUSTOMERS)
        await put_templates(session)


@pytest.fixture
def fresh_database_url(server_url: str, book: str) -> Iterator[str]:
    """A database of the test's own with the book in it."""
    with made_databases(server_url, template=book) as make:
        yield make()


@pytest.fixture
async def database(fresh_database_url: str, settings: Settings) -> AsyncIterator[Database]:
    """The database of the test's own."""
    async with open_database(fresh_database_url, settings) as opened:
        yield opened


async def counts(database: Database) -> tuple[int, int, int]:
    """Decisions, assignments and states."""
    async with database.sessions() as session:
        found = [
            await session.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in ("decisions", "tier_assignments", "scoring_states")
        ]
    return (found[0], found[1], found[2])


async def runs(database: Database) -> list[dict[str, Any]]:
    """The rows of the runs, oldest first."""
    async with database.sessions() as session:
        found = await session.execute(text("SELECT * FROM reevaluation_runs ORDER BY id"))
        return [dict(row) for row in found.mappings()]


class Runner:
    """Runs over one database."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.url, self.settings = url, settings
        self.told: list[Progress] = []

    async def __call__(self, *, days: int = 0, apply: bool = True) -> RunSummary:
        """One run, so many days after the book's day."""
        day = AS_OF + timedelta(days)
        self.told = []
        return await run(self.url, self.settings, as_of=day, apply=apply, progress=self.told.append)


@pytest.fixture
def runner(fresh_database_url: str, settings: Settings) -> Runner:
    return Runner(fresh_database_url, settings)


async def test_a_recommendation_counts_and_writes_nothing_but_its_own_row(
    database: Database, runner: Runner
) -> None:
    summary = await runner(apply=False)
    assert await counts(database) == (0, 0, 0)
    tally = summary.tally
    assert (tally.customers, tally.changed, tally.refused, tally.overtaken) == (60, 60, 0, 0)
    for parts in (tally.tiers, tally.segments, tally.life_cycle_stages, tally.risk_grades):
        assert sum(parts.values()) == CUSTOMERS
    assert all(old == "none" for old, _ in tally.moves)
    assert await runs(database) == [
        {
            "id": summary.run_id,
            "as_of": AS_OF,
            "mode": "recommend",
            "state": "completed",
            "snapshot_at": IsDatetime(),
            "finished_at": IsDatetime(),
            "customers_total": CUSTOMERS,
            "customers_done": CUSTOMERS,
            "customers_changed": CUSTOMERS,
            "summary": tally.as_json(),
        }
    ]


async def test_what_was_recommended_is_what_is_applied(database: Database, runner: Runner) -> None:
    recommended, applied = await runner(apply=False), await runner()
    assert applied.tally == recommended.tally
    assert await counts(database) == (CUSTOMERS, CUSTOMERS, CUSTOMERS)
    async with database.sessions() as session:
        causes = await session.scalars(text("SELECT DISTINCT cause FROM decisions"))
        assert list(causes) == [f"run:{applied.run_id}"]


async def test_a_day_that_has_not_come_can_be_rehearsed_but_not_applied(
    database: Database, runner: Runner
) -> None:
    ahead = (business_day(utc_now(), runner.settings.business_zone) - AS_OF).days + 2
    with pytest.raises(Invalid, match="rehearse without --apply") as refused:
        await runner(days=ahead)
    assert refused.value.type == "future-date"
    assert await counts(database) == (0, 0, 0)
    assert await runs(database) == []
    assert (await runner(days=ahead, apply=False)).tally.customers == CUSTOMERS


async def test_whoever_was_merged_away_is_not_decided(database: Database, runner: Runner) -> None:
    async with database.sessions.begin() as session:
        await session.execute(
            text(
                "INSERT INTO customer_aliases (alias_id, customer_id, merged_on)"
                " VALUES ('C00000001', 'C00000002', '2020-01-01')"
            )
        )
    tally = (await runner()).tally
    assert (tally.customers, tally.changed) == (CUSTOMERS - 1, CUSTOMERS - 1)
    async with database.sessions() as session:
        decided = set(await session.scalars(text("SELECT customer_id FROM scoring_states")))
    assert "C00000001" not in decided
    assert len(decided) == CUSTOMERS - 1
    assert (await runs(database))[0]["customers_total"] == CUSTOMERS - 1


async def test_a_second_run_writes_nothing(database: Database, runner: Runner) -> None:
    await runner()
    again = await runner()
    assert again.tally.changed == 0
    assert all(old == new for old, new in again.tally.moves)
    assert await counts(database) == (CUSTOMERS, CUSTOMERS, CUSTOMERS)


async def test_only_what_changed_is_written(database: Database, runner: Runner) -> None:
    await runner()
    async with database.sessions.begin() as session:
        await change_some(session, one_in=6, day=AS_OF)
    changed = (await runner()).tally.changed
    assert 0 < changed < CUSTOMERS / 2
    assert (await counts(database))[0] == CUSTOMERS + changed


async def test_progress_begins_before_the_book_is_read_and_ends_with_everyone(
    database: Database, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.infra.book.PART_CUSTOMERS", 25)
    monkeypatch.setattr(run_module, "CHUNK_CHANGES", 7)
    await runner()
    done = [state.done for state in runner.told]
    assert [state.total for state in runner.told] == [0, 60, 60, 60]
    assert done == sorted(set(done))
    assert (done[0], done[-1]) == (0, 60)
    assert await counts(database) == (CUSTOMERS, CUSTOMERS, CUSTOMERS)


async def test_customers_evaluated_for_a_later_day_are_refused_and_counted(
    database: Database, runner: Runner, settings: Settings
) -> None:
    vault = Vault(load_master_key(settings))
    async with database.sessions.begin() as session:
        for number in (1, 2, 3):
            await evaluate(session, f"C0000000{number}", vault, days=5)
    tally = (await runner()).tally
    assert (tally.customers, tally.refused, tally.changed) == (60, 3, 57)
    assert sum(tally.moves.values()) == 57
    assert await counts(database) == (60, 60, 60)


async def test_an_input_error_keeps_the_old_tier_and_is_counted(
    database: Database, runner: Runner
) -> None:
    await runner()
    async with database.sessions.begin() as session:
        await session.execute(
            text("ALTER TABLE scoring_inputs DROP CONSTRAINT ck_scoring_inputs_asset_band")
        )
        await session.execute(text("UPDATE scoring_inputs SET asset_band = 9"))
    tally = (await runner()).tally
    errors = tally.input_errors["asset_band is outside its range"]
    assert 0 < errors < CUSTOMERS
    assert tally.input_errors.total() == errors
    assert (tally.changed, sum(tally.moves.values())) == (0, CUSTOMERS - errors)
    assert await counts(database) == (CUSTOMERS, CUSTOMERS, CUSTOMERS)


async def test_two_runs_cannot_overlap(
    database: Database, runner: Runner, settings: Settings
) -> None:
    refused: list[str] = []

    async def second() -> None:
        with pytest.raises(Conflict) as error:
            await run(runner.url, settings, as_of=AS_OF, apply=True)
        refused.append(error.value.type)

    stage = stage_standings

    async def while_it_writes(session: AsyncSession, *, csv: bytes) -> list[str]:
        await second()
        return await stage(session, csv=csv)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "stage_standings", while_it_writes)
        await runner()
    assert refused == ["run-in-progress"]
    assert [row["state"] for row in await runs(database)] == ["completed"]


async def evaluate(session: AsyncSession, customer_id: str, vault: Vault, *, days: int = 0) -> None:
    """One evaluation by the API's path."""
    await evaluate_customer(
        session,
        customer_id=customer_id,
        as_of=AS_OF + timedelta(days),
        cause=Cause(CauseKind.API),
        now=utc_now(),
        vault=vault,
    )


@pytest.mark.parametrize("known", [False, True])
async def test_whoever_is_evaluated_while_the_run_is_under_way_is_left_alone(
    database: Database, runner: Runner, settings: Settings, *, known: bool
) -> None:
    vault = Vault(load_master_key(settings))
    if known:
        await runner()
        async with database.sessions.begin() as session:
            # As if every output had been another one.
            await session.execute(text("UPDATE scoring_states SET outputs_digest = 'other'"))
    before = await counts(database)
    stage = stage_standings

    async def after_two_others(session: AsyncSession, *, csv: bytes) -> list[str]:
        async with database.sessions.begin() as own:
            await evaluate(own, "C00000001", vault)
            await evaluate(own, "C00000009", vault)
        return await stage(session, csv=csv)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "stage_standings", after_two_others)
        tally = (await runner()).tally
    assert tally.overtaken == 2
    async with database.sessions() as session:
        causes = await session.scalars(
            text(
                "SELECT d.cause FROM scoring_states s JOIN decisions d ON d.id = s.decision_id"
                " WHERE s.customer_id IN ('C00000001', 'C00000009')"
            )
        )
        assert list(causes) == ["api", "api"]
        doubled = await session.scalar(
            text(
                "SELECT count(*) FROM (SELECT FROM tier_assignments WHERE valid_to IS NULL"
                " GROUP BY customer_id HAVING count(*) > 1) AS twice"
            )
        )
        assert doubled == 0
    assert (await counts(database))[0] == before[0] + tally.changed + 2


async def pinned(database: Database, customer_id: str, vault: Vault) -> UUID:
    """A pin to the lowest tier, evaluated for the book's day."""
    async with database.sessions.begin() as session:
        until = AS_OF + timedelta(30)
        id_ = await put_override(session, customer_id, tier="standard", until=until)
        await evaluate(session, customer_id, vault)
    return id_


@pytest.mark.parametrize("began", [True, False])
async def test_whose_override_began_or_ended_while_the_run_is_under_way_is_left_alone(
    database: Database, runner: Runner, settings: Settings, *, began: bool
) -> None:
    """Also where nothing was evaluated: what the run decided would serve nobody any more."""
    vault = Vault(load_master_key(settings))
    await runner()
    id_ = None if began else await pinned(database, "C00000001", vault)
    async with database.sessions.begin() as session:
        # As if every output had been another one.
        await session.execute(text("UPDATE scoring_states SET outputs_digest = 'other'"))
    stage = stage_standings

    async def after_the_override(session: AsyncSession, *, csv: bytes) -> list[str]:
        async with database.sessions.begin() as own:
            if id_ is None:
                await put_override(own, "C00000001", tier="standard", until=AS_OF + timedelta(30))
            else:
                await end_override(own, id_, on=AS_OF)
                await return_to_evaluated(own, customer_id="C00000001", on=AS_OF, now=utc_now())
        return await stage(session, csv=csv)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "stage_standings", after_the_override)
        tally = (await runner()).tally
    assert tally.overtaken == 1
    async with database.sessions() as session:
        query = (
            "SELECT source FROM tier_assignments"
            " WHERE customer_id = 'C00000001' AND valid_to IS NULL"
        )
        assert await session.scalar(text(query)) == ("override" if began else "evaluated")


async def test_moves_are_of_the_tiers_held_whatever_overrides_serve(
    database: Database, runner: Runner, settings: Settings
) -> None:
    await runner()
    before = (await runner()).tally
    vault = Vault(load_master_key(settings))
    for number in range(1, 30):
        await pinned(database, f"C{number:08}", vault)
    async with database.sessions() as session:
        # Some of them are served another tier than they hold.
        query = "SELECT source FROM tier_assignments WHERE valid_to IS NULL"
        assert "override" in list(await session.scalars(text(query)))
    after = (await runner()).tally
    assert (after.moves, after.changed) == (before.moves, 0)


async def test_a_run_that_fails_says_so_and_the_next_one_completes(
    database: Database, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_space(_: AsyncSession) -> None:
        message = "no space left on device"
        raise OSError(message)

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "apply_staged", no_space)
        with pytest.raises(OSError, match="no space left"):
            await runner()
    assert await counts(database) == (0, 0, 0)
    await runner()
    assert [row["state"] for row in await runs(database)] == ["failed", "completed"]
    assert await counts(database) == (CUSTOMERS, CUSTOMERS, CUSTOMERS)


async def test_without_a_rule_set_for_all_lines_no_run_begins(
    database: Database, runner: Runner
) -> None:
    async with database.sessions.begin() as session:
        await session.execute(text("DELETE FROM rule_set_activations WHERE product_line = 'all'"))
    with pytest.raises(Conflict) as error:
        await runner()
    assert error.value.type == "no-rule-set"
    assert await counts(database) == (0, 0, 0)


@pytest.fixture
def without_book(make_database: Callable[[], str]) -> str:
    """A database nobody is in."""
    return make_database()


async def test_an_empty_book_completes(without_book: str, settings: Settings) -> None:
    async with open_database(without_book, settings) as database:
        async with database.sessions.begin() as session:
            await put_templates(session)
        summary = await run(without_book, settings, as_of=AS_OF, apply=True)
        assert summary.tally.customers == 0
        assert [row["state"] for row in await runs(database)] == ["completed"]
