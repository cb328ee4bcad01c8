"""Clients generate from the interface description without a warning, and they compile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.paths import ROOT
from tests.unmeasured import unmeasured

DOCUMENT: Final = ROOT / "openapi" / "openapi.json"
GENERATOR: Final = Path(sys.executable).with_name("openapi-python-client")

#: `client.client` is a fixed part of the generator that owes nothing to the description.
_SETTINGS = """
[mypy]
[mypy-client.client]
ignore_errors = True
"""

_USE = """
from client import AuthenticatedClient
from client.api.tiers import get_tier
from client.models import ProblemRead, TierRead

client = AuthenticatedClient(base_url="http://127.0.0.1", token="t")

def tier(customer_id: str) -> str:
    found = get_tier.sync(customer_id, client=client)
    if isinstance(found, TierRead):
        return found.tier
    assert isinstance(found, ProblemRead)
    return found.type_
"""

_TYPED_USE = """
import type { paths } from "./client";

type Answer = paths["/v1/customers/{customer_id}/tier"]["get"]["responses"][200];
type Tier = Answer["content"]["application/json"];

export function shown(tier: Tier): string {
  return `${tier.customer_id}: ${tier.tier}`;
}
"""


def ran(*command: str, folder: Path) -> str:
    """What a command printed; it has to end well."""
    # The generator looks for the formatter on the path, where `make` has put nothing.
    path = os.pathsep.join([str(GENERATOR.parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env=unmeasured() | {"PATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_python_client_is_generated_and_type_checked(tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("package_name_override: client\n")
    told = ran(
        *(str(GENERATOR), "generate", "--path", str(DOCUMENT), "--config", str(settings)),
        *("--meta", "none", "--output-path", str(tmp_path / "client"), "--fail-on-warning"),
        folder=tmp_path,
    )
    assert "warning" not in told.lower()
    (tmp_path / "use.py").write_text(_USE)
    (tmp_path / "mypy.ini").write_text(_SETTINGS)
    checked = ran(
        *(sys.executable, "-m", "mypy", "--strict", "--config-file", "mypy.ini"),
        *("--cache-dir", str(tmp_path / "cache"), "-p", "client", "-m", "use"),
        folder=tmp_path,
    )
    assert "Success" in checked


def test_a_typescript_client_is_generated_and_type_checked(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not on this machine: no TypeScript client is generated")
    (tmp_path / "package.json").write_text('{"private": true}')
    versions = ("openapi-typescript@7.13.0", "typescript@5.9.3")
    installed = subprocess.run(
        (npm, "install", "--no-audit", "--no-fund", *versions),
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if installed.returncode != 0:
        reasons = installed.stderr.strip().splitlines() or ["no reason given"]
        pytest.skip(f"npm cannot install the generator: {reasons[0]}")
    binaries = tmp_path / "node_modules" / ".bin"
    generator = str(binaries / "openapi-typescript")
    told = ran(generator, str(DOCUMENT), "--output", "client.ts", folder=tmp_path)
    assert "warn" not in told.lower()
    (tmp_path / "use.ts").write_text(_TYPED_USE)
    assert not ran(
        *(str(binaries / "tsc"), "--strict", "--noEmit", "--noUncheckedIndexedAccess"),
        *("client.ts", "use.ts"),
        folder=tmp_path,
    )
