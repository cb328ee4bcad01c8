"""The environment of programs whose coverage nobody asks for, and which are quicker without it."""

from __future__ import annotations

import os

from tests.paths import ROOT


def unmeasured() -> dict[str, str]:
    """Our environment without what makes a Python program measure its coverage."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return {**kept, "PYTHONPATH": str(ROOT)}
