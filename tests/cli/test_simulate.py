"""`tiering rules simulate`: the same figures as over HTTP, and one line for what is wrong."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.infra.database import libpq_url, open_database
from app.infra.settings import Settings
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates
from tests.features.simulations.rehearsal import generous, watchful

CUSTOMERS = 80
DAY = AS_OF.isoformat()

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def simulate(
    fresh_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Run:
    """Run the command over a small book; status, output, errors."""
    settings = Settings(data_dir=tmp_path / "data")

    async def prepare() -> None:
        async with (
            open_database(fresh_database_url, settings) as database,
            database.sessions.begin() as session,
        ):
            await write_book(session, CUSTOMERS)
            await put_templates(session)

    asyncio.run(prepare())
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("TIERING_DATABASE_URL", libpq_url(fresh_database_url))

    def run(document: dict[str, Any] | str, *options: str) -> tuple[int, str, str]:
        file = tmp_path / "candidate.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        command = ["tiering", "rules", "simulate", str(file), "--as-of", DAY, *options]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as ended:
            main()
        told = capfd.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def test_it_prints_what_would_change_and_writes_nothing(
    simulate: Run, fresh_database_url: str
) -> None:
    status, out, err = simulate(generous(), "--objective", "renewal", "--json")
    assert status == 0, err
    assert f"simulating as of {DAY}: {CUSTOMERS}" in err
    report = json.loads(out)
    moved = sum(
        move["customers"]
        for move in report["moves"]["evaluated"]
        if move["before"] != move["after"]
    )
    assert 0 < moved == report["movers"] < report["customers"] == CUSTOMERS
    assert [part["name"] for part in report["objectives"]] == ["renewal"]
    status, out, _ = simulate(watchful(), "--objective", "renewal")
    assert status == 0
    assert "warning tables[12] gap: premium_ratio" in out
    assert "objective renewal" in out
    assert f"{CUSTOMERS} customers as of {DAY}: {moved} would move" in out

    async def stored() -> list[object]:
        async with (
            open_database(fresh_database_url, Settings()) as database,
            database.sessions() as session,
        ):
            connection = await session.connection()
            found = await connection.exec_driver_sql(
                "SELECT (SELECT count(*) FROM simulations), (SELECT count(*) FROM jobs),"
                " (SELECT count(*) FROM scoring_states)"
            )
            return list(found.one())

    assert asyncio.run(stored()) == [0, 0, 0]


def test_what_is_wrong_is_one_line_each(simulate: Run) -> None:
    gap = generous()
    gap["tables"] = [
        {
            **table,
            "rules": [
                *table["rules"],
                {"id": "TIER5", "when": {"score": "> 1"}, "then": "standard"},
            ],
        }
        if table["id"] == "tier"
        else table
        for table in gap["tables"]
    ]
    for document, options, words in (
        ("tables: [", (), "line 1, column 1: "),
        ({"format": "tiering/1"}, (), "missing"),
        (gap, (), "gap"),
        (generous(), ("--objective", "nobodys"), "no such objective"),
    ):
        status, out, err = simulate(document, *options)
        assert (status, out) == (1, ""), err
        assert words in err
        assert "Traceback" not in err
