"""The scripts of `openapi/examples` do what they say, against a live service."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Final

import httpx
import pytest

from app.domain.privacy.roles import Role
from tests.contract.conftest import Elsewhere
from tests.contract.live import token_of
from tests.paths import ROOT
from tests.unmeasured import unmeasured

FOLDER: Final = ROOT / "openapi" / "examples"
CUSTOMER: Final = "SHOWN-1"
#: Which role each script needs, and what it prints.
SCRIPTS: Final = {
    "call_centre.py": (Role.AGENT, r": (Diamond|Gold|Standard) since \d{4}.*answer within \d+ s"),
    "mobile_app.py": (Role.CUSTOMER, r"^zh (diamond|gold|standard)\n.*[\u4e00-\u9fff].*unchanged$"),
    "compliance.py": (Role.COMPLIANCE, r"^name .*\*.*withheld: .*name.* to now\n"),
}


@pytest.fixture(scope="module")
def evaluated(elsewhere: Elsewhere) -> None:
    """A customer who has a tier."""

    def bearer(role: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {token_of(elsewhere.settings, role)}"}

    path = f"/v1/customers/{CUSTOMER}"
    with httpx.Client(base_url=elsewhere.served.base) as http:
        said = {"kind": "individual", "name": "王小明"}
        put = http.put(path, json=said, headers=bearer(Role.INTEGRATION))
        assert put.status_code in {200, 201}, put.text
        created = http.post(f"{path}/evaluations", headers=bearer(Role.BUSINESS_OFFICER))
        assert created.status_code == 201, created.text


def test_every_script_is_run_and_short() -> None:
    assert {file.name for file in FOLDER.glob("*.py")} == set(SCRIPTS)
    for file in FOLDER.glob("*.py"):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.usefixtures("evaluated")
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_prints_what_it_promises(elsewhere: Elsewhere, script: str) -> None:
    role, told = SCRIPTS[script]
    own = CUSTOMER if role is Role.CUSTOMER else None
    token = token_of(elsewhere.settings, role, customer_id=own)
    ran = subprocess.run(
        [sys.executable, str(FOLDER / script), CUSTOMER],
        check=False,
        capture_output=True,
        text=True,
        env=unmeasured() | {"BASE_URL": elsewhere.served.base, "TOKEN": token, "PYTHONUTF8": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    assert re.search(told, ran.stdout.strip(), re.DOTALL), ran.stdout
