"""What is measured for coverage.

Tracing, with the greenlets of SQLAlchemy, takes the processor two to three times as long. What runs
again what has been measured is left out: further cases of one test, further set-ups of one fixture,
and further examples of one property. All cases are measured in the tests that the domain's gate of
100 % stands on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from inspect import iscoroutinefunction
from itertools import count
from typing import Any, ParamSpec, TypeVar

import pytest
from coverage import Coverage

P = ParamSpec("P")
T = TypeVar("T")

#: So many cases of a parametrised test, and so many set-ups of a fixture, are measured.
MEASURED_CASES = 2
#: So many examples of what Hypothesis looks into are.
MEASURED_EXAMPLES = 20
#: Where every case is.
WHOLLY_MEASURED = ("app/domain/", "tests/domain/", "tests/parity/")

_IS_FURTHER = pytest.StashKey[bool]()
_GAUGE = pytest.StashKey["_Gauge"]()


class _Gauge:
    """The coverage of this test process, which can be left out for a while."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._while = 0
        self._set_ups: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def left_out(self) -> Iterator[None]:
        """Measure nothing meanwhile; also within itself."""
        self._while += 1
        if self._while == 1:
            self._coverage.stop()
        try:
            yield
        finally:
            self._while -= 1
            if self._while == 0:
                self._coverage.start()

    def has_seen(self, fixture: pytest.FixtureDef[Any]) -> bool:
        """Whether a fixture has been set up often enough; counts it."""
        place = fixture.baseid, fixture.argname
        self._set_ups[place] += 1
        return self._set_ups[place] > MEASURED_CASES


def _gauge(config: pytest.Config) -> _Gauge | None:
    """The gauge of this process, where there is coverage."""
    if _GAUGE not in config.stash:
        controller = getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)
        if controller is None:
            return None
        config.stash[_GAUGE] = _Gauge(controller.cov)
    return config.stash[_GAUGE]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell further cases from the first ones."""
    cases: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        cases[test] += 1
        further = cases[test] > MEASURED_CASES
        item.stash[_IS_FURTHER] = further and not test.startswith(WHOLLY_MEASURED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Leave a further case out, while it is set up, run and torn down."""
    gauge = _gauge(item.config)
    if gauge is None or not item.stash[_IS_FURTHER]:
        return (yield)
    with gauge.left_out():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Iterator[None]:
    """Leave a further set-up out."""
    gauge = _gauge(request.config)
    whole = request.node.nodeid.startswith(WHOLLY_MEASURED)
    if gauge is None or whole or not gauge.has_seen(fixturedef):
        return (yield)
    with gauge.left_out():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Leave out the examples of a property after its first ones."""
    gauge = _gauge(item.config)
    property_ = getattr(getattr(item, "obj", None), "hypothesis", None)
    if gauge is None or property_ is None:
        return (yield)
    original = property_.inner_test
    with ExitStack() as stack:
        stack.callback(setattr, property_, "inner_test", original)
        drawn = count()

        def draw() -> None:
            if next(drawn) == MEASURED_EXAMPLES:
                stack.enter_context(gauge.left_out())

        announced = _announced_coroutine if iscoroutinefunction(original) else _announced
        property_.inner_test = announced(original, draw)
        return (yield)


def _announced(original: Callable[P, T], tell: Callable[[], None]) -> Callable[P, T]:
    """A test that tells of each of its examples."""

    @wraps(original)
    def example(*args: P.args, **kwargs: P.kwargs) -> T:
        tell()
        return original(*args, **kwargs)

    return example


def _announced_coroutine(
    original: Callable[P, Awaitable[T]], tell: Callable[[], None]
) -> Callable[P, Awaitable[T]]:
    """One that is a coroutine, which whoever runs it has to see of it."""

    @wraps(original)
    async def example(*args: P.args, **kwargs: P.kwargs) -> T:
        tell()
        return await original(*args, **kwargs)

    return example
