"""Programs of others that judge what we write, installed where `make test` is told to.

They come from registries, so the suite asks for them only by `OUTSIDE=install`; where one does not
install, its test says why.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def node_packages(folder: Path, *packages: str) -> Path:
    """Install packages by npm, and return the folder that scripts can import them from."""
    _require_leave(packages[0])
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is not on this machine: no {packages[0]}")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    _install((npm, "install", "--no-audit", "--no-fund", *packages), folder)
    return folder


def python_packages(folder: Path, *packages: str) -> Path:
    """Install packages apart from those of this project, and return their folder."""
    _require_leave(packages[0])
    # As a module: the environment of a clone is seldom on the path.
    uv = (sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable)
    _install((*uv, "--target", str(folder), *packages), folder)
    return folder


def _require_leave(package: str) -> None:
    if os.environ.get("TIERING_TEST_OUTSIDE") != "install":
        pytest.skip(f"no {package} is here: `make test OUTSIDE=install`")


def _install(command: tuple[str, ...], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, check=False, cwd=folder, capture_output=True, text=True, timeout=120
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{command[-1]} cannot be installed: no answer for two minutes")
    if done.returncode != 0:
        reasons = done.stderr.strip().splitlines() or ["no reason given"]
        pytest.skip(f"{command[-1]} cannot be installed: {reasons[0]}")


def ask(program: str, script: str, folder: Path, asked: object) -> Any:  # noqa: ANN401 - JSON.
    """Run a script beside the packages; it is sent JSON and answers JSON."""
    path = shutil.which(program) or program
    file = folder / ("ask.js" if program == "node" else "ask.py")
    file.write_text(script)
    done = subprocess.run(
        (path, str(file)),
        check=False,
        cwd=folder,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
