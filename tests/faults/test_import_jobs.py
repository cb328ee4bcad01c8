"""Imports over HTTP survive their workers: no row is lost, none is stored or counted twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.domain.privacy.roles import Role
from app.infra.database import create_database
from app.infra.settings import Settings
from app.main import create_app
from app.worker import HOUSEKEEPING, OVERRIDE_CLOCK
from tests.api import Api, Caller, open_api
from tests.faults.nursery import Nursery
from tests.faults.workers import Worker, Yard, open_yard
from tests.paths import ROOT
from tests.patience import PATIENCE_SECONDS

HEADER = "customer_id,kind,valid_from,gender\n"
# Every fourth row says what no gender is.
ROWS = [f"C{n},individual,2020-01-01,{'?' if n % 4 == 0 else ''}\n" for n in range(14)]

ENDED = "SELECT count(*) FROM jobs WHERE state NOT IN ('queued', 'running')"


@dataclass
class Depot:
    """A deployment with an API in this process and workers in others."""

    yard: Yard
    settings: Settings
    api: Api
    runner: asyncio.Runner

    def call(self, method: str, path: str, **sent: Any) -> Any:  # noqa: ANN401 - httpx's arguments.
        """One request as the feed."""
        headers = {"Authorization": f"Bearer {self.api.token(Caller(Role.INTEGRATION))}"}
        request = self.api.client.request(method, path, headers=headers, **sent)
        answer = self.runner.run(request)
        assert answer.status_code < 300, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    def send(self) -> str:
        """Order the import; its path."""
        content = HEADER + "".join(ROWS)
        answer = self.call(
            "POST",
            "/v1/imports",
            files={"file": ("customers.csv", content.encode())},
            data={"record": "customers"},
        )
        return f"/v1/imports/{answer['id']}"

    def start(self, place: str = "-") -> Worker:
        """A worker."""
        folder = str(self.settings.data_dir)
        return self.yard.start("tests.faults.import_child", self.yard.url, folder, place)


@pytest.fixture
def depot(fresh_database_url: str, settings: Settings, nursery: Nursery) -> Iterator[Depot]:
    database = create_database(fresh_database_url, settings)
    opened = open_api(create_app(settings, database), settings)
    with open_yard(fresh_database_url, nursery) as yard, asyncio.Runner() as runner:
        # What the clock puts in is not what is looked at here.
        for kind in (HOUSEKEEPING, OVERRIDE_CLOCK):
            yard.query(f"INSERT INTO schedules VALUES ('{kind}', 3600, 'infinity')")
        api = runner.run(opened.__aenter__())
        yield Depot(yard, settings, api, runner)
        runner.run(opened.__aexit__(None, None, None))
        runner.run(database.close())


def assert_complete(depot: Depot, path: str) -> None:
    """Everything is stored and counted once, and nothing of the file is left."""
    found = depot.call("GET", path)
    assert (found["state"], found["job"]["state"]) == ("completed", "succeeded")
    assert found["rows"] == {"read": 14, "loaded": 10, "filtered": {}, "rejected": 4, "unused": 0}
    assert found["records"]["customers"]["inserted"] == 10
    assert found["job"]["progress"] == {"done": 14, "total": 14}
    lines = depot.call("GET", found["rejected"]).splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "5", "9", "13"]
    stored = depot.yard.query("SELECT customer_id FROM customers ORDER BY length(customer_id), 1")
    assert stored == [(f"C{n}",) for n in range(14) if n % 4]
    assert depot.yard.query("SELECT count(*) FROM import_runs") == [(1,)]
    assert depot.yard.query("SELECT count(*) FROM import_upload_chunks") == [(0,)]


def test_an_import_whose_worker_was_killed_is_completed_by_another(depot: Depot) -> None:
    path = depot.send()
    assert depot.call("GET", path)["state"] == "queued"
    assert depot.start("die:2").process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert depot.call("GET", path)["rows"]["read"] == 6
    assert len(list(depot.settings.data_dir.glob("import-*/file/customers.csv"))) == 1
    depot.start()
    depot.yard.until(ENDED, 1)
    assert_complete(depot, path)
    assert depot.yard.job()["attempts"] == 2
    # What the killed one had in clear for its work is gone when another begins.
    assert list(depot.settings.data_dir.glob("import-*")) == []


def test_an_import_that_was_overtaken_in_its_last_breath_stores_nothing(depot: Depot) -> None:
    path = depot.send()
    zombie = depot.start("chunk:1")
    zombie.wait_for("holding 1")
    zombie.signal(signal.SIGSTOP)
    # It holds the lock that lets one import write at a time; the other one waits for it.
    taken = "SELECT epoch FROM jobs WHERE epoch = 2"
    depot.start()
    depot.yard.until(taken, 2)
    zombie.go_on()
    zombie.signal(signal.SIGCONT)
    depot.yard.until(ENDED, 1)
    assert_complete(depot, path)


def test_a_worker_that_leaves_lets_its_chunk_become_whole_and_another_go_on(depot: Depot) -> None:
    path = depot.send()
    leaving = depot.start("chunk:1")
    leaving.wait_for("holding 1")
    leaving.signal(signal.SIGTERM)
    leaving.wait_for("leaving")
    leaving.go_on()
    assert leaving.process.wait(PATIENCE_SECONDS) == 0
    found = depot.call("GET", path)
    assert (found["state"], found["job"]["attempts"]) == ("queued", 0)
    assert found["rows"]["read"] == 6
    depot.start()
    depot.yard.until(ENDED, 1)
    assert_complete(depot, path)


def test_a_cancelled_import_keeps_whole_chunks_and_requeued_goes_on(depot: Depot) -> None:
    path = depot.send()
    worker = depot.start("chunk:1")
    worker.wait_for("holding 1")
    job = f"/v1/jobs/{depot.yard.job()['id']}"
    assert depot.call("POST", f"{job}/cancel")["cancel_requested"] is True
    worker.go_on()
    depot.yard.until(ENDED, 1)
    found = depot.call("GET", path)
    assert (found["state"], found["rows"]["read"]) == ("cancelled", 6)
    assert depot.call("POST", f"{job}/requeue")["state"] == "queued"
    depot.yard.until(ENDED, 1)
    assert_complete(depot, path)


def test_the_same_file_sent_again_is_the_same_import_until_it_is_complete(depot: Depot) -> None:
    path = depot.send()
    assert depot.send() == path
    assert depot.yard.query("SELECT count(*) FROM jobs") == [(1,)]
    depot.start()
    depot.yard.until(ENDED, 1)
    assert_complete(depot, path)
    again = depot.send()
    assert again != path
    depot.yard.until(ENDED, 2)
    counts = depot.call("GET", again)["records"]["customers"]
    assert (counts["inserted"], counts["updated"], counts["unchanged"]) == (0, 0, 10)


def test_the_command_works_until_it_is_told_to_leave(depot: Depot) -> None:
    path = depot.send()
    env = {"DATA_DIR": str(depot.settings.data_dir), "TIERING_DATABASE_URL": depot.yard.url}
    command = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "worker"],
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )
    worker = depot.yard.employ(command)
    depot.yard.until(ENDED, 1)
    assert_complete(depot, path)
    assert worker.end() == 0
