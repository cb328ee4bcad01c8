"""The commands as a person runs them: results on standard output, one line for what is wrong."""

from __future__ import annotations

import asyncio
import errno
import getpass
import json
import subprocess
import sys
from pathlib import Path
from typing import IO

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from app.cli import database as database_commands
from app.cli import main
from app.cli.failures import explain
from app.cli.output import progress
from app.domain.errors import Conflict, Invalid
from app.infra.database import libpq_url
from tests.cli.conftest import NOTHING_HEAVY, Run, run_alone
from tests.paths import ROOT
from tests.unmeasured import unmeasured


def test_help_names_every_command_from_any_folder(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "app.cli", "--help"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=unmeasured(),
        check=True,
    )
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
    on_database: Run, arguments: tuple[str, ...], words: str
) -> None:
    failed = on_database(*arguments)
    assert failed.status in {1, 2}
    assert failed.stdout == ""
    [line] = failed.stderr.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_a_database_that_is_not_there_is_one_line(
    tiering: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERING_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x")
    failed = tiering("migrate")
    assert failed.status == 1
    [line] = failed.stderr.splitlines()
    assert "TIERING_DATABASE_URL" in line
    assert "secret" not in line


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_an_old_database_is_not_worked_on_and_the_remedy_named(
    on_database: Run, command: str
) -> None:
    on_database("db", "psql", "-c", "UPDATE alembic_version SET version_num = 'old'")
    failed = on_database(command)
    assert failed.status == 1
    assert "run `tiering migrate`" in failed.stderr


@pytest.mark.parametrize("arguments", [("demo",), ("token", "--role", "agent"), ("serve",)])
def test_production_refuses_what_is_made_up_on_the_spot(
    tiering: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TIERING_ENVIRONMENT", "production")
    failed = tiering(*arguments)
    assert failed.status == 1
    assert len(failed.stderr.splitlines()) == 1


def test_a_token_is_issued_without_what_serves_or_stores(tmp_path: Path) -> None:
    ended = run_alone(tmp_path, "token", "--role", "agent")
    assert (ended.returncode, ended.stderr) == (0, "")
    token, loaded = ended.stdout.splitlines()
    assert token.count(".") == 2
    assert loaded == NOTHING_HEAVY


def test_the_description_is_json_and_leaves_no_file(
    tiering: Run, data_dir: Path, tmp_path: Path
) -> None:
    shown = tiering("openapi")
    assert json.loads(shown.stdout)["openapi"].startswith("3.1")
    assert not data_dir.exists()
    target = tmp_path / "openapi.json"
    tiering("openapi", "--out", str(target))
    assert json.loads(target.read_text()) == json.loads(shown.stdout)


def test_records_go_in_and_tiers_come_out(on_database: Run, data_dir: Path) -> None:
    data_dir.mkdir()
    customers = data_dir / "customers.csv"
    customers.write_text("customer_id,kind,name\nC1,individual,王芳\nC2,robot,李雷\n")

    assert "revision" in on_database("migrate").stderr
    imported = on_database("import", str(customers))
    assert imported.status == 3
    assert "1 loaded" in imported.stdout
    assert "1 rejected" in imported.stdout
    rehearsed = on_database("reevaluate", "--as-of", "2026-11-22")
    assert "1 would change; nothing was written" in rehearsed.stdout
    assert "1 written" in on_database("reevaluate", "--as-of", "2026-11-22", "--apply").stdout
    assert "0 written" in on_database("reevaluate", "--as-of", "2026-11-22", "--apply").stdout
    out = data_dir / "tiers.csv"
    assert on_database("export", "tiers", "--out", str(out)).status == 0
    assert out.read_text(encoding="utf-8-sig").splitlines()[1].startswith("C1,standard,")


def test_every_export_leaves_one_event_and_no_value_in_it(
    on_database: Run, data_dir: Path, fresh_database_url: str
) -> None:
    data_dir.mkdir()
    customers = data_dir / "customers.csv"
    customers.write_text("customer_id,kind,name\nC1,individual,王芳\nC2,individual,李雷\n")
    on_database("import", str(customers))
    on_database("migrate")
    on_database("reevaluate", "--as-of", "2026-11-22", "--apply")
    out = str(data_dir / "tiers.csv")
    for role in ("agent", "integration", "analyst"):
        on_database("export", "tiers", "--out", out, "--role", role)
    on_database("export", "tiers", "--out", out)

    async def events() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(libpq_url(fresh_database_url))
        try:
            return await connection.fetch("SELECT * FROM audit_events ORDER BY at")
        finally:
            await connection.close()

    found = [dict(event) for event in asyncio.run(events())]
    told = ("role", "purpose", "route", "subject_count", "status", "outcome")
    assert [tuple(event[name] for name in told) for event in found] == [
        ("agent", "export", "export tiers", 2, 200, "answered"),
        ("integration", "export", "export tiers", 2, 200, "answered"),
        ("analyst", "export", "export tiers", None, 403, "denied"),
        ("none", "export", "export tiers", 2, 200, "answered"),
    ]
    assert {(*event["subjects"], event["body_hmac"], event["dispositions"]) for event in found} == {
        (None, "{}")
    }
    assert len({event["actor_digest"] for event in found}) == 1
    assert not any(name in str(found) for name in ("C1", "C2", "standard", getpass.getuser()))


def test_a_dump_brings_everything_back(on_database: Run, data_dir: Path) -> None:
    data_dir.mkdir()
    target = data_dir / "book.dump"

    count = ("db", "psql", "-c", "SELECT count(*) FROM product_services")
    assert on_database("db", "dump", str(target)).status == 0
    on_database("db", "psql", "-c", "INSERT INTO product_services VALUES ('car', 'towing')")
    assert "1" in on_database(*count).stdout.split()
    restored = on_database("db", "restore", str(target))
    assert restored.status == 0, restored.stderr
    assert "0" in on_database(*count).stdout.split()


def test_a_dump_that_is_cut_short_changes_nothing(on_database: Run, data_dir: Path) -> None:
    data_dir.mkdir()
    target = data_dir / "book.dump"
    assert on_database("db", "dump", str(target)).status == 0
    on_database("db", "psql", "-c", "INSERT INTO product_services VALUES ('car', 'towing')")
    whole = target.read_bytes()
    for part in (whole[: len(whole) * 9 // 10], whole[:100], b"no dump"):
        target.write_bytes(part)
        restored = on_database("db", "restore", str(target))
        assert restored.status == 1
        assert "pg_restore ended with status 1" in restored.stderr
        count = on_database("db", "psql", "-c", "SELECT count(*) FROM product_services")
        assert "1" in count.stdout.split()


def test_a_restore_that_is_interrupted_changes_nothing(
    on_database: Run, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir.mkdir()
    target = data_dir / "book.dump"
    assert on_database("db", "dump", str(target)).status == 0
    on_database("db", "psql", "-c", "INSERT INTO product_services VALUES ('car', 'towing')")
    copied = database_commands._copy  # noqa: SLF001 - the one place where the dump goes by.

    def interrupted(source: IO[bytes], into: IO[bytes]) -> None:
        copied(source, into)
        into.flush()
        raise KeyboardInterrupt

    monkeypatch.setattr(database_commands, "_copy", interrupted)
    with pytest.raises(KeyboardInterrupt):
        database_commands.restore(target)
    count = on_database("db", "psql", "-c", "SELECT count(*) FROM product_services")
    assert "1" in count.stdout.split()


def test_progress_is_one_line_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading") as advance:
        advance(1, 3)
        advance(3, 3)
    assert capsys.readouterr().err.startswith("reading: 3 in ")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.csv"), "a.csv: no such"),
        (asyncpg.DiskFullError("secret"), "disk is full"),
        (asyncpg.InvalidPasswordError("secret"), "TIERING_DATABASE_URL"),
        (asyncpg.UniqueViolationError("secret"), "SQLSTATE 23505"),
        (KeyError("secret"), "unexpected KeyError"),
        (Conflict("run-in-progress", "Another run is under way."), "Another run"),
    ],
)
def test_whatever_goes_wrong_is_explained_without_a_value(error: Exception, words: str) -> None:
    wrapped = DBAPIError("SELECT secret", None, error)
    told = explain(error)
    assert words in told
    assert "secret" not in told
    if isinstance(error, asyncpg.PostgresError):
        assert explain(wrapped) == told


def test_a_person_who_debugs_gets_the_whole_story(
    tiering: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tiering("import", "nowhere.csv").status == 1
    monkeypatch.setenv("TIERING_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["tiering", "import", "nowhere.csv"])
    with pytest.raises(Invalid):
        main()


def test_an_interrupted_command_says_how_to_go_on(
    tiering: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.rules.load.load_settings", interrupt)
    document = ROOT / "app" / "templates" / "all.yaml"
    stopped = tiering("rules", "load", str(document))
    assert stopped.status == 130
    assert "goes on from there" in stopped.stderr


def test_a_command_interrupted_while_it_is_loaded_says_so_too(
    tiering: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.import_module", interrupt)
    stopped = tiering("reevaluate")
    assert stopped.status == 130
    assert stopped.stderr.count("\n") == 1
    assert "stopped" in stopped.stderr
