"""Evidence over HTTP: what is taken, who fetches it, and what is written down of that."""

from __future__ import annotations

import asyncio
import base64
import shlex
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final
from urllib.parse import unquote

import pytest
from dirty_equals import IsDatetime, IsStr
from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra import multipart
from app.infra.database import AsyncSession
from tests.api import Caller
from tests.factories.customers import put_customer
from tests.factories.evidence import JPEG, TEXT, archive, pdf, png
from tests.features.overrides.desk import (
    AGENT,
    BEA,
    CLEO,
    MIA,
    NOAH,
    RITA,
    Overrides,
    problem,
    today,
)
from tests.features.overrides.files import FORM, HEAD, SECRET, TAIL, Files, sha256, sized

pytestmark = pytest.mark.anyio

LIMIT: Final = 10 * 1024 * 1024


@pytest.fixture
async def files(overrides: Overrides) -> Files:
    """The evidence of Mia's request for C1."""
    return Files(overrides, (await overrides.asked("C1"))["id"])


async def stored(session: AsyncSession) -> tuple[int, int, int]:
    """How many files, chunks and links there are."""
    counts = [
        await session.scalar(text(f"SELECT count(*) FROM {table}"))
        for table in ("evidence_files", "evidence_chunks", "override_evidence")
    ]
    return counts[0], counts[1], counts[2]


async def noted(session: AsyncSession, outcome: str) -> list[tuple[object, ...]]:
    """What the audit holds of routes of evidence, by outcome."""
    found = await session.execute(
        text(
            "SELECT role, purpose, subjects, record_version, status FROM audit_events"
            " WHERE route LIKE '%evidence%' AND outcome = :outcome ORDER BY at, seq"
        ),
        {"outcome": outcome},
    )
    return [tuple(row) for row in found]


async def test_nobody_but_who_asked_adds_evidence(files: Files, session: AsyncSession) -> None:
    assert (await files.send(caller=None)).status_code == 401
    for caller in (AGENT, RITA, BEA, CLEO, Caller(Role.ADMIN), Caller(Role.CUSTOMER, "C1")):
        assert problem(await files.send(caller=caller)) == (403, "forbidden"), caller
    # Noah may not know of it.
    assert problem(await files.send(caller=NOAH)) == (404, "not-found")
    unknown = Files(files.overrides, "019a0000-0000-7000-8000-000000000000")
    assert problem(await unknown.send()) == (404, "not-found")
    # Mia sees what is asked for her customer, and changes nothing of it.
    of_noah = Files(files.overrides, (await files.overrides.asked("C2", NOAH))["id"])
    assert problem(await of_noah.send()) == (403, "not-requester")
    assert await stored(session) == (0, 0, 0)


async def test_a_file_makes_a_new_version_and_what_was_approved_is_void(
    files: Files, session: AsyncSession
) -> None:
    assert (await files.overrides.approve(files.id, RITA)).status_code == 201
    content = pdf(b"%first\n")
    answer = await files.send(content, "证明 1.pdf")
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{files.path}/{sha256(content)}"
    told = answer.json()
    assert (told["version"], told["waits_for"]) == (2, ["risk", "business"])
    assert [approval["counts"] for approval in told["approvals"]] == [False]
    read = (await files.overrides.get(files.id, RITA)).json()
    assert read["digest"] == told["digest"]
    assert read["evidence"] == [
        {
            "sha256": sha256(content),
            "media_type": "application/pdf",
            "size_bytes": len(content),
            "file_name": "证明 1.pdf",
            "added_at": IsDatetime(iso_string=True),
            "retained_until": IsStr(regex=r"\d{4}-\d\d-\d\d"),
        }
    ]
    assert await noted(session, "changed") == [
        ("account_manager", None, ["C1"], sha256(content), 201)
    ]
    again = await files.add(pdf(b"%second\n"), "b.pdf")
    assert (again["version"], [file["sha256"] for file in again["evidence"]]) == (
        3,
        [sha256(content), sha256(pdf(b"%second\n"))],
    )
    assert await stored(session) == (2, 2, 3)


async def test_the_same_file_again_changes_nothing(files: Files, session: AsyncSession) -> None:
    first = await files.add()
    again = await files.add(name="other name.pdf")
    assert (again["version"], again["digest"]) == (first["version"], first["digest"])
    assert await stored(session) == (1, 1, 1)


async def test_two_requests_rest_on_one_stored_file(files: Files, session: AsyncSession) -> None:
    others = Files(files.overrides, (await files.overrides.asked("C2"))["id"])
    await files.add(name="a.pdf")
    await others.add(name="b.pdf")
    assert await stored(session) == (1, 1, 2)
    assert "a.pdf" in (await files.get(pdf())).headers["Content-Disposition"]
    assert "b.pdf" in (await others.get(pdf())).headers["Content-Disposition"]


async def test_a_repetition_is_answered_as_the_first_was(
    files: Files, session: AsyncSession
) -> None:
    key = {"Idempotency-Key": "k"}
    first = await files.send(headers=key)
    again = await files.send(headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert again.headers["Location"] == first.headers["Location"]
    other = await files.send(pdf(b"%other\n"), headers=key)
    assert problem(other) == (422, "idempotency-key-reused")
    renamed = await files.send(name="b.pdf", headers=key)
    assert problem(renamed) == (422, "idempotency-key-reused")
    assert await stored(session) == (1, 1, 1)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (png(), "a.png", "image/png"),
        (JPEG, "a.JPEG", "image/jpeg"),
        (TEXT, "信.txt", "text/plain; charset=utf-8"),
    ],
    ids=["png", "jpeg", "text"],
)
async def test_other_types_come_back_as_they_were_sent(
    files: Files, content: bytes, name: str, kind: str
) -> None:
    assert (await files.send(content, name, kind)).status_code == 201
    got = await files.get(content, BEA)
    assert (got.content, got.headers["Content-Type"]) == (content, kind)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"<html><script>1</script>", "a.pdf", "application/pdf"),
        (png(), "a.pdf", "application/pdf"),
        (png(), "a.pdf", "image/png"),
        (JPEG, "a.png", "image/png"),
        (JPEG, "a.jpg", "image/png"),
        (archive(), "a.pdf", "application/pdf"),
        (pdf() + archive(), "a.pdf", "application/pdf"),
        (b"MZ" + bytes(100), "a.txt", "text/plain"),
        (pdf()[:-20], "a.pdf", "application/pdf"),
        ("a".encode("utf-16"), "a.txt", "text/plain"),
        (b"a\x00b", "a.txt", "text/plain"),
        (b"<svg/>", "a.txt", "text/plain"),
        (b"<svg/>", "a.svg", "image/svg+xml"),
        (TEXT, "a.txt", "application/octet-stream"),
    ],
    ids=range(14),
)
async def test_a_file_that_lies_is_refused(
    files: Files, session: AsyncSession, content: bytes, name: str, kind: str
) -> None:
    assert problem(await files.send(content, name, kind)) == (415, "evidence-type")
    assert await stored(session) == (0, 0, 0)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (HEAD + TAIL, (422, "validation", [(["body", "file"], "empty")])),
        (b"--b--\r\n", (422, "validation", [(["body", "file"], "missing")])),
        (HEAD + pdf(), (422, "validation", [(["body"], "multipart_invalid")])),
        (HEAD + pdf() + b"\r\n" + HEAD + pdf() + TAIL,
         (422, "validation", [(["body", "file"], "repeated")])),
        (HEAD.replace(b'"file"', b'"SENTINEL"') + pdf() + TAIL,
         (422, "validation", [(["body", "?"], "extra_forbidden")])),
        # A part that does not say what it is is a text (RFC 7578).
        (HEAD.replace(b"Content-Type: application/pdf\r\n", b"") + pdf() + TAIL,
         (415, "evidence-type", [])),
    ],
)  # fmt: skip
async def test_what_is_no_such_form_is_refused(
    files: Files, body: bytes, expected: tuple[int, str, object]
) -> None:
    api = files.overrides.api
    sent = {**FORM, "Authorization": f"Bearer {api.token(MIA)}"}
    answer = await api.client.post(files.path, content=body, headers=sent)
    places = [(error["loc"], error["type"]) for error in answer.json().get("errors", [])]
    assert (*problem(answer), places) == expected
    assert "SENTINEL" not in answer.text


async def test_the_largest_file_is_taken_and_given_back_and_no_larger_one(
    files: Files, session: AsyncSession
) -> None:
    largest = sized(LIMIT)
    assert len(largest) == LIMIT
    assert problem(await files.send(sized(LIMIT + 1))) == (413, "body-too-large")
    assert await stored(session) == (0, 0, 0)
    assert (await files.send(largest)).status_code == 201
    assert await stored(session) == (1, 10, 1)
    assert (await files.get(largest)).content == largest


async def test_a_smaller_limit_counts_for_who_says_no_length(files: Files) -> None:
    api = files.overrides.api
    api.app.state.settings = api.settings.model_copy(update={"evidence_max_bytes": 100_000})

    async def body() -> AsyncIterator[bytes]:
        yield HEAD
        for _ in range(11):
            yield b"x" * 10_000
        yield TAIL

    sent = {**FORM, "Authorization": f"Bearer {api.token(MIA)}"}
    answer = await api.client.post(files.path, content=body(), headers=sent)
    assert problem(answer) == (413, "body-too-large")


async def test_a_file_that_comes_byte_by_byte(files: Files) -> None:
    api = files.overrides.api
    form = HEAD + pdf(b"%slow\n") + TAIL

    async def body() -> AsyncIterator[bytes]:
        for place in range(len(form)):
            yield form[place : place + 1]

    sent = {**FORM, "Authorization": f"Bearer {api.token(MIA)}"}
    answer = await api.client.post(files.path, content=body(), headers=sent)
    assert answer.status_code == 201, answer.text
    assert (await files.get(pdf(b"%slow\n"))).content == pdf(b"%slow\n")


async def test_who_stops_sending_is_not_waited_for(
    files: Files, monkeypatch: pytest.MonkeyPatch, session: AsyncSession
) -> None:
    monkeypatch.setattr(multipart, "_STALLED_SECONDS", 0.05)
    api = files.overrides.api

    async def body() -> AsyncIterator[bytes]:
        yield HEAD + pdf()
        await asyncio.Event().wait()

    sent = {**FORM, "Authorization": f"Bearer {api.token(MIA)}"}
    answer = await api.client.post(files.path, content=body(), headers=sent)
    assert problem(answer) == (408, "upload-stalled")
    assert await stored(session) == (0, 0, 0)


@pytest.mark.parametrize(
    ("status", "expected"), [(1, (422, "evidence-refused")), (2, (503, "unavailable"))]
)
async def test_what_the_scanner_does_not_let_through_is_not_stored(
    files: Files, session: AsyncSession, status: int, expected: tuple[int, str]
) -> None:
    api = files.overrides.api
    program = f"import sys; sys.exit({status} * (b'EICAR' in sys.stdin.buffer.read()))"
    command = shlex.join([sys.executable, "-c", program])
    api.app.state.settings = api.settings.model_copy(update={"evidence_scanner": command})
    answer = await files.send(pdf(b"%EICAR\n"))
    assert problem(answer) == expected
    assert ("Retry-After" in answer.headers) == (status == 2)
    assert await stored(session) == (0, 0, 0)
    assert (await files.send()).status_code == 201


async def test_who_fetches_evidence_and_what_is_written_down(
    files: Files, session: AsyncSession
) -> None:
    content = pdf(SECRET + b"\n")
    await files.add(content, "=cmd|'x' 合同\u202e.pdf")
    assert (await files.overrides.api.get(f"{files.path}/{sha256(content)}")).status_code == 401
    for caller in (AGENT, Caller(Role.ADMIN), Caller(Role.CUSTOMER, "C1")):
        assert problem(await files.get(content, caller)) == (403, "forbidden"), caller
    for caller in (MIA, RITA, BEA, CLEO):
        refused = await files.get(content, caller, purpose=False)
        assert problem(refused) == (403, "purpose-required")
    foreign, unknown = await files.get(content, NOAH), await files.get(sha256(b""))
    assert problem(foreign) == problem(unknown) == (404, "not-found")
    assert problem(await files.get("no-digest"))[0] == 422
    for caller in (MIA, RITA, BEA):
        assert (await files.get(content, caller)).content == content
    got = await files.get(content, CLEO)
    assert (got.status_code, got.content) == (200, content)
    digest = base64.b64encode(bytes.fromhex(sha256(content))).decode()
    name = got.headers["Content-Disposition"]
    told = {key: value for key, value in got.headers.items() if key in HEADERS}
    assert told == {
        "content-type": "application/pdf",
        "content-length": str(len(content)),
        "content-disposition": IsStr(),
        "content-security-policy": "sandbox",
        "cache-control": "no-store",
        "repr-digest": f"sha-256=:{digest}:",
        "x-content-type-options": "nosniff",
    }
    assert unquote(name.partition("''")[2]) == "=cmd|'x' 合同_.pdf"
    assert name.startswith("attachment; filename=\"=cmd|_x_ ___.pdf\"; filename*=UTF-8''")
    wanted = ("override_review", ["C1"], sha256(content), 200)
    assert await noted(session, "answered") == [
        (role, *wanted)
        for role in ("account_manager", "risk_officer", "business_officer", "compliance")
    ]


HEADERS: Final = (
    "content-type",
    "content-length",
    "content-disposition",
    "content-security-policy",
    "cache-control",
    "repr-digest",
    "x-content-type-options",
)


async def test_the_hmac_of_what_was_fetched_is_written_down(
    files: Files, session: AsyncSession
) -> None:
    await files.add()
    got = await files.get(pdf(), RITA)
    hmac = await session.scalar(
        text("SELECT body_hmac FROM audit_events WHERE role = 'risk_officer' AND status = 200")
    )
    assert hmac == files.overrides.api.app.state.audit.body_hmac(got.content)


async def test_without_its_audit_event_no_byte_leaves(files: Files, session: AsyncSession) -> None:
    await files.add()
    await session.execute(text("ALTER TABLE audit_events RENAME TO audit_elsewhere"))
    await session.commit()
    answer = await files.get(pdf(), RITA)
    assert problem(answer) == (503, "unavailable")
    assert b"PDF" not in answer.content


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("..\\..\\a.pdf", "a.pdf"),
        ("/etc/a.pdf", "a.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "a__Set-Cookie_ x.pdf"),
        ("客" * 100 + ".pdf", "客" * 58 + ".pdf"),
        ("\u2066\u2068.pdf", "__.pdf"),
        ("%41.pdf", "%41.pdf"),
    ],
)
async def test_a_name_does_no_harm(files: Files, name: str, kept: str) -> None:
    api = files.overrides.api
    written = name.encode().replace(b"\\", b"\\\\").replace(b"\r\n", b"\x01\x02")
    body = HEAD.replace(b"a.pdf", written) + pdf() + TAIL
    sent = {**FORM, "Authorization": f"Bearer {api.token(MIA)}"}
    answer = await api.client.post(files.path, content=body, headers=sent)
    assert answer.status_code == 201, answer.text
    shown = (await files.get(pdf())).headers["Content-Disposition"]
    assert shown.isascii()
    assert unquote(shown.partition("''")[2]) == kept
    assert (await files.overrides.get(files.id, RITA)).json()["evidence"][0]["file_name"] == kept


async def test_evidence_of_every_version_can_be_fetched(
    files: Files, session: AsyncSession
) -> None:
    await files.add()
    answer = await files.overrides.put(files.id)
    assert (answer.status_code, answer.json()["version"]) == (200, 3)
    assert [file["sha256"] for file in answer.json()["evidence"]] == [sha256(pdf())]
    assert await stored(session) == (1, 1, 2)
    await files.overrides.withdraw(files.id)
    assert (await files.get(pdf(), CLEO)).status_code == 200
    assert problem(await files.send(pdf(b"%late\n"))) == (409, "already-decided")


async def test_evidence_of_many_is_theirs_together(
    overrides: Overrides, session: AsyncSession
) -> None:
    asked = (await overrides.ask_bulk(["C1", "C2"])).json()
    files = Files(overrides, asked["id"])
    await files.add()
    of_one = Files(overrides, asked["overrides"][0]["id"])
    assert problem(await of_one.send(pdf(b"%x\n"))) == (409, "part-of-bulk")
    for place in (files, of_one):
        assert (await place.get(pdf(), RITA)).content == pdf()
    assert (await files.get(pdf(), MIA)).status_code == 200
    for _, _, subjects, version, _ in await noted(session, "answered"):
        assert (subjects, version) == (["C1", "C2"], sha256(pdf()))


async def test_who_asked_fetches_it_though_the_customer_is_somebody_elses_now(
    files: Files,
) -> None:
    await files.add()
    await put_customer(files.overrides.api, "C1", account_manager="noah")
    assert (await files.get(pdf(), MIA)).status_code == 200
    assert (await files.get(pdf(), NOAH)).status_code == 200


async def test_no_more_than_twenty_files(files: Files, session: AsyncSession) -> None:
    for number in range(20):
        await files.add(pdf(b"%%%d\n" % number))
    assert problem(await files.send(pdf(b"%one more\n"))) == (409, "too-many-files")
    assert (await stored(session))[0] == 20


async def test_nobody_learns_by_sending_a_file_that_it_is_here_already(
    files: Files, overrides: Overrides
) -> None:
    late = (today() + timedelta(300)).isoformat()
    assert (await overrides.put(files.id, valid_until=late)).status_code == 200
    await files.add()
    asked = await overrides.asked("C3", NOAH)
    his = Files(overrides, asked["id"])
    first = (await his.send(caller=NOAH)).json()["evidence"][0]
    second = (await his.send(pdf(b"%new\n"), caller=NOAH)).json()["evidence"][1]
    assert first["retained_until"] == second["retained_until"]
    # Who may know of all requests is told when it may be removed.
    read = (await overrides.get(asked["id"], RITA)).json()["evidence"][0]
    assert read["retained_until"] > first["retained_until"]
