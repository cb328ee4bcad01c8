"""The commands as a person runs them: results on standard output, one line for what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.output import progress
from app.infra.database import libpq_url
from tests.paths import ROOT


def tiering(
    *arguments: str, data_dir: Path, database: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, from another folder than the project's."""
    environment = os.environ | {"DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT)} | more
    environment.pop("TIERING_DATABASE_URL", None)
    if database is not None:
        environment["TIERING_DATABASE_URL"] = libpq_url(database)
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=data_dir.parent,
        env=environment,
        check=False,
    )


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_help_names_every_command(data_dir: Path) -> None:
    shown = tiering("--help", data_dir=data_dir)
    assert shown.returncode == 0
    for command in ("demo", "serve", "migrate", "import", "reevaluate", "export", "token", "rules"):
        assert command in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("import", "nowhere.csv"), "nowhere.csv"),
        (("reevaluate", "--as-of", "yesterday"), "--as-of"),
        (("token", "--role", "king"), "--role"),
        (("rules", "load", "nowhere.yaml"), "nowhere.yaml"),
        (("db", "restore", "nowhere.dump"), "nowhere.dump"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_bad_input_is_one_line_and_never_a_traceback(
    data_dir: Path, fresh_database_url: str, arguments: tuple[str, ...], words: str
) -> None:
    failed = tiering(*arguments, data_dir=data_dir, database=fresh_database_url)
    assert failed.returncode in {1, 2}
    assert failed.stdout == ""
    [line] = failed.stderr.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_a_database_that_is_not_there_is_one_line(data_dir: Path) -> None:
    failed = tiering("migrate", data_dir=data_dir, database="postgresql://u:secret@127.0.0.1:1/x")
    assert failed.returncode == 1
    [line] = failed.stderr.splitlines()
    assert "TIERING_DATABASE_URL" in line
    assert "secret" not in line


def test_serving_an_old_database_names_the_remedy(data_dir: Path, fresh_database_url: str) -> None:
    tiering(
        "db",
        "psql",
        "-c",
        "UPDATE alembic_version SET version_num = 'old'",
        data_dir=data_dir,
        database=fresh_database_url,
    )
    failed = tiering("serve", data_dir=data_dir, database=fresh_database_url)
    assert failed.returncode == 1
    assert "run `tiering migrate`" in failed.stderr


def test_production_refuses_what_is_made_up_on_the_spot(data_dir: Path) -> None:
    for arguments in (("demo",), ("token", "--role", "agent"), ("serve",)):
        failed = tiering(*arguments, data_dir=data_dir, TIERING_ENVIRONMENT="production")
        assert failed.returncode == 1, arguments
        assert len(failed.stderr.splitlines()) == 1, failed.stderr


def test_the_description_is_json_and_leaves_no_file(data_dir: Path, tmp_path: Path) -> None:
    shown = tiering("openapi", data_dir=data_dir)
    assert json.loads(shown.stdout)["openapi"].startswith("3.1")
    assert not data_dir.exists()
    target = tmp_path / "openapi.json"
    tiering("openapi", "--out", str(target), data_dir=data_dir)
    assert json.loads(target.read_text()) == json.loads(shown.stdout)


def test_records_go_in_and_tiers_come_out(data_dir: Path, fresh_database_url: str) -> None:
    data_dir.mkdir()
    customers = data_dir / "customers.csv"
    customers.write_text("customer_id,kind,name\nC1,individual,王芳\nC2,robot,李雷\n")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return tiering(*arguments, data_dir=data_dir, database=fresh_database_url)

    assert "revision" in run("migrate").stderr
    imported = run("import", str(customers))
    assert imported.returncode == 3
    assert "1 loaded" in imported.stdout
    assert "1 rejected" in imported.stdout
    rehearsed = run("reevaluate", "--as-of", "2026-11-22")
    assert "1 would change; nothing was written" in rehearsed.stdout
    assert "1 written" in run("reevaluate", "--as-of", "2026-11-22", "--apply").stdout
    assert "0 written" in run("reevaluate", "--as-of", "2026-11-22", "--apply").stdout
    out = data_dir / "tiers.csv"
    assert run("export", "tiers", "--out", str(out)).returncode == 0
    assert out.read_text(encoding="utf-8-sig").splitlines()[1].startswith("C1,standard,")


def test_a_dump_brings_everything_back(data_dir: Path, fresh_database_url: str) -> None:
    data_dir.mkdir()
    target = data_dir / "book.dump"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return tiering(*arguments, data_dir=data_dir, database=fresh_database_url)

    count = ("db", "psql", "-c", "SELECT count(*) FROM product_services")
    assert run("db", "dump", str(target)).returncode == 0
    run("db", "psql", "-c", "INSERT INTO product_services VALUES ('car', 'towing')")
    assert "1" in run(*count).stdout.split()
    restored = run("db", "restore", str(target))
    assert restored.returncode == 0, restored.stderr
    assert "0" in run(*count).stdout.split()


def test_progress_is_one_line_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading") as advance:
        advance(1, 3)
        advance(3, 3)
    assert capsys.readouterr().err.startswith("reading: 3 in ")
