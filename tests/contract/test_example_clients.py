"""The scripts of `openapi/examples` do what they say, against a live service."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

import pytest

from app.domain.privacy.roles import Role
from tests.contract.live import Live, a_live_service
from tests.paths import ROOT

FOLDER: Final = ROOT / "openapi" / "examples"
#: Which role each script needs, and what it prints.
SCRIPTS: Final = {
    "call_centre.py": (Role.AGENT, r": (Diamond|Gold|Standard) since \d{4}.*answer within \d+ s"),
    "mobile_app.py": (Role.CUSTOMER, r"^zh (diamond|gold|standard)\n.*[\u4e00-\u9fff].*unchanged$"),
    "compliance.py": (Role.COMPLIANCE, r"^name .*\*.*withheld: .*name.* to now\n"),
}


@pytest.fixture(scope="module")
def live(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The service over the small book."""
    with a_live_service(server_url, tmp_path_factory.mktemp("live")) as served:
        yield served


def test_every_script_is_run_and_short() -> None:
    assert {file.name for file in FOLDER.glob("*.py")} == set(SCRIPTS)
    for file in FOLDER.glob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_prints_what_it_promises(live: Live, script: str) -> None:
    role, told = SCRIPTS[script]
    ran = subprocess.run(
        [sys.executable, str(FOLDER / script), live.customer_id],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"BASE_URL": live.base, "TOKEN": live.token(role), "PYTHONUTF8": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    assert re.search(told, ran.stdout.strip(), re.DOTALL), ran.stdout
