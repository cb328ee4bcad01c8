"""Jobs survive their workers: killed, stopped, terminated, doubled, or without a database."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.infra.embedded import client_program
from tests.faults.nursery import Nursery
from tests.faults.workers import Yard, open_yard
from tests.patience import PATIENCE_SECONDS

ENDED = "SELECT count(*) FROM jobs WHERE state NOT IN ('queued', 'running')"


@pytest.fixture
def yard(fresh_database_url: str, nursery: Nursery) -> Iterator[Yard]:
    with open_yard(fresh_database_url, nursery) as opened:
        yield opened


def test_a_job_whose_worker_was_killed_is_taken_up_by_another_where_it_was(yard: Yard) -> None:
    yard.order("steps", steps="4", hold="2")
    first = yard.start()
    first.wait_for("holding 2")
    first.signal(signal.SIGKILL)
    yard.start()
    yard.until(ENDED, 1)
    assert yard.steps() == [0, 1, 2, 3]
    job = yard.job()
    assert (job["state"], job["attempts"], job["done"], job["total"]) == ("succeeded", 2, 4, 4)


@pytest.mark.parametrize(("no_fence", "steps"), [("0", [0, 1, 2]), ("1", [0, 1, 1, 2, 2])])
def test_a_worker_that_comes_back_after_its_lease_stores_nothing(
    yard: Yard, no_fence: str, steps: list[int]
) -> None:
    # The control: without the fence every step from there on would be stored twice.
    yard.order("steps", steps="3", hold="1")
    zombie = yard.start(env={"TIERING_TEST_NO_FENCE": no_fence})
    zombie.wait_for("holding 1")
    zombie.signal(signal.SIGSTOP)
    yard.start()
    yard.until(ENDED, 1)
    zombie.go_on()
    zombie.signal(signal.SIGCONT)
    zombie.wait_for("lost 1" if no_fence == "0" else "ended")
    assert zombie.end() == 0
    assert yard.steps() == steps
    assert (yard.job()["state"], yard.job()["epoch"]) == ("succeeded", 2)


def test_a_job_that_kills_its_workers_is_dead_after_its_last_attempt(yard: Yard) -> None:
    yard.order("poison", attempts=2)
    for _ in range(2):
        assert yard.start().process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    yard.start()
    yard.until(ENDED, 1)
    job = yard.job()
    assert (job["state"], job["attempts"], job["error_type"]) == ("dead", 2, "worker-lost")


def test_two_workers_do_every_job_once_and_share_them(yard: Yard) -> None:
    yard.start()
    yard.start()
    yard.order("steps", 50, steps="1")
    yard.until(ENDED, 50)
    rows = yard.query("SELECT job_id, count(*), min(writer) FROM notes GROUP BY job_id")
    assert len(rows) == 50
    assert {count for _, count, _ in rows} == {1}
    assert len({writer for _, _, writer in rows}) == 2
    assert yard.query("SELECT DISTINCT state, attempts FROM jobs") == [("succeeded", 1)]


@pytest.mark.parametrize("ends_in_time", [True, False])
def test_a_worker_that_is_told_to_leave_gives_its_job_back(yard: Yard, ends_in_time: bool) -> None:  # noqa: FBT001 - a parameter of the test.
    yard.order("steps", steps="3", hold="1")
    leaving = yard.start()
    leaving.wait_for("holding 1")
    leaving.signal(signal.SIGTERM)
    leaving.wait_for("leaving")
    if ends_in_time:
        leaving.go_on()
    assert leaving.process.wait(PATIENCE_SECONDS) == 0
    job = yard.job()
    assert (job["state"], job["attempts"], job["error_type"]) == ("queued", 0, None)
    yard.start()
    # It was its first attempt again, so it holds again.
    yard.workers[-1].wait_for("holding 1")
    yard.workers[-1].go_on()
    yard.until(ENDED, 1)
    assert yard.steps() == [0, 1, 2]


def test_a_running_job_that_is_cancelled_stops_between_two_steps(yard: Yard) -> None:
    yard.order("steps", steps="3", hold="1")
    worker = yard.start()
    worker.wait_for("holding 1")
    yard.query("UPDATE jobs SET cancel_requested = true")
    # The heartbeat brings the word, after which the lease lasts longer again.
    before = yard.job()["leased_until"]
    yard.until(f"SELECT count(*) FROM jobs WHERE leased_until > '{before}'", 1)
    worker.go_on()
    yard.until(ENDED, 1)
    assert (yard.job()["state"], yard.steps()) == ("cancelled", [0])


def test_a_cancelled_job_whose_worker_is_gone_is_not_taken_up(yard: Yard) -> None:
    yard.order("steps", steps="3", hold="1")
    worker = yard.start()
    worker.wait_for("holding 1")
    yard.query("UPDATE jobs SET cancel_requested = true")
    worker.signal(signal.SIGKILL)
    yard.start()
    yard.until(ENDED, 1)
    assert (yard.job()["state"], yard.steps()) == ("cancelled", [0])


def test_what_passes_by_itself_is_tried_again_and_what_does_not_is_dead_at_once(
    yard: Yard,
) -> None:
    yard.start()
    yard.order("failing", how="once", until="3")
    yard.until(ENDED, 1)
    assert (yard.job()["state"], yard.job()["attempts"]) == ("succeeded", 3)
    yard.query("DELETE FROM jobs")
    yard.order("failing", attempts=2, how="once", until="9")
    yard.until(ENDED, 1)
    job = yard.job()
    assert (job["state"], job["attempts"], job["error_type"]) == ("dead", 2, "unexpected")
    # Only our own errors are told; what others say may hold anything.
    assert "13800138000" not in str(job)
    yard.query("DELETE FROM jobs")
    yard.order("failing", how="for-good")
    yard.until(ENDED, 1)
    job = yard.job()
    assert (job["state"], job["attempts"], job["error_type"]) == ("dead", 1, "cannot-be")
    assert job["error_detail"] == "line 3: no such thing; write another"


def test_a_new_job_wakes_a_worker_that_lost_its_database_meanwhile(yard: Yard) -> None:
    yard.start()
    gone = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    listening = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND query LIKE 'LISTEN%'"
    )
    yard.until(listening, 1)
    assert yard.query(gone)[0][0] >= 1
    yard.order("steps", steps="1")
    yard.until(ENDED, 1)
    yard.until(listening, 1)
    assert yard.job()["state"] == "succeeded"


def restart_at_once(yard: Yard) -> None:
    """What a crash of the server does: every connection is cut, and what is not committed lost."""
    folder = Path(yard.query("SHOW data_directory")[0][0])
    binaries = os.environ.get("TIERING_TEST_PG_BIN")
    program = str(Path(binaries) / "pg_ctl") if binaries else client_program("pg_ctl")
    owner = pwd.getpwuid(folder.stat().st_uid).pw_name if os.geteuid() == 0 else None
    subprocess.run(
        [program, "-D", str(folder), "-w", "-m", "immediate", "restart", "-l", os.devnull],
        check=True,
        user=owner,
        cwd="/",
        stdout=subprocess.DEVNULL,
    )


def test_a_job_goes_on_after_an_immediate_restart_of_the_database(yard: Yard) -> None:
    # The tests' server forgets its latest commits when it crashes; ours may not.
    name = yard.query("SELECT current_database()")[0][0]
    yard.query(f"ALTER DATABASE {name} SET synchronous_commit = on")
    yard.order("steps", steps="3", hold="1")
    worker = yard.start()
    worker.wait_for("holding 1")
    restart_at_once(yard)
    worker.go_on()
    yard.until(ENDED, 1)
    assert yard.steps() == [0, 1, 2]
    assert yard.job()["state"] == "succeeded"
    assert worker.end() == 0
