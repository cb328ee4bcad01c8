"""What does not become an import: refused at the door, or dead with a reason, never repeated."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.features.imports.service import ordering
from app.infra import multipart
from app.infra.database import AsyncSession
from app.infra.documents import read_document
from app.infra.multipart import LARGEST_TEXT, clean_name
from tests.features.imports.feed import Feed
from tests.features.imports.workbook import rows_of, workbook

pytestmark = pytest.mark.anyio

CSV = b"customer_id,kind\nC1,individual\n"
SECRET = "SENTINEL-110101199001011237"
OPEN = '--b\r\nContent-Disposition: form-data; name="file"; filename="c.csv"\r\n\r\nx\r\n'
FORM = "multipart/form-data; boundary=b"


def part(name: str, content: str) -> str:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{content}\r\n'


async def post(feed: Feed, body: str | bytes, kind: str = FORM) -> tuple[int, str, list[Any]]:
    """Status, slug and refused places of a raw body."""
    raw = body.encode() if isinstance(body, str) else body
    answer = await feed.request("POST", "/v1/imports", content=raw, headers={"Content-Type": kind})
    told = answer.json()
    assert SECRET not in answer.text
    places = [(error["loc"], error["type"]) for error in told.get("errors", [])]
    return answer.status_code, told["type"].removeprefix("/problems/"), places


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ("{}", "application/json", (415, "unsupported-media-type", [])),
        ("file=x", "application/x-www-form-urlencoded", (415, "unsupported-media-type", [])),
        (OPEN, "", (415, "unsupported-media-type", [])),
        (OPEN, "multipart/form-data", (422, "validation", [(["body"], "multipart_invalid")])),
        (OPEN, f"{FORM}{'x' * 300}", (422, "validation", [(["body"], "multipart_invalid")])),
        ("", FORM, (422, "validation", [(["body"], "multipart_invalid")])),
        ("nonsense", FORM, (422, "validation", [(["body"], "multipart_invalid")])),
        (OPEN, FORM, (422, "validation", [(["body"], "multipart_invalid")])),
        (OPEN[:-5], FORM, (422, "validation", [(["body"], "multipart_invalid")])),
        ("--b--\r\n", FORM, (422, "validation", [(["body", "file"], "missing")])),
        (part("record", "customers") + "--b--\r\n", FORM,
         (422, "validation", [(["body", "file"], "missing")])),
        (OPEN + "--b--\r\n", FORM,
         (422, "validation", [(["body", "mapping"], "mapping_or_record")])),
        (OPEN + part("record", "customers") + part("mapping", "a: 1") + "--b--\r\n", FORM,
         (422, "validation", [(["body", "mapping"], "mapping_or_record")])),
        (OPEN + OPEN + "--b--\r\n", FORM, (422, "validation", [(["body", "file"], "repeated")])),
        (OPEN + part("record", "a") * 2 + "--b--\r\n", FORM,
         (422, "validation", [(["body", "record"], "repeated")])),
        (OPEN + part(SECRET, SECRET) + "--b--\r\n", FORM,
         (422, "validation", [(["body", "?"], "extra_forbidden")])),
        ("--b\r\nX: y\r\n\r\nx\r\n--b--\r\n", FORM,
         (422, "validation", [(["body", "?"], "extra_forbidden")])),
        (OPEN + part("record", SECRET) + "--b--\r\n", FORM,
         (422, "validation", [(["body", "record"], "enum")])),
        (OPEN + part("record", "customers") + part("valid_from", "01/02/2026") + "--b--\r\n", FORM,
         (422, "validation", [(["body", "valid_from"], "day_form")])),
        (OPEN + part("record", "customers") + part("valid_from", "0001-01-01") + "--b--\r\n", FORM,
         (422, "validation", [(["body", "valid_from"], "greater_than_equal")])),
        (OPEN + part("mapping", "x" * (LARGEST_TEXT + 1)) + "--b--\r\n", FORM,
         (422, "validation", [(["body", "mapping"], "too_long")])),
        (OPEN.encode() + part("mapping", "x").encode().replace(b"\r\nx", b"\r\n\xff\xfe")
         + b"--b--\r\n", FORM, (422, "validation", [(["body", "mapping"], "not_utf8")])),
        (OPEN + part("mapping", f"a: [{SECRET}") + "--b--\r\n", FORM,
         (422, "validation", [(["body", "mapping"], "yaml_invalid")])),
        (OPEN + part("mapping", f"- {SECRET}") + "--b--\r\n", FORM,
         (422, "validation", [(["body", "mapping"], "yaml_invalid")])),
        (OPEN + part("mapping", f"format: tiering-mapping/1\nsource: {{format: csv}}\nrecords:\n"
                     f"  - {{record: customers, columns: {{{SECRET}: x}}}}") + "--b--\r\n", FORM,
         (422, "validation", [
             (["body", "mapping", "records", 0, "columns"], "mapping_invalid"),
         ])),
    ],
)  # fmt: skip
async def test_what_is_no_such_form_is_refused_at_the_door(
    feed: Feed,
    session: AsyncSession,
    body: str | bytes,
    kind: str,
    expected: tuple[int, str, list[Any]],
) -> None:
    status, slug, places = await post(feed, body, kind)
    assert (status, slug) == expected[:2]
    assert [place for place in expected[2] if place not in places] == []
    assert await session.scalar(text("SELECT count(*) FROM import_runs")) == 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(
            [
                *(b"--b\r\n", b"--b--", b"\r\n", b"\n", b"--", b"\x00", b"\xff", b'"', b";", b"x"),
                b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n',
                b'Content-Disposition: form-data; name="mapping"\r\n\r\n',
                b"Content-Disposition: form-data; name*=utf-8''file\r\n\r\n",
                b"Content-Transfer-Encoding: base64\r\n",
                b"A" * 5000,
            ]
        ),
        max_size=12,
    )
)
async def test_no_body_whatever_ends_in_an_error_of_ours(feed: Feed, pieces: list[bytes]) -> None:
    status, slug, _ = await post(feed, b"".join(pieces))
    assert (status, slug) == (422, "validation")


async def test_a_file_may_be_as_large_as_the_setting_says_and_no_larger(
    feed: Feed, session: AsyncSession
) -> None:
    feed.api.app.state.settings = feed.api.settings.model_copy(
        update={"import_max_bytes": 1_500_000}
    )
    row = b"C%07d,individual\n"
    fitting = b"customer_id,kind\n" + b"".join(row % n for n in range(60_000))
    # More than the megabyte that other bodies may have.
    assert 1_000_000 < len(fitting) < 1_500_000
    assert (await feed.send(fitting)).status_code == 202
    answer = await feed.send(fitting + fitting)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")

    async def without_a_length() -> AsyncIterator[bytes]:
        yield OPEN.encode()[:-3]
        for _ in range(160):
            yield b"y" * 10_000

    kind = {"Content-Type": FORM}
    answer = await feed.request("POST", "/v1/imports", content=without_a_length(), headers=kind)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")
    lying = {**kind, "Content-Length": str(1 << 40)}
    answer = await feed.request("POST", "/v1/imports", content=b"x", headers=lying)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")
    assert await session.scalar(text("SELECT count(*) FROM import_runs")) == 1


async def test_who_stops_sending_is_not_waited_for(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multipart, "_STALLED_SECONDS", 0.05)

    async def stalled() -> AsyncIterator[bytes]:
        yield OPEN.encode()
        await asyncio.Event().wait()

    kind = {"Content-Type": FORM}
    answer = await feed.request("POST", "/v1/imports", content=stalled(), headers=kind)
    assert (answer.status_code, answer.json()["type"]) == (408, "/problems/upload-stalled")


async def test_a_mapping_is_read_beside_the_loop(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_in: list[int] = []

    def read(document: str) -> dict[str, object]:
        read_in.append(threading.get_ident())
        return read_document(document)

    monkeypatch.setattr(ordering, "read_document", read)
    answer = await feed.send(CSV, mapping="a: 1")
    assert answer.json()["type"] == "/problems/validation"
    assert len(read_in) == 1
    assert threading.get_ident() not in read_in


async def test_an_import_takes_from_the_narrower_quota(feed: Feed) -> None:
    answer = await feed.send(CSV)
    assert '"costly"' in answer.headers["RateLimit-Policy"]


@pytest.mark.parametrize(
    ("content", "name", "type_", "told"),
    [
        (b"", "a.csv", "file-unreadable", "a.csv: the file is empty; export it again"),
        ("客户号,姓名\n1,王\n".encode("gb18030"), "a.csv", "file-unreadable",
         "a.csv, line 1: not utf-8; it reads as gb18030: name the file's encoding"),
        ("customer_id,kind\nC1,individual\n".encode("utf-16"), "a.csv", "file-unreadable",
         "it reads as utf-16"),
        (b"customer_id,kind\nC1\n", "a.csv", "file-unreadable", "line 2: 1 cells where the header"),
        (b"PAR1" + b"\x00" * 40, "a.parquet", "file-unreadable", "this is no whole Parquet file"),
        (b"PK\x03\x04broken", "a.xlsx", "file-unreadable", "this is no whole XLSX workbook"),
        (workbook(rows_of([["a"]]) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
         "a.xlsx", "file-unreadable", "a sheet of more than 10,000,000 cells"),
        (b"\xd0\xcf\x11\xe0old", "a.xls", "file-unreadable", "an old (.xls) or encrypted workbook"),
        (b"C1,individual,110101199001011237\nC2,individual,1\n", "a.csv", "file-unreadable",
         "a.csv, column 3: the header holds what looks like a value; put the columns' names first"),
        ("C1,王小明,王小明\n".encode(), "a.csv", "file-unreadable",
         "column 3: the column … occurs twice"),
        (b"customer_id\nC1\n", "a.csv", "mapping-invalid", "the column 'kind' is missing"),
    ],
)  # fmt: skip
async def test_a_file_that_cannot_be_used_is_told_with_place_and_remedy_and_no_value(
    feed: Feed, session: AsyncSession, content: bytes, name: str, type_: str, told: str
) -> None:
    found = await feed.import_file(content, name, record="customers")
    assert (found["state"], found["job"]["state"], found["job"]["attempts"]) == (
        "failed",
        "dead",
        1,
    )
    assert found["job"]["error"]["type"] == type_
    assert told in found["job"]["error"]["detail"]
    assert found["rows"]["read"] == 0
    for secret in ("110101199001011237", "王小明"):
        assert secret not in str(found)
        kept = "SELECT count(*) FROM jobs WHERE error_detail LIKE '%' || :secret || '%'"
        assert await session.scalar(text(kept), {"secret": secret}) == 0


async def test_a_byte_order_mark_is_no_part_of_a_name(feed: Feed) -> None:
    found = await feed.import_file("\ufeff".encode() + CSV)
    assert found["rows"]["loaded"] == 1


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..",
        "C:\\x\\y.csv",
        "a\x00b\r\n.csv",
        "客" * 300,
        "\u202egnp.csv",
        "",
        "/",
    ],
)
async def test_a_name_leads_nowhere(feed: Feed, session: AsyncSession, name: str) -> None:
    found = await feed.import_file(CSV, name or "x", record="customers")
    assert found["state"] == "completed"
    kept = await session.scalar(text("SELECT file_name FROM import_runs"))
    assert kept is not None
    assert not set(kept) & set("/\\\r\n\u202e")
    assert kept not in {"", ".", ".."}


@given(st.text())
def test_every_name_becomes_one_that_a_folder_takes(name: str) -> None:
    kept = clean_name(name)
    assert 0 < len(kept.encode(errors="replace")) <= 180
    assert not set(kept) & set("/\\\x00")
    assert kept not in {".", ".."}
    assert clean_name(kept) == kept
