"""The rule benchmarks run on a small size; their answers agree before anything is measured."""

import subprocess
import sys

import pytest

from tests.paths import ROOT


@pytest.mark.parametrize(
    ("module", "arguments", "told"),
    [
        ("rule_kernel", ["--rows", "500", "--zen-rows", "20", "--repeats", "2"], "ours / by hand"),
        ("one_customer", ["--customers", "50", "--repeats", "2"], "zen-engine evaluate"),
    ],
)
def test_a_benchmark_runs_alone_and_prints_its_ratio(
    module: str, arguments: list[str], told: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    assert "x, " in done.stdout
