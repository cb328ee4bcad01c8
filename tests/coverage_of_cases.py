"""Which cases of a test are measured for coverage.

Tracing, with the greenlets of SQLAlchemy, doubles the processor's time. Further cases of one test
run what its first ones ran, so they are left unmeasured, their fixtures included; not so in the
tests that the domain's gate of 100 % stands on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

#: So many cases of a parametrised test are measured.
MEASURED_CASES = 2
#: Where every case is.
WHOLLY_MEASURED = ("app/domain/", "tests/domain/", "tests/parity/")

_UNMEASURED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Choose the cases that are not measured."""
    cases: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        cases[test] += 1
        further = cases[test] > MEASURED_CASES
        item.stash[_UNMEASURED] = further and not test.startswith(WHOLLY_MEASURED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Stop measuring while such a case is set up, run and torn down."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = getattr(plugin, "cov_controller", None)
    if controller is None or not item.stash[_UNMEASURED]:
        return (yield)
    controller.cov.stop()
    try:
        return (yield)
    finally:
        controller.cov.start()
