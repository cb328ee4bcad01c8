"""Where tests find data that is not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _data() -> Path | None:
    named = os.environ.get("TIERING_SHARED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


DATA = _data()

MOTOR = DATA / "motor_es.parquet" if DATA else None

needs_motor = pytest.mark.skipif(
    MOTOR is None or not MOTOR.exists(),
    reason="the motor portfolio (motor_es.parquet) is not here; set TIERING_SHARED_DATA",
)
