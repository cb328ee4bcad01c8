"""Every benchmark runs, and prints its figures; what they are is no matter of tests."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.paths import ROOT
from tests.unmeasured import unmeasured

SECONDS = 180

SMALL = {
    "whole_book": ("150", "300", "--rounds", "1"),
    "simulation": ("150", "--rounds", "1"),
    "importer": ("--policies", "300", "--repeats", "1", "--motor", "/nonexistent"),
    "rule_kernel": ("--rows", "2000", "--repeats", "2", "--zen-rows", "50"),
    "rule_check": ("--rows", "20", "--columns", "3", "--repeats", "2", "--limit", "5"),
    "one_customer": ("--customers", "50", "--repeats", "2"),
    "hot_reads": ("150", "--rounds", "1", "--seconds", "0.3", "--connections", "4"),
}
PRINTED = {
    "whole_book": r"run / COPY +[0-9.]+\n(.|\n)*peak memory of the run +[0-9]+ MB"
    r"(.|\n)*time per customer, against 150: [0-9.]+",
    "simulation": r"the candidate decides for [0-9]+, [0-9]+ move(.|\n)*"
    r"simulation / run, processor +[0-9.]+x",
    "importer": r"300 policies: .* ratio [0-9.]+ ",
    "rule_kernel": r"ours / by hand: [0-9.]+x, (.|\n)*"
    r"ours / zen-engine evaluate_batch: [0-9,.]+x",
    "rule_check": r"slowest: [0-9.]+ s(.|\n)*by hand / ours: [0-9.,]+x"
    r"(.|\n)*z3 / ours: [0-9.,]+x",
    "one_customer": r"ours with reasons / zen-engine evaluate: [0-9,.]+x, ",
    "hot_reads": r"P1 tier / tier by hand, asyncpg: [0-9.]+x(.|\n)*P3 SLA of a tier",
}


@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_runs_at_a_small_size(name: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *SMALL[name]],
        cwd=ROOT,
        env=unmeasured(),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert ran.returncode == 0, ran.stderr
    assert re.search(PRINTED[name], ran.stdout), ran.stdout


def test_no_benchmark_is_left_out() -> None:
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py")}
    assert scripts - {"rule_sample", "hot_rivals"} == set(SMALL)
