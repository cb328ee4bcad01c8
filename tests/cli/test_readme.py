"""What the README shows step by step works as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.conftest import Served
from tests.paths import ROOT


def block() -> str:
    """The walk-through of an override."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## An override, by two keys")[2]
    found = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found.group(1)


def answers(told: str) -> list[dict[str, Any]]:
    """The JSON documents that were printed one after the other."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while place < len(told.rstrip()):
        document, place = decoder.raw_decode(told, place)
        found.append(document)
    return found


def test_an_override_goes_from_the_request_to_the_tier_that_serves(
    served: Served, tmp_path: Path
) -> None:
    command = f"{sys.executable} -m app.cli"
    script = block().replace("localhost:8000", served.base).replace(".venv/bin/tiering", command)
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - the reader's own shell.
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=tmp_path,
        env=os.environ | {"DATA_DIR": str(served.settings.data_dir), "PYTHONPATH": str(ROOT)},
    )
    inbox, read, first, _, second, tier, explanation = answers(ran.stdout)
    assert [item["id"] for item in inbox["items"]] == [read["id"]]
    assert read["statement"] == "Acquired by our largest corporate client."
    assert (first["status"], first["waits_for"]) == ("requested", ["business"])
    assert second["status"] == "active"
    until = second["valid_until"]
    assert (tier["tier"], tier["source"]) == ("diamond", "override")
    assert tier["override"] == {"id": second["id"], "mode": "pin", "until": until}
    assert until in json.dumps(explanation)
