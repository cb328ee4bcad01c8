"""Evidence at rest: sealed, unchanged or refused, and kept for its retention whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.features.overrides.service import Arrival, remove_expired_evidence
from app.features.overrides.service.evidence import ArrivedFile, store_file
from app.infra.cipher import MasterKey, Vault
from app.infra.clock import utc_now
from app.infra.database import AsyncSession, Database
from app.infra.jobs import Order, enqueue
from app.infra.jobs.lease import claim
from app.infra.scanner import Scanner
from app.infra.settings import Settings
from app.infra.spool import SealedSpool
from app.worker import HOUSEKEEPING, _keep_house
from tests.factories.evidence import TEXT, pdf
from tests.features.overrides.desk import RITA, Overrides, problem, today
from tests.features.overrides.files import SECRET, Files, sha256, sized
from tests.locks import until_somebody_waits

pytestmark = pytest.mark.anyio

VAULT: Final = Vault(MasterKey(b"k" * 32))
LARGE: Final = sized(2_500_000)


@pytest.fixture
async def files(overrides: Overrides) -> Files:
    """The evidence of Mia's request for C1."""
    return Files(overrides, (await overrides.asked("C1"))["id"])


def database_day() -> date:
    """The day that triggers go by."""
    return utc_now().date()


async def arrived(arrival: Arrival, content: bytes) -> ArrivedFile:
    """A PDF that came and was accepted."""
    await arrival.take([content])
    return await arrival.accept(
        declared="application/pdf", file_name="a.pdf", scanner=Scanner(Settings())
    )


async def put(
    session: AsyncSession,
    settings: Settings,
    until: date,
    content: bytes = b"",
    vault: Vault = VAULT,
) -> UUID:
    """Store a file that is kept until that day."""
    with Arrival(settings, vault) as arrival:
        file = await arrived(arrival, content or pdf())
        file_id = await store_file(session, file, vault=vault, retained_until=until)
    assert (file.sha256, file.media_type) == (sha256(content or pdf()), "application/pdf")
    return file_id


async def run(session: AsyncSession, *statements: str) -> None:
    for statement in statements:
        await session.execute(text(statement))


async def refused_by(session: AsyncSession, *statements: str) -> str | None:
    """The constraint, or the rule in words, that refuses a statement; None where none does."""
    try:
        async with session.begin_nested():
            await run(session, *statements)
    except DBAPIError as error:
        return getattr(error.driver_exception, "constraint_name", None) or str(error.orig)
    return None


async def changed(session: AsyncSession, *statements: str) -> None:
    """Change what cannot be changed, as one who takes the triggers away."""
    tables = ("evidence_files", "evidence_chunks")
    await run(session, *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in tables))
    await run(session, *statements)
    await session.commit()


# ------------------------------------------------------------------------------- nothing in clear


async def test_nothing_of_a_file_or_its_name_is_in_clear_in_the_database(
    files: Files, session: AsyncSession
) -> None:
    content = pdf(SECRET + b"\n")
    await files.add(content, f"{SECRET.decode()}.pdf")
    rows = [
        (await session.execute(text(f"SELECT t::text, t.* FROM {table} t"))).all()
        for table in ("evidence_files", "evidence_chunks", "override_evidence", "audit_events")
    ]
    assert all(rows)
    everything = repr(rows).encode() + b"".join(
        value for table in rows for row in table for value in row if isinstance(value, bytes)
    )
    for form in (SECRET, SECRET.hex().encode(), SECRET.decode().encode("utf-16-le"), b"%PDF"):
        assert form not in everything
    # What was looked for is there, and is opened by whoever has the keys.
    assert (await files.get(content)).content == content


async def test_nothing_of_a_file_is_in_clear_on_the_disk_while_it_waits(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: list[bytes] = []
    write_all = SealedSpool.write_all

    def watch(spool: SealedSpool, pieces: Iterable[bytes]) -> None:
        write_all(spool, pieces)
        on_disk.append(_bytes_of(spool))

    monkeypatch.setattr(SealedSpool, "write_all", watch)
    content = pdf(SECRET * 100_000 + b"\n")
    with Arrival(settings, VAULT) as arrival:
        for start in range(0, len(content), 500_000):
            await arrival.take([content[start : start + 500_000]])
        file = await arrival.accept(
            declared="application/pdf", file_name="a.pdf", scanner=Scanner(settings)
        )
        on_disk.append(_bytes_of(file.spool))
        assert b"".join(file.spool.opened_blocks()) == content
        # It has no name that anybody could open it by.
        assert _named(settings) == []
    assert len(on_disk[-1]) > len(content)
    assert not any(SECRET in held for held in on_disk)


def _named(settings: Settings) -> list[Path]:
    return [path for path in settings.data_dir.rglob("*") if path.is_file()]


def _bytes_of(spool: SealedSpool) -> bytes:
    file = spool._file  # noqa: SLF001 - what the disk holds.
    file.flush()
    place = file.tell()
    file.seek(0)
    held: bytes = file.read()
    file.seek(place)
    return held


# --------------------------------------------------------------------- unchanged, or not at all


CHANGES: Final = """
UPDATE evidence_chunks SET content = set_byte(content, 500, get_byte(content, 500) # 1)
    WHERE chunk_no = 1

DELETE FROM evidence_chunks WHERE chunk_no = 2

DELETE FROM evidence_chunks WHERE chunk_no = 0

UPDATE evidence_chunks SET chunk_no = 9 WHERE chunk_no = 0;
UPDATE evidence_chunks SET chunk_no = 0 WHERE chunk_no = 1;
UPDATE evidence_chunks SET chunk_no = 1 WHERE chunk_no = 9

UPDATE evidence_chunks c SET content = o.content FROM evidence_chunks o
    WHERE o.evidence_id <> c.evidence_id AND o.chunk_no = 0 AND c.chunk_no = 0

UPDATE evidence_files f SET wrapped_key = o.wrapped_key FROM evidence_files o WHERE o.id <> f.id

UPDATE evidence_files SET key_id = 'other'

UPDATE evidence_files SET sha256 = repeat('0', 63) || '1' WHERE size_bytes > 1000000

UPDATE evidence_files SET size_bytes = 1048576 WHERE size_bytes > 2000000

UPDATE evidence_files SET size_bytes = 4000000 WHERE size_bytes > 2000000
""".strip().split("\n\n")


@pytest.mark.parametrize("change", CHANGES)
async def test_a_file_that_was_changed_in_the_database_is_not_given_back(
    files: Files, session: AsyncSession, change: str
) -> None:
    await files.add(LARGE)
    await files.add(pdf(b"%another\n"))
    await changed(session, *change.split(";"))
    digest = await session.scalar(
        text("SELECT sha256 FROM evidence_files ORDER BY size_bytes DESC LIMIT 1")
    )
    assert digest is not None
    answer = await files.get(digest, RITA)
    assert problem(answer) == (500, "internal")
    assert b"PDF" not in answer.content
    events = "SELECT count(*) FROM audit_events WHERE role = 'risk_officer' AND status = 200"
    assert await session.scalar(text(events)) == 0


async def test_what_is_put_behind_a_file_does_not_keep_it_from_anybody(
    files: Files, session: AsyncSession
) -> None:
    await files.add(LARGE)
    await run(
        session,
        "INSERT INTO evidence_chunks SELECT evidence_id, 3, content FROM evidence_chunks"
        " WHERE chunk_no = 0",
    )
    await session.commit()
    assert (await files.get(LARGE)).content == LARGE


# ------------------------------------------------------------------- nobody shortens retention


SHORTENING: Final = {
    "UPDATE evidence_files SET retained_until = retained_until - 1": "ck_evidence_files_retention",
    "UPDATE evidence_files SET retained_until = DATE '2000-01-01', wrapped_key = NULL":
        "ck_evidence_files_retention",
    "UPDATE evidence_files SET wrapped_key = NULL": "ck_evidence_files_retention",
    "UPDATE evidence_files SET retained_until = 'infinity', wrapped_key = NULL":
        "ck_evidence_files_retention",
    "UPDATE evidence_files SET wrapped_key = '\\x00'": "ck_evidence_files_fixed",
    "UPDATE evidence_files SET wrapped_key = '\\x00', key_id = 'x'": "ck_evidence_files_fixed",
    "UPDATE evidence_files SET key_id = 'x'": "ck_evidence_files_fixed",
    "UPDATE evidence_files SET sha256 = repeat('0', 64)": "ck_evidence_files_fixed",
    "UPDATE evidence_files SET size_bytes = 1": "ck_evidence_files_fixed",
    "UPDATE evidence_files SET media_type = 'text/plain'": "ck_evidence_files_fixed",
    "DELETE FROM evidence_chunks": "ck_evidence_files_retention",
    "UPDATE evidence_chunks SET content = ''": "is append-only",
    "UPDATE evidence_chunks SET chunk_no = 9": "is append-only",
    "DELETE FROM evidence_files": "is append-only",
    "TRUNCATE evidence_chunks": "is append-only",
    "TRUNCATE evidence_files CASCADE": "is append-only",
    "SET TIME ZONE 'Pacific/Kiritimati'; DELETE FROM evidence_chunks":
        "ck_evidence_files_retention",
}  # fmt: skip


@pytest.mark.parametrize("who", ["owner", "replica", "role"])
@pytest.mark.parametrize("statement", SHORTENING)
async def test_retention_is_shortened_by_nobody(
    settings: Settings, session: AsyncSession, who: str, statement: str
) -> None:
    # From tomorrow on it may be removed, and not a day before.
    await put(session, settings, database_day() + timedelta(1))
    if who == "replica":
        await run(session, "SET LOCAL session_replication_role = replica")
    if who == "role":
        await run(
            session,
            "CREATE ROLE an_application",
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO an_application",
            "SET LOCAL ROLE an_application",
        )
    refused = await refused_by(session, *statement.split("; "))
    assert refused is not None
    assert SHORTENING[statement] in refused
    assert await session.scalar(text("SELECT count(wrapped_key) FROM evidence_files")) == 1
    assert await session.scalar(text("SELECT count(*) FROM evidence_chunks")) == 1


async def test_retention_may_be_made_longer(settings: Settings, session: AsyncSession) -> None:
    await put(session, settings, database_day())
    longer = "UPDATE evidence_files SET retained_until = retained_until + 1"
    assert await refused_by(session, longer) is None


async def test_the_same_content_is_kept_as_long_as_anybody_needs_it(
    settings: Settings, session: AsyncSession
) -> None:
    near, far = today() + timedelta(400), today() + timedelta(500)
    ids = [await put(session, settings, until) for until in (near, far, near)]
    assert len(set(ids)) == 1
    kept = await session.execute(text("SELECT retained_until FROM evidence_files"))
    assert kept.scalars().all() == [far]


async def test_evidence_is_kept_after_the_end_of_validity_as_long_as_was_set(
    files: Files, session: AsyncSession
) -> None:
    async def kept() -> date:
        found = await session.execute(text("SELECT retained_until FROM evidence_files"))
        day: date = found.scalar_one()
        return day

    keep = timedelta(files.overrides.api.settings.evidence_keep_days)
    assert keep == timedelta(3650)
    await files.add()
    assert await kept() == today() + timedelta(30) + keep
    for days, longest in ((10, 30), (60, 60), (20, 60), (60, 60), (61, 61)):
        until = (today() + timedelta(days)).isoformat()
        assert (await files.overrides.put(files.id, valid_until=until)).status_code == 200
        assert await kept() == today() + timedelta(longest) + keep, days


# ------------------------------------------------------------------------------ after retention


async def test_content_goes_after_retention_and_its_digest_stays(
    settings: Settings, session: AsyncSession
) -> None:
    await put(session, settings, database_day(), pdf(b"%old\n"))
    await put(session, settings, database_day() + timedelta(1), pdf(b"%new\n"))
    # Not before the deployment's day has come, nor before the database's.
    for early in (database_day() - timedelta(1), date(2000, 1, 1)):
        assert await remove_expired_evidence(session, today=early) == 0
    assert await remove_expired_evidence(session, today=database_day() + timedelta(9)) == 1
    found = await session.execute(
        text(
            "SELECT sha256, wrapped_key IS NULL, count(chunk_no) FROM evidence_files f"
            " LEFT JOIN evidence_chunks ON evidence_id = f.id GROUP BY f.id ORDER BY f.id"
        )
    )
    assert [tuple(row) for row in found] == [
        (sha256(pdf(b"%old\n")), True, 0),
        (sha256(pdf(b"%new\n")), False, 1),
    ]
    assert await remove_expired_evidence(session, today=database_day()) == 0


async def test_what_was_removed_is_answered_as_gone_until_it_is_sent_again(
    files: Files, session: AsyncSession
) -> None:
    first = await files.add()
    await changed(session, "UPDATE evidence_files SET retained_until = DATE '2020-01-01'")
    assert await remove_expired_evidence(session, today=database_day()) == 1
    await session.commit()
    assert problem(await files.get(pdf(), RITA)) == (410, "evidence-removed")
    told = (await files.overrides.get(files.id, RITA)).json()
    assert (told["digest"], told["evidence"][0]["sha256"]) == (first["digest"], sha256(pdf()))
    others = Files(files.overrides, (await files.overrides.asked("C2"))["id"])
    await others.add()
    assert (await files.get(pdf(), RITA)).content == pdf()
    assert await session.scalar(text("SELECT count(*) FROM evidence_files")) == 1


async def test_housekeeping_removes_it(
    committed: Database, fresh_database_url: str, settings: Settings
) -> None:
    async with committed.sessions.begin() as session:
        await put(session, settings, date(2020, 1, 1))
        await put(session, settings, today() + timedelta(9), TEXT_PDF)
        await enqueue(session, Order(HOUSEKEEPING, {}, HOUSEKEEPING, "nobody", "none"))
    async with committed.sessions.begin() as session:
        lease = await claim(session, [HOUSEKEEPING], 60)
    assert lease is not None
    await _keep_house(fresh_database_url, settings, lease)
    async with committed.sessions() as session:
        kept = await session.scalars(
            text("SELECT sha256 FROM evidence_files WHERE wrapped_key IS NOT NULL")
        )
        assert kept.all() == [sha256(TEXT_PDF)]


TEXT_PDF: Final = pdf(b"%" + TEXT.replace(b"\r\n", b""))


# -------------------------------------------------------------------------------------- at once


@pytest.mark.parametrize("first_succeeds", [True, False])
async def test_two_who_send_the_same_at_once_both_succeed(
    committed: Database, settings: Settings, *, first_succeeds: bool
) -> None:
    until = today() + timedelta(400)
    async with committed.sessions() as first, committed.sessions() as second:
        first_id = await put(first, settings, until)
        waiting = asyncio.create_task(put(second, settings, until + timedelta(1)))
        await until_somebody_waits(committed)
        assert not waiting.done()
        await (first.commit() if first_succeeds else first.rollback())
        second_id = await waiting
        await second.commit()
    assert (first_id == second_id) == first_succeeds
    async with committed.sessions() as session:
        found = await session.execute(
            text(
                "SELECT f.id, retained_until, count(chunk_no) FROM evidence_files f"
                " JOIN evidence_chunks ON evidence_id = f.id GROUP BY f.id"
            )
        )
        assert [tuple(row) for row in found] == [(second_id, until + timedelta(1), 1)]


async def test_a_file_that_is_sent_while_it_is_removed_is_there_after(
    committed: Database, settings: Settings
) -> None:
    async with committed.sessions.begin() as session:
        await put(session, settings, date(2020, 1, 1))
    async with committed.sessions() as first, committed.sessions() as second:
        assert await remove_expired_evidence(first, today=database_day()) == 1
        waiting = asyncio.create_task(put(second, settings, today() + timedelta(400)))
        await until_somebody_waits(committed)
        await first.commit()
        await waiting
        # Nor is one waited for that is being stored.
        assert await remove_expired_evidence(first, today=database_day()) == 0
        await second.commit()
    async with committed.sessions() as session:
        counts = "SELECT count(wrapped_key), count(content) FROM evidence_files f"
        joined = f"{counts} LEFT JOIN evidence_chunks ON evidence_id = f.id"
        assert tuple((await session.execute(text(joined))).one()) == (1, 1)
