"""What the README shows step by step works as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.infra.clock import business_day, utc_now
from tests.cli.conftest import WEST, Served, serving
from tests.faults.workers import Yard
from tests.paths import ROOT
from tests.unmeasured import unmeasured

#: Twenty-six hours from `WEST`, so that it is another day there.
EAST = "Etc/GMT-14"


def blocks(heading: str) -> list[str]:
    """The walk-throughs of a section."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def answers(told: str) -> list[dict[str, Any]]:
    """The JSON documents that were printed one after the other."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while place < len(told.rstrip()):
        document, place = decoder.raw_decode(told, place)
        found.append(document)
    return found


def walked(served: Served, folder: Path, script: str, **known: str) -> list[dict[str, Any]]:
    """What a script of the README is answered."""
    command = f"{sys.executable} -m app.cli"
    script = script.replace("localhost:8000", served.base).replace(".venv/bin/tiering", command)
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - the reader's own shell.
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=folder,
        env=unmeasured() | {"DATA_DIR": str(served.settings.data_dir)} | known,
    )
    return answers(ran.stdout)


def test_an_override_goes_from_the_request_to_the_end_of_its_validity(
    book_url: str, tmp_path: Path
) -> None:
    until_it_serves, once_it_is_over = blocks("An override, by two keys")
    until = (business_day(utc_now(), WEST) + timedelta(1)).isoformat()
    with serving(book_url, tmp_path, TIERING_BUSINESS_ZONE=WEST) as served:
        inbox, read, first, _, second, tier, explanation = walked(
            served, tmp_path, until_it_serves, UNTIL=until
        )
    assert [item["id"] for item in inbox["items"]] == [read["id"]]
    assert read["statement"] == "Acquired by our largest corporate client."
    assert (first["status"], first["waits_for"]) == ("requested", ["business"])
    assert (second["status"], second["valid_until"]) == ("active", until)
    assert (tier["tier"], tier["source"]) == ("diamond", "override")
    assert tier["override"] == {"id": second["id"], "mode": "pin", "until": until}
    assert until in json.dumps(explanation)
    # In the same shell, on another day.
    setting_up = until_it_serves.partition("\nID=")[0]
    with serving(
        book_url,
        tmp_path,
        TIERING_BUSINESS_ZONE=EAST,
        TIERING_OVERRIDE_CLOCK_SECONDS="1",
    ) as served:
        Yard(book_url).until("SELECT count(*) FROM overrides WHERE state = 'ended'", 1)
        script = f"{setting_up}\nID={second['id']}\n{once_it_is_over}"
        after, history, ended = walked(served, tmp_path, script, UNTIL=until)
    assert (after["tier"], after["override"]) == (tier["evaluated_tier"], None)
    newest, before = history["items"][:2]
    assert (newest["valid_from"], newest["override_id"]) == (until, None)
    assert (before["tier"], before["valid_to"], before["override_id"]) == (
        "diamond",
        until,
        second["id"],
    )
    assert (ended["status"], ended["overrides"][0]["closed_because"]) == ("ended", "validity")


def test_a_rule_set_is_checked_rehearsed_and_published_by_another(
    book_url: str, tmp_path: Path
) -> None:
    (script,) = blocks("The rules, changed by two people")
    with serving(book_url, tmp_path) as served:
        opened, changes, simulation, movers, published, publications = walked(
            served, tmp_path, script
        )
    assert (opened["id"], opened["revision"]) == ("motor-own", 1)
    changed = {item["path"] for item in changes["items"] if item["effect"] == "decides"}
    assert changed == {"objective", "tables[tier].rules[TIER2].when.annual_premium"}
    assert simulation["candidate"]["hash"] == opened["hash"]
    assert len(movers["items"]) == min(50, simulation["report"]["movers"])
    assert (published["version"], published["hash"]) == (1, opened["hash"])
    assert [item["version"] for item in publications["items"]] == [1]
