"""The import contracts of pyproject.toml hold, and each breaks on a planted violation."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, program, write

FEATURE = "app/features/planted"

# For each contract: files that break it, one plant after the other.
PLANTS: dict[str, list[dict[str, str]]] = {
    "layers": [
        {"app/domain/planted.py": "import app.infra\n"},
        {"app/stray/__init__.py": ""},
        {"app/infra/planted.py": "import app.features.planted\n", f"{FEATURE}/__init__.py": ""},
        {"app/worker.py": "import app.console\n", "app/console/__init__.py": ""},
    ],
    "feature-shape": [
        {f"{FEATURE}/utils.py": ""},
        {f"{FEATURE}/service.py": f"import {FEATURE.replace('/', '.')}.schemas\n"}
        | {f"{FEATURE}/schemas.py": ""},
    ],
    "pure-domain": [
        {"app/domain/planted.py": "import pydantic\n"},
        {"app/domain/planted.py": "from sqlalchemy.orm import Mapped\n"},
    ],
    "polars-in-frame": [
        {"app/domain/planted.py": "import polars\n"},
        {f"{FEATURE}/service.py": "import polars\n"},
    ],
    "numpy-in-kernel": [
        {"app/domain/frame.py": "import numpy\n"},
        {"app/domain/planted.py": "from scipy import stats\n"},
    ],
    "duckdb-in-book": [{f"{FEATURE}/repository.py": "import duckdb\n"}],
    "no-http-below-routers": [
        {f"{FEATURE}/service.py": "from fastapi import HTTPException\n"},
        {f"{FEATURE}/repository.py": "import starlette.status\n"},
        {"app/db/rows/planted.py": "import fastapi\n"},
    ],
    "no-sql-above-repositories": [
        {f"{FEATURE}/router.py": "from sqlalchemy.ext.asyncio import AsyncSession\n"},
        {f"{FEATURE}/schemas.py": "import asyncpg\n"},
        {f"{FEATURE}/service.py": "from sqlalchemy import select\n"},
    ],
    "features-one-way": [
        {"app/features/audit/planted.py": "import app.features.scoring.planted\n"}
        | {"app/features/scoring/planted.py": ""},
        {f"{FEATURE}/service.py": ""},
    ],
    "no-cycles": [
        {"app/domain/planted_a.py": "import app.domain.planted_b\n"}
        | {"app/domain/planted_b.py": "import app.domain.planted_a\n"},
    ],
    "own-repository": [
        {f"{FEATURE}/service.py": "import app.features.other.repository\n"}
        | {"app/features/other/repository.py": ""},
        {f"{FEATURE}/router.py": "import app.features.planted.repository.history\n"}
        | {f"{FEATURE}/repository/history.py": ""},
        {"app/worker.py": "from app.features.planted import repository\n"}
        | {f"{FEATURE}/repository.py": ""},
    ],
    "routers-wired-once": [
        {"app/worker.py": "import app.features.planted.router\n", f"{FEATURE}/router.py": ""},
        {"app/features/other/service.py": "from app.features.planted.router import router\n"}
        | {f"{FEATURE}/router.py": ""},
    ],
    "jobs-know-no-http": [
        {
            "app/infra/jobs/__init__.py": "",
            "app/infra/jobs/queue.py": "import starlette.requests\n",
        },
    ],
    "console-is-a-client": [
        {"app/console/__init__.py": "import app.features.planted.service\n"}
        | {f"{FEATURE}/service.py": ""},
    ],
}
CASES = [
    pytest.param(contract, plant, id=f"{contract}-{number}")
    for contract, plants in PLANTS.items()
    for number, plant in enumerate(plants, 1)
]


def declared_contracts() -> list[str]:
    """Return the identifiers of the contracts in pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]]


def lint(tree: Path, *options: str) -> str:
    """Return what import-linter prints about the tree."""
    return subprocess.run(
        [program("lint-imports"), "--no-logo", "--no-cache", *options],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        # The terminal's width would break the lines that are looked for.
        env={"COLUMNS": "200", "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
    ).stdout


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    """Return a copy of what import-linter reads."""
    without_caches = shutil.ignore_patterns("__pycache__")
    for folder in ("app", "tests/architecture"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=without_caches)
    for file in ("pyproject.toml", "tests/__init__.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_every_contract_is_kept() -> None:
    assert f"Contracts: {len(declared_contracts())} kept, 0 broken." in lint(ROOT)


@pytest.mark.parametrize(("contract", "plant"), CASES)
def test_a_planted_violation_breaks_its_contract(
    copied_tree: Path, contract: str, plant: dict[str, str]
) -> None:
    write(copied_tree, plant)
    assert "Contracts: 0 kept, 1 broken." in lint(copied_tree, "--contract", contract)


def test_what_the_house_allows_breaks_nothing(tmp_path: Path) -> None:
    allowed = {
        "app/cli.py": "import app.main\nimport app.demo\n",
        "app/demo/__init__.py": "import app.domain\nimport numpy\n",
        "app/domain/planted/frame.py": "import polars\n",
        "app/domain/planted/kernel.py": "import numpy\n",
        "app/infra/book.py": "import duckdb\n",
        "app/main.py": "import app.features.audit.router\n",
        "app/features/audit/router.py": "import fastapi\nimport app.features.audit.service\n",
        "app/features/audit/schemas.py": "import pydantic\n",
        "app/features/audit/service.py": "import app.features.audit.repository\n",
        "app/features/audit/repository.py": "import sqlalchemy\nimport app.db\n",
        "app/db/base.py": "import sqlalchemy\n",
    }
    for file in ("pyproject.toml", "tests/architecture/own_repository.py"):
        allowed[file] = (ROOT / file).read_text(encoding="utf-8")
    printed = lint(write(tmp_path, allowed))
    assert f"Contracts: {len(declared_contracts())} kept, 0 broken." in printed


def test_every_contract_has_a_planted_violation() -> None:
    assert sorted(PLANTS) == sorted(declared_contracts())
