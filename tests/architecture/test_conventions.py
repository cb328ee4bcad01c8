"""House rules kept by small checks of the syntax tree, each seen to find a planted fault."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import conventions
from tests.architecture.conventions import Rule
from tests.architecture.tree import ROOT, parse_once, write

MODULE = '"""Planted."""\n'

# For each rule: files with a fault, and what the rule says of them.
FAULTS: dict[Rule, tuple[dict[str, str], list[str]]] = {
    conventions.commits_in_features: (
        {"app/features/tiers/service.py": "async def f(session):\n    await session.commit()\n"},
        ["app/features/tiers/service.py:2 commits"],
    ),
    conventions.sql_outside_repositories: (
        {
            "app/features/tiers/repository.py": 'Q = "SELECT tier FROM tiers"\n',
            "app/features/tiers/router.py": 'Q = "SELECT tier\\nFROM tiers"\n',
            "app/features/tiers/service.py": 'def f(t):\n    """UPDATE t SET x"""\n',
            "app/cli.py": 'def f(t):\n    return f"DELETE FROM {t}"\n',
            "app/infra/audit.py": 'Q = "INSERT INTO audit_events"\n',
        },
        ["app/cli.py:2 holds SQL", "app/features/tiers/router.py:1 holds SQL"],
    ),
    conventions.banned_names: (
        {
            "app/infra/string_utils.py": MODULE,
            "app/features/events/service.py": "def process_event():\n    pass\n",
            "app/domain/account_manager.py": "class AccountManager:\n    pass\n",
            "app/domain/privacy/roles.py": "class RoleManager:\n    pass\n",
        },
        [
            "app/domain/privacy/roles.py:1 is called RoleManager",
            "app/features/events/service.py:1 is called process_event",
            "app/infra/string_utils.py is called string_utils",
        ],
    ),
    conventions.relative_imports: (
        {"app/domain/rules/scalar.py": "from . import cells\n", "tests/paths.py": "import app\n"},
        ["app/domain/rules/scalar.py:1 imports relatively"],
    ),
    conventions.missing_docstrings: (
        {
            "app/__init__.py": MODULE,
            "app/infra/__init__.py": MODULE,
            "app/infra/ids.py": MODULE + "def new_id(): ...\nclass Ids:\n    def next(self): ...\n"
            "def _private(): ...\n",
        },
        [
            "app/infra/ids.py:2 new_id has no docstring",
            "app/infra/ids.py:3 Ids has no docstring",
            "app/infra/ids.py:4 next has no docstring",
        ],
    ),
    conventions.clock_reads: (
        {
            "app/infra/clock.py": "import datetime\nNOW = datetime.datetime.now()\n",
            "app/features/tiers/service.py": "import datetime\nNOW = datetime.datetime.now()\n",
            "app/domain/tiering/stability.py": "from datetime import date\nDAY = date.today\n",
        },
        [
            "app/domain/tiering/stability.py:2 reads the clock",
            "app/features/tiers/service.py:2 reads the clock",
        ],
    ),
    conventions.any_in_the_domain: (
        {
            "app/domain/facts/catalogue.py": "from typing import Any\nX: Any = 1\n",
            "app/domain/facts/loose.py": "import typing\nX: dict[str, typing.Any] = {}\n",
            "app/infra/session.py": "from typing import Any\nX: Any = 1\n",
        },
        ["app/domain/facts/catalogue.py:2 uses Any", "app/domain/facts/loose.py:2 uses Any"],
    ),
    conventions.impure_domain_imports: (
        {
            "app/domain/rules/frame.py": "import math\nimport polars as pl\nimport numpy\n",
            "app/domain/rules/scalar.py": "import polars\nfrom app.domain.facts import x\n",
            "app/domain/rules/cells.py": "from app.infra.clock import now\n",
        },
        [
            "app/domain/rules/cells.py imports app.infra.clock",
            "app/domain/rules/frame.py imports numpy",
            "app/domain/rules/scalar.py imports polars",
        ],
    ),
    conventions.floats_in_the_domain: (
        {"app/domain/tiering/decision.py": "class Decision:\n    x: float | None\n    n: int\n"},
        ["app/domain/tiering/decision.py:2 holds a float"],
    ),
    conventions.tests_without_assertion: (
        {
            "tests/domain/test_cells.py": "import pytest\n"
            "def test_empty():\n    f()\n"
            "def test_plain():\n    assert f()\n"
            "def test_raises():\n    with pytest.raises(ValueError):\n        f()\n"
            "def expect(x):\n    assert x\n"
            "def test_delegates():\n    expect(1)\n",
        },
        ["tests/domain/test_cells.py:2 test_empty asserts nothing"],
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _forget_the_trees() -> Iterator[None]:
    """Keep the syntax trees, which take a hundred megabytes, no longer than they are looked at."""
    yield
    parse_once.cache_clear()


def name(rule: Rule) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", FAULTS, ids=name)
def test_the_tree_keeps_the_convention(rule: Rule) -> None:
    assert rule(ROOT) == []


@pytest.mark.parametrize("rule", FAULTS, ids=name)
def test_the_convention_finds_a_planted_fault(rule: Rule, tmp_path: Path) -> None:
    files, findings = FAULTS[rule]
    assert sorted(rule(write(tmp_path, files))) == findings


def test_every_convention_is_checked() -> None:
    rules = {
        value
        for key, value in vars(conventions).items()
        if callable(value)
        and getattr(value, "__module__", "") == conventions.__name__
        and not key.startswith("_")
    }
    assert rules == set(FAULTS)
