"""`/v1/imports`: anonymous, wrong role, foreign; then files in, counts and rejected rows out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dirty_equals import IsDatetime, IsPartialDict, IsStr
from httpx import Response
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.features.imports.service import ImportOptions, remove_unwanted_uploads, run_import
from app.infra.database import AsyncSession, Database
from app.infra.jobs.lease import claim
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Caller, open_api
from tests.features.imports.desk import ImportDesk
from tests.features.imports.feed import OTHER_FEED, Feed
from tests.features.imports.workbook import rows_of, workbook

pytestmark = pytest.mark.anyio

ROWS = [["customer_id", "kind", "gender"], ["C1", "individual", ""], ["C2", "individual", "=?"]]
CSV = "".join(",".join(row) + "\n" for row in ROWS).encode()
MAPPING = """
format: tiering-mapping/1
source: {format: csv, encoding: gb18030}
filters:
  - {name: closed, reason: the account was closed, when: {value: 状态, equals: 销户}}
records:
  - record: customers
    columns:
      customer_id: 客户号
      kind: {constant: individual}
      name: 姓名
"""
NOBODY = "01a203c5-d8e4-7e70-99e9-34c1969cd2d3"
PATHS = [
    ("POST", "/v1/imports"),
    ("GET", f"/v1/imports/{NOBODY}"),
    ("GET", f"/v1/imports/{NOBODY}/rejected"),
    ("GET", f"/v1/jobs/{NOBODY}"),
    ("POST", f"/v1/jobs/{NOBODY}/cancel"),
    ("POST", f"/v1/jobs/{NOBODY}/requeue"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_only_a_feed_gets_in(feed: Feed, method: str, path: str) -> None:
    assert (await feed.api.call(method, path)).status_code == 401
    for role in set(Role) - {Role.INTEGRATION}:
        caller = Caller(role, "C1" if role is Role.CUSTOMER else None)
        answer = await feed.api.call(method, path, caller)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden"), role


async def test_another_feed_s_import_and_job_are_as_if_they_were_not(feed: Feed) -> None:
    sent = (await feed.send(CSV)).json()
    other = Feed(feed.api, feed.database, OTHER_FEED)
    headers = {"X-Request-Id": "the-same-request"}
    for method, path in PATHS[1:]:
        own_id = sent["id"] if "imports" in path else sent["job_id"]
        foreign = await other.request(method, path.replace(NOBODY, own_id), headers=headers)
        missing = await other.request(method, path, headers=headers)
        assert (foreign.status_code, foreign.content, foreign.headers) == (
            404,
            missing.content,
            missing.headers,
        )
    assert (await feed.request("GET", f"/v1/jobs/{sent['job_id']}")).status_code == 200


async def test_the_whole_way_of_a_file(feed: Feed, session: AsyncSession) -> None:
    answer = await feed.send(CSV)
    sent = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/imports/{sent['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert sent == {"meta": {"masked": []}, "id": IsStr(), "job_id": IsStr()}
    path = answer.headers["Location"]
    assert (await feed.request("GET", path)).json() == IsPartialDict(state="queued", rejected=None)

    await feed.work()

    found = (await feed.request("GET", path)).json()
    customers = {"inserted": 1, "updated": 0, "unchanged": 0, "duplicates": 0}
    job: dict[str, Any] = {
        "id": sent["job_id"],
        "kind": "import",
        "state": "succeeded",
        "progress": {"done": 2, "total": 2},
        "error": None,
        "attempts": 1,
        "max_attempts": 5,
        "cancel_requested": False,
        "created_at": IsDatetime(iso_string=True),
        "finished_at": IsDatetime(iso_string=True),
    }
    assert found == {
        "id": sent["id"],
        "state": "completed",
        "rows": {"read": 2, "loaded": 1, "filtered": {}, "rejected": 1, "unused": 0},
        "records": {"customers": {**customers, "rejected": {"unknown-word": 1}, "warnings": {}}},
        "rejected": f"{path}/rejected",
        "job": job,
        "created_at": IsDatetime(iso_string=True),
        "finished_at": IsDatetime(iso_string=True),
    }
    assert (await feed.request("GET", f"/v1/jobs/{sent['job_id']}")).json() == job
    assert list(await session.scalars(text("SELECT customer_id FROM customers"))) == ["C1"]


async def test_rejected_rows_are_listed_without_a_value_and_the_download_is_written_down(
    feed: Feed, session: AsyncSession
) -> None:
    found = await feed.import_file(CSV)
    answer = await feed.request("GET", found["rejected"])
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    head, line = answer.text.splitlines()
    assert head == "row,outcome,record,column,reason,remedy"
    assert line.startswith("2,rejected,customers,gender,unknown-word,")
    assert "?" not in answer.text
    stored = await session.scalar(text("SELECT counts::text FROM import_chunks"))
    assert stored is not None
    assert "=?" not in stored
    events = await session.execute(
        text("SELECT route, role, status, outcome, subjects, body_hmac FROM audit_events")
    )
    mac = feed.api.app.state.audit.body_hmac(answer.content)
    assert [tuple(event) for event in events] == [
        ("POST /v1/imports", "integration", 202, "changed", [], IsBytes),
        ("GET /v1/imports/{import_id}/rejected", "integration", 200, "answered", [], mac),
    ]


class _AnyBytes:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, bytes)

    def __hash__(self) -> int:
        return 0


IsBytes = _AnyBytes()


async def test_without_its_audit_event_nothing_is_taken_in_and_nothing_handed_out(
    feed: Feed, session: AsyncSession
) -> None:
    found = await feed.import_file(CSV)
    await session.execute(text("ALTER TABLE audit_events RENAME TO gone"))
    await session.commit()
    for answer in (await feed.send(CSV + CSV), await feed.request("GET", found["rejected"])):
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    for table in ("import_runs", "jobs"):
        assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 1


async def test_a_mapping_in_another_encoding_comes_as_text_or_as_a_file(
    feed: Feed, session: AsyncSession
) -> None:
    content = "客户号,姓名,状态\nC1,王小明,正常\nC2,李雷,销户\n".encode("gb18030")
    found = await feed.import_file(content, "客户.csv", mapping=MAPPING)
    assert found["rows"] == {
        "read": 2,
        "loaded": 1,
        "rejected": 0,
        "unused": 0,
        "filtered": {"closed": 1},
    }
    name = await session.scalar(text("SELECT name_masked FROM customers"))
    assert name == "王**"
    files = {"file": ("客户.csv", content), "mapping": ("m.yaml", MAPPING.encode())}
    answer = await feed.request("POST", "/v1/imports", files=files)
    assert answer.status_code == 202
    await feed.work()
    again = (await feed.request("GET", answer.headers["Location"])).json()
    assert again["records"]["customers"]["unchanged"] == 1


async def test_parquet_and_xlsx_store_the_same(
    feed: Feed, session: AsyncSession, tmp_path: Path
) -> None:
    columns = {name: [row[place] for row in ROWS[1:]] for place, name in enumerate(ROWS[0])}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    parquet = await feed.import_file((tmp_path / "x.parquet").read_bytes(), "x.parquet",
                                     record="customers")  # fmt: skip
    xlsx = await feed.import_file(workbook(rows_of(ROWS)), "x.xlsx", record="customers")
    assert parquet["rows"] == xlsx["rows"]
    assert xlsx["records"]["customers"] == IsPartialDict(unchanged=1, inserted=0)
    assert list(await session.scalars(text("SELECT customer_id FROM customers"))) == ["C1"]


async def test_a_stored_file_is_sealed_and_goes_with_its_import(
    feed: Feed, session: AsyncSession
) -> None:
    secret = b"SENTINEL-13800138000"
    content = b"customer_id,kind,phone\nC1,individual," + secret + b"\n"
    # Spaces around a cell are no part of it.
    padding = b"".join(b"C%d,individual," % n + b" " * 2_500 + b"\n" for n in range(2, 1_000))
    await feed.send(content + padding)
    blocks = list(await session.scalars(text("SELECT content FROM import_upload_chunks")))
    assert len(blocks) == 3
    assert not any(secret in block for block in blocks)
    assert list(feed.api.settings.data_dir.glob("*import*")) == []
    await feed.work()
    assert await session.scalar(text("SELECT count(*) FROM import_uploads")) == 0
    assert await session.scalar(text("SELECT count(*) FROM customers")) == 999


async def test_a_stored_file_that_was_changed_is_not_imported(
    feed: Feed, session: AsyncSession
) -> None:
    sent = await feed.send(CSV)
    await session.execute(
        text("UPDATE import_upload_chunks SET content = set_byte(content, 40, 7)")
    )
    await session.commit()
    await feed.work()
    found = (await feed.request("GET", sent.headers["Location"])).json()
    assert (found["state"], found["job"]["error"]["type"]) == ("failed", "upload-broken")


async def test_an_import_that_a_command_began_goes_on_and_one_it_completed_is_done(
    feed: Feed, desk: ImportDesk, session: AsyncSession
) -> None:
    path = desk.folder / "customers.csv"
    path.write_bytes(CSV)
    sent = (await feed.send(CSV)).json()
    await run_import(desk.surroundings, path, ImportOptions(record="customers"))
    assert await session.scalar(text("SELECT count(*) FROM import_runs")) == 1
    await feed.work()
    found = (await feed.request("GET", f"/v1/imports/{sent['id']}")).json()
    assert (found["state"], found["job"]["state"]) == ("completed", "succeeded")
    assert await session.scalar(text("SELECT count(*) FROM import_uploads")) == 0


async def test_what_another_feed_is_importing_is_not_taken_over_until_it_stopped(
    feed: Feed, session: AsyncSession
) -> None:
    first = (await feed.send(CSV)).json()
    other = Feed(feed.api, feed.database, OTHER_FEED)
    refused = await other.send(CSV)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/import-running")
    await feed.request("POST", f"/v1/jobs/{first['job_id']}/cancel")
    taken = await other.send(CSV)
    assert taken.status_code == 202
    assert taken.json()["id"] == first["id"]
    assert taken.json()["job_id"] != first["job_id"]
    # A second job about the same thing cannot be let in by the back door.
    again = await feed.request("POST", f"/v1/jobs/{first['job_id']}/requeue")
    assert again.status_code == 409
    assert await session.scalar(text("SELECT count(*) FROM import_uploads")) == 1


async def test_cancel_and_requeue_say_what_cannot_be(feed: Feed) -> None:
    sent = (await feed.send(CSV)).json()
    job = f"/v1/jobs/{sent['job_id']}"
    refused = await feed.request("POST", f"{job}/requeue")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/job-not-dead")
    for _ in range(2):
        answer = await feed.request("POST", f"{job}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert (await feed.request("POST", f"{job}/requeue")).json()["state"] == "queued"
    await feed.work()
    refused = await feed.request("POST", f"{job}/cancel")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/job-ended")


async def test_files_of_imports_that_failed_are_kept_for_some_days(
    feed: Feed, session: AsyncSession, settings: Settings
) -> None:
    found = await feed.import_file(b"customer_id\n")
    assert found["state"] == "failed"
    await remove_unwanted_uploads(session, settings)
    assert await session.scalar(text("SELECT count(*) FROM import_uploads")) == 1
    past = "now() - interval '8 days'"
    await session.execute(text(f"UPDATE import_uploads SET recorded_at = {past}"))
    await remove_unwanted_uploads(session, settings)
    assert await session.scalar(text("SELECT count(*) FROM import_uploads")) == 1
    await session.execute(text(f"UPDATE jobs SET finished_at = {past}"))
    await remove_unwanted_uploads(session, settings)
    assert await session.scalar(text("SELECT count(*) FROM import_uploads")) == 0
    await session.commit()
    await feed.request("POST", f"/v1/jobs/{found['job']['id']}/requeue")
    await feed.work()
    gone = (await feed.request("GET", f"/v1/jobs/{found['job']['id']}")).json()
    assert (gone["state"], gone["error"]["type"]) == ("dead", "upload-gone")
    again = await feed.send(b"customer_id\n")
    assert again.json()["id"] == found["id"]
    assert UUID(again.json()["job_id"]) != UUID(gone["id"])


async def test_a_lease_is_for_one(feed: Feed) -> None:
    await feed.send(CSV)
    async with feed.database.sessions.begin() as session:
        assert await claim(session, ["import"], 60) is not None
        assert await claim(session, ["import"], 60) is None


async def test_the_same_file_sent_ten_times_at_once_is_one_import(
    committed: Database, settings: Settings
) -> None:
    async with open_api(create_app(settings, committed), settings) as api:
        feed = Feed(api, committed)
        answers = await asyncio.gather(*(feed.send(CSV) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    async with committed.sessions() as session:
        for table in ("import_runs", "import_uploads", "jobs"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 1


async def test_an_order_sent_again_with_its_key_is_the_same_order_even_when_it_is_done(
    feed: Feed,
) -> None:
    async def order(content: bytes) -> Response:
        return await feed.request(
            "POST",
            "/v1/imports",
            headers={"Idempotency-Key": "monday"},
            files={"file": ("customers.csv", content)},
            data={"record": "customers"},
        )

    first = await order(CSV)
    await feed.work()
    again = await order(CSV)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Location"] == first.headers["Location"]
    assert [answer.headers.get("Idempotent-Replayed") for answer in (first, again)] == [
        None,
        "true",
    ]
    other = await order(CSV.replace(b"C1", b"C2"))
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
