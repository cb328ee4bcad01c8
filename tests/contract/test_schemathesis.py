"""Whatever can be thought of from the description, sent to the live service; all checks on.

`make test` runs a short sweep, `make contract` a long one (`EXAMPLES=300`), with a seed that is
printed and that `SEED=…` sets.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.domain.privacy.roles import Role
from app.infra.database import create_database
from app.infra.settings import Settings
from app.main import create_app
from tests.contract.live import IDS, Live, a_live_service
from tests.unmeasured import unmeasured

EXAMPLES: Final = os.environ.get("TIERING_CONTRACT_EXAMPLES", "4")
SEED: Final = os.environ.get("TIERING_CONTRACT_SEED") or "20261122"


@pytest.fixture(scope="module")
def live(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The service over the small book."""
    with a_live_service(server_url, tmp_path_factory.mktemp("live")) as served:
        yield served


def config(ids: Mapping[str, Sequence[str | int]]) -> str:
    """Every check, every warning a failure, ids that exist three times in four."""
    lines = ["[warnings]", "fail-on = true", "[checks]", "enabled = true"]
    for name, values in ids.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines.append("[parameters]")
    for name in ids:
        lines.append(f'"path.{name}" = {{ dictionary = "{name}", probability = 0.75 }}')
    return "\n".join(lines)


def sweep(
    live: Live,
    folder: Path,
    *arguments: str,
    ids: Mapping[str, Sequence[str | int]] | None = None,
    token: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """One run of the library's own command over the live service.

    Args:
        live: the service.
        folder: where the run's settings are written.
        arguments: further ones of the command.
        ids: by path parameter; real ones by default.
        token: of every role; each role's own by default.
    """
    (folder / "schemathesis.toml").write_text(config(ids or live.ids))
    tokens = {role.value: token or live.token(role) for role in Role}
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{live.base}/openapi.json"),
            *("--checks", "all", *arguments),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=unmeasured()
        | {
            "SCHEMATHESIS_HOOKS": "tests.contract.schemathesis_hooks",
            "TIERING_CONTRACT_TOKENS": json.dumps(tokens),
            "TIERING_CONTRACT_IDS": json.dumps(live.ids),
        },
    )


def test_nothing_the_description_allows_or_forbids_is_answered_otherwise(
    live: Live, tmp_path: Path
) -> None:
    seed = str(secrets.randbelow(2**31)) if SEED == "random" else SEED
    ran = sweep(live, tmp_path, "--max-examples", EXAMPLES, "--seed", seed)
    sys.stdout.write(ran.stdout)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "No issues found" in ran.stdout
    assert '"level":"error"' not in live.log.read_text()


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ("authentication failed", {"token": "nobody"}),
        ("Missing test data", {"ids": {"customer_id": ["NOBODY-1"]}}),
    ],
)
def test_a_sweep_that_is_let_in_nowhere_or_finds_nobody_fails(
    live: Live, tmp_path: Path, told: str, wrong: dict[str, Any]
) -> None:
    only = ("--include-operation-id", "get_tier", "--phases", "fuzzing", "--max-examples", "3")
    ran = sweep(live, tmp_path, *only, **wrong)
    assert ran.returncode != 0
    assert told.lower() in ran.stdout.lower()


def test_every_id_in_a_path_is_one_that_the_sweep_can_fill(settings: Settings) -> None:
    app: FastAPI = create_app(settings, create_database("postgresql://localhost/any", settings))
    asked = {
        name
        for context in iter_route_contexts(app.routes)
        if getattr(context, "include_in_schema", False)
        for name in getattr(context, "param_convertors", {})
    }
    unknown = asked - set(IDS)
    assert not unknown, f"say in tests/contract/live.py (IDS) where real ids of {unknown} come from"
