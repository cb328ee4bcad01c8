"""P7: one customer scored with reasons, in process, against zen-engine.

    python -m benchmarks.one_customer [--customers 2000] [--repeats 7]

The rules are those of `rule_sample.py`. Ours returns scores, outcomes, fired rows and reasons;
zen-engine's `evaluate` of the loaded decision returns the score and the outcomes only.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from statistics import median
from typing import Any

import zen

from app.domain.rules import evaluate
from app.domain.rules.compiled import CompiledRuleSet
from benchmarks import rule_sample
from benchmarks.rule_kernel import ratios, tell


def main() -> None:
    """Measure and print the ratio with its median and spread."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    compiled = rule_sample.compiled()
    customers = rule_sample.customers(arguments.customers)
    decision = zen.ZenEngine().create_decision(rule_sample.zen_decision())
    agree(compiled, customers[:500], decision)
    seconds: dict[str, list[float]] = {"ours": [], "zen": []}
    for at in range(arguments.repeats + 1):
        ours = typical(lambda facts: evaluate(compiled, facts), customers)
        zens = typical(decision.evaluate, customers)
        # The first round warms up.
        if at:
            seconds["ours"].append(ours)
            seconds["zen"].append(zens)
    rates = {name: [1 / each for each in times] for name, times in seconds.items()}
    print(f"P7 one customer: {len(customers):,} customers, {arguments.repeats} rounds, "
          f"{os.cpu_count()} cores, zen-engine {version('zen-engine')}")  # fmt: skip
    for name, found in rates.items():
        print(f"  {name:<6} {1e6 / median(found):>8,.1f} microseconds each")
    tell("ours with reasons / zen-engine evaluate", ratios(rates, "ours", "zen"), "at least 10")


def typical(run: Callable[[Any], object], customers: list[Any]) -> float:
    """Return the median seconds of one call: a pause by another process is no part of it."""
    times = []
    for facts in customers:
        start = time.perf_counter()
        run(facts)
        times.append(time.perf_counter() - start)
    return median(times)


def agree(compiled: CompiledRuleSet, customers: list[Any], decision: zen.ZenDecision) -> None:
    """Stop unless both give the same answers."""
    for facts in customers:
        ours = evaluate(compiled, facts)
        answer = decision.evaluate(facts)["result"]
        expected = {**ours.outcomes, "score": ours.score}
        if {name: answer[name] for name in expected} != expected:
            message = f"The two disagree about {facts}."
            raise SystemExit(message)


if __name__ == "__main__":
    main()
