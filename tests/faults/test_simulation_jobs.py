"""Simulations survive their workers: nobody is listed twice, and nothing is counted twice."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.domain.privacy.roles import Role
from app.features.rule_sets.service import load_document
from app.infra.database import Database, create_database
from app.infra.settings import Settings
from app.main import create_app
from app.worker import HOUSEKEEPING, OVERRIDE_CLOCK
from tests.api import Api, Caller, open_api
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates
from tests.faults.nursery import Nursery
from tests.faults.workers import Worker, Yard, open_yard
from tests.features.simulations.rehearsal import CANDIDATE, NEVER, generous
from tests.patience import PATIENCE_SECONDS

CUSTOMERS = 120
ENDED = "SELECT count(*) FROM jobs WHERE state NOT IN ('queued', 'running')"
LISTED = "SELECT count(*) FROM simulation_movers"
PATH = f"/v1/rule-sets/{CANDIDATE}/simulations"


@dataclass
class Works:
    """A deployment with an API in this process and workers in others."""

    yard: Yard
    settings: Settings
    api: Api
    runner: asyncio.Runner

    def call(self, method: str, path: str, role: Role = Role.RULE_AUTHOR, **sent: Any) -> Any:  # noqa: ANN401 - httpx's arguments.
        """One request."""
        headers = {"Authorization": f"Bearer {self.api.token(Caller(role))}"}
        request = self.api.client.request(method, path, headers=headers, **sent)
        answer = self.runner.run(request)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def order(self) -> str:
        """Ask for a simulation; its path."""
        wanted = {"candidate": {"version": 1}, "as_of": AS_OF.isoformat()}
        return f"{PATH}/{self.call('POST', PATH, json=wanted)['id']}"

    def start(self, place: str = "-") -> Worker:
        """A worker."""
        folder = str(self.settings.data_dir)
        return self.yard.start("tests.faults.simulation_child", self.yard.url, folder, place)

    def count(self) -> int:
        """How many are listed as moving."""
        ((found,),) = self.yard.query(LISTED)
        return int(found)


async def prepare(database: Database) -> None:
    """A book, the shipped rule sets, and a candidate."""
    async with database.sessions.begin() as session:
        await write_book(session, CUSTOMERS)
        await put_templates(session)
    async with database.sessions.begin() as session:
        await load_document(session, json.dumps(generous()), valid_from=NEVER)


@pytest.fixture
def works(fresh_database_url: str, settings: Settings, nursery: Nursery) -> Iterator[Works]:
    database = create_database(fresh_database_url, settings)
    opened = open_api(create_app(settings, database), settings)
    with open_yard(fresh_database_url, nursery) as yard, asyncio.Runner() as runner:
        # What the clock puts in is not what is looked at here.
        for kind in (HOUSEKEEPING, OVERRIDE_CLOCK):
            yard.query(f"INSERT INTO schedules VALUES ('{kind}', 3600, 'infinity')")
        runner.run(prepare(database))
        api = runner.run(opened.__aenter__())
        yield Works(yard, settings, api, runner)
        runner.run(opened.__aexit__(None, None, None))
        runner.run(database.close())


def assert_complete(works: Works, path: str) -> None:
    """The report and the list agree, and each customer was counted once."""
    found = works.call("GET", path, Role.RISK_OFFICER)
    assert (found["state"], found["progress"]) == (
        "completed",
        {"done": CUSTOMERS, "total": CUSTOMERS},
    )
    report = found["report"]
    assert sum(cell["customers"] for cell in report["evaluated"]) == CUSTOMERS
    assert report["movers"] == works.count() > 0
    assert list(works.settings.data_dir.glob("book-*")) == []


def test_a_simulation_whose_worker_was_killed_begins_anew_and_doubles_nothing(
    works: Works,
) -> None:
    path = works.order()
    assert works.start("die:2").process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    before = works.call("GET", path, Role.RISK_OFFICER)
    assert (before["state"], before["report"]) == ("running", None)
    assert works.count() > 0
    works.start()
    works.yard.until(ENDED, 1)
    assert_complete(works, path)
    assert works.yard.job()["attempts"] == 2


def test_one_that_was_overtaken_stores_nothing_more(works: Works) -> None:
    path = works.order()
    zombie = works.start("batch:1")
    zombie.wait_for("holding 1")
    zombie.signal(signal.SIGSTOP)
    # Who is listed by both waits for the transaction that the one of them holds open.
    works.start()
    works.yard.until("SELECT epoch FROM jobs WHERE epoch = 2", 2)
    zombie.go_on()
    zombie.signal(signal.SIGCONT)
    works.yard.until(ENDED, 1)
    assert zombie.end() == 0
    assert_complete(works, path)


def test_a_cancelled_one_stops_between_batches_and_lists_nobody(works: Works) -> None:
    path = works.order()
    worker = works.start("batch:1")
    worker.wait_for("holding 1")
    assert works.call("POST", f"{path}/cancel")["state"] == "running"
    worker.go_on()
    works.yard.until(ENDED, 1)
    found = works.call("GET", path)
    assert (found["state"], found["report"], works.count()) == ("cancelled", None, 0)


def test_two_at_once_keep_out_of_each_others_way(works: Works) -> None:
    paths = [works.order(), works.order()]
    for _ in paths:
        works.start()
    works.yard.until(ENDED, 2)
    reports = [works.call("GET", path, Role.RISK_OFFICER)["report"] for path in paths]
    assert reports[0] == reports[1]
    assert works.count() == 2 * reports[0]["movers"]
