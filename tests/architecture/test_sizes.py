"""Ceilings on sizes. There is no allow-list: what does not fit is split."""

import subprocess
from pathlib import Path

from tests.architecture.tree import ROOT, place, program, python_files, write

MODULE_LINES = 400
ROUTER_AND_REPOSITORY_LINES = 300
MAIN_LINES = 120
TEST_MODULE_LINES = 600

# The same rules as in pyproject.toml, but stated here and deaf to `noqa` and per-file ignores.
FUNCTION_CEILINGS = (
    "lint.mccabe.max-complexity=8",
    "lint.pylint.max-args=6",
    "lint.pylint.max-statements=30",
)


def ceiling(module: str) -> int:
    """Return how many lines the module may have, by its place in the tree."""
    parts = module.removesuffix(".py").split("/")
    if parts[0] == "tests":
        return TEST_MODULE_LINES
    if module == "app/main.py":
        return MAIN_LINES
    if {"router", "repository"} & set(parts):
        return ROUTER_AND_REPOSITORY_LINES
    return MODULE_LINES


def overlong_modules(root: Path) -> list[str]:
    """List the modules above their ceiling, with both figures."""
    found = []
    for path in python_files(root, "app", "tests"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        module = place(root, path)
        if lines > ceiling(module):
            found.append(f"{module}: {lines} lines, at most {ceiling(module)}")
    return found


def overgrown_functions(root: Path) -> list[str]:
    """List the functions with too many statements, branches or arguments, ignoring every noqa."""
    settings = [part for ceiling_ in FUNCTION_CEILINGS for part in ("--config", ceiling_)]
    select = ["--select", "C901,PLR0913,PLR0915", "--ignore-noqa", "--output-format", "concise"]
    folders = [folder for folder in ("app", "tests") if (root / folder).exists()]
    outcome = subprocess.run(
        [program("ruff"), "check", "--isolated", "--no-cache", *settings, *select, *folders],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in outcome.stdout.splitlines() if ".py:" in line]


def test_no_module_is_longer_than_its_ceiling() -> None:
    assert overlong_modules(ROOT) == []


def test_no_function_outgrows_its_ceilings() -> None:
    assert overgrown_functions(ROOT) == []


def test_a_line_too_many_is_seen_in_every_kind_of_module(tmp_path: Path) -> None:
    limits = {
        "app/domain/rules/cells.py": 400,
        "app/features/tiers/router.py": 300,
        "app/features/tiers/repository/history.py": 300,
        "app/main.py": 120,
        "tests/domain/test_cells.py": 600,
    }
    fitting = {name: "x = 1\n" * lines for name, lines in limits.items()}
    assert overlong_modules(write(tmp_path, fitting)) == []

    longer = {name: "x = 1\n" * (lines + 1) for name, lines in limits.items()}
    assert overlong_modules(write(tmp_path, longer)) == [
        "app/domain/rules/cells.py: 401 lines, at most 400",
        "app/features/tiers/repository/history.py: 301 lines, at most 300",
        "app/features/tiers/router.py: 301 lines, at most 300",
        "app/main.py: 121 lines, at most 120",
        "tests/domain/test_cells.py: 601 lines, at most 600",
    ]


def test_an_overgrown_function_is_seen_even_behind_a_noqa(tmp_path: Path) -> None:
    silencer = "  # noqa: C901, PLR0913, PLR0915\n"
    statements = f"def many_statements():{silencer}" + "    x = 1\n" * 31
    arguments = f"def many_arguments(a, b, c, d, e, f, g):{silencer}    return a\n"
    branches = f"def many_branches(a):{silencer}" + "    if a:\n        a -= 1\n" * 8
    write(tmp_path, {"app/domain/grown.py": statements + arguments + branches})
    found = " ".join(overgrown_functions(tmp_path))
    assert "PLR0915" in found
    assert "PLR0913" in found
    assert "C901" in found
