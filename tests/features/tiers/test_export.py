from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from app.domain.errors import Conflict, Forbidden, Invalid
from app.domain.privacy.roles import Role
from app.domain.tiering.decision import Cause, CauseKind
from app.features.scoring.service import evaluate_customer
from app.features.tiers.service import export_tiers
from app.infra.cipher import Vault, load_master_key
from app.infra.database import AsyncSession
from app.infra.settings import Settings
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates

pytestmark = pytest.mark.anyio

NOW = datetime(2020, 7, 1, 8, 30, tzinfo=UTC)
TODAY = NOW.date()
COLUMNS = ["customer_id", "tier", "segment", "score", "evaluated_at"]


@pytest.fixture(autouse=True)
async def evaluated(session: AsyncSession, settings: Settings) -> None:
    """Five customers of whom three were evaluated, one under an id like a formula."""
    await write_book(session, 5)
    await put_templates(session)
    await session.execute(
        text("INSERT INTO customers (customer_id, kind) VALUES ('-1.0', 'individual')")
    )
    for customer_id in ("C00000002", "C00000004", "-1.0"):
        await evaluate_customer(
            session,
            customer_id=customer_id,
            as_of=AS_OF,
            cause=Cause(CauseKind.API),
            now=NOW,
            vault=Vault(load_master_key(settings)),
        )


async def unnoted(_written: int) -> None:
    """For tests of what is in the file."""


def names_in(folder: Path) -> set[str]:
    """The files in a folder."""
    return {found.name for found in folder.iterdir() if found.is_file()}


async def stored(session: AsyncSession) -> list[tuple[str, str, str, int]]:
    """What was decided, by customer id."""
    found = await session.execute(
        text("SELECT customer_id, tier_applied, segment, score FROM decisions ORDER BY 1")
    )
    return [(row[0], row[1], row[2], row[3]) for row in found]


async def test_a_csv_holds_everyone_who_has_a_tier_and_no_formula(
    session: AsyncSession, tmp_path: Path
) -> None:
    path = tmp_path / "tiers.csv"
    assert await export_tiers(session, path, today=TODAY, note=unnoted) == 3
    header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    assert header == COLUMNS
    at = "2020-07-01T08:30:00+00:00"
    assert rows == [
        [id_.replace("-1.0", "'-1.0"), tier, segment, str(score), at]
        for id_, tier, segment, score in await stored(session)
    ]


async def test_a_parquet_file_holds_typed_columns(session: AsyncSession, tmp_path: Path) -> None:
    path = tmp_path / "tiers.parquet"
    await export_tiers(session, path, today=TODAY, note=unnoted)
    table = pq.read_table(path)
    assert table.column_names == COLUMNS
    assert [str(field.type) for field in table.schema] == [
        *("string", "string", "string", "int64"),
        "timestamp[us, tz=UTC]",
    ]
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (*row, NOW) for row in await stored(session)
    ]


async def test_a_later_applied_run_that_changed_nothing_counts_as_evaluation(
    session: AsyncSession, tmp_path: Path
) -> None:
    insert = (
        "INSERT INTO reevaluation_runs (id, as_of, mode, state, snapshot_at, customers_total,"
        " customers_done, customers_changed, summary) VALUES (gen_random_uuid(), :as_of, :mode,"
        " 'completed', :at, 0, 0, 0, '{}')"
    )
    for mode, at in (
        ("apply", datetime(2020, 7, 5, tzinfo=UTC)),
        ("recommend", datetime(2020, 7, 9, tzinfo=UTC)),
    ):
        await session.execute(text(insert), {"as_of": AS_OF, "mode": mode, "at": at})
    path = tmp_path / "tiers.csv"
    await export_tiers(session, path, today=TODAY, note=unnoted)
    assert path.read_text().count("2020-07-05T00:00:00+00:00") == 3


async def test_whoever_was_merged_away_since_is_not_told(
    session: AsyncSession, tmp_path: Path
) -> None:
    await session.execute(
        text(
            "INSERT INTO customer_aliases (alias_id, customer_id, merged_on)"
            " VALUES ('C00000002', 'C00000004', '2020-06-30')"
        )
    )
    path = tmp_path / "tiers.csv"
    assert await export_tiers(session, path, today=TODAY, note=unnoted) == 2
    assert "C00000002" not in path.read_text()


async def test_a_role_is_masked_as_everywhere(session: AsyncSession, tmp_path: Path) -> None:
    path = tmp_path / "tiers.csv"
    await export_tiers(session, path, today=TODAY, note=unnoted, role=Role.INTEGRATION)
    _, *rows = csv.reader(path.read_text().splitlines())
    assert [row[2:4] for row in rows] == [["", ""]] * 3
    await export_tiers(session, path, today=TODAY, note=unnoted, role=Role.AGENT)
    _, *rows = csv.reader(path.read_text().splitlines())
    assert all(row[2] and row[3] for row in rows)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN, Role.CUSTOMER])
async def test_a_role_that_sees_no_customer_data_gets_no_file(
    session: AsyncSession, tmp_path: Path, role: Role
) -> None:
    with pytest.raises(Forbidden):
        await export_tiers(session, tmp_path / "tiers.csv", today=TODAY, note=unnoted, role=role)
    assert names_in(tmp_path) == set()


async def test_only_known_formats_are_written(session: AsyncSession, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        await export_tiers(session, tmp_path / "tiers.xls", today=TODAY, note=unnoted)
    assert refused.value.type == "export-format"


async def test_a_folder_that_is_not_there_is_named(session: AsyncSession, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        await export_tiers(session, tmp_path / "no" / "tiers.csv", today=TODAY, note=unnoted)
    assert refused.value.type == "output-refused"
    assert "folder does not exist" in refused.value.detail


async def test_a_file_is_noted_when_it_is_whole_and_before_it_has_its_name(
    session: AsyncSession, tmp_path: Path
) -> None:
    path, noted = tmp_path / "tiers.csv", []

    async def note(written: int) -> None:
        noted.append((written, path.exists()))

    assert await export_tiers(session, path, today=TODAY, note=note) == 3
    assert noted == [(3, False)]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
async def test_without_its_event_there_is_no_file(
    session: AsyncSession, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"tiers.{suffix}"
    path.write_text("as it was")

    async def note(_written: int) -> None:
        raise Conflict("unavailable", "The audit cannot be written.")

    with pytest.raises(Conflict):
        await export_tiers(session, path, today=TODAY, note=note)
    assert names_in(tmp_path) == {path.name}
    assert path.read_text() == "as it was"
