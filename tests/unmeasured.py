"""Environments of programs: most need no coverage, and are quicker without it."""

from __future__ import annotations

import os

from tests.paths import ROOT


def measuring() -> dict[str, str]:
    """What makes a Python program measure its coverage; nothing where ours is not measured."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


def unmeasured() -> dict[str, str]:
    """Our environment without what makes a Python program measure its coverage."""
    left_out = measuring()
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "PYTHONPATH": str(ROOT)}
