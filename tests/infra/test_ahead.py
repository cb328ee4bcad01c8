"""The next item is made while one is worked on; leaving early leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, closing
from threading import Event, current_thread

import pytest

from app.infra.ahead import ahead, ahead_of_loop
from tests.patience import PATIENCE_SECONDS


class Source:
    """Counts what was asked of it, and notes that it was closed."""

    def __init__(self, items: int, *, fails: bool = False) -> None:
        self.asked = Event()
        self.is_closed = False
        self.threads: set[str] = set()
        self._items = items
        self._fails = fails

    def __call__(self) -> Iterator[int]:
        try:
            for item in range(self._items):
                self.threads.add(current_thread().name)
                if item:
                    self.asked.set()
                yield item
            if self._fails:
                message = "the source broke"
                raise RuntimeError(message)
        finally:
            self.is_closed = True


def test_every_item_comes_in_order_and_the_next_is_made_meanwhile() -> None:
    source, found = Source(5), []
    for item in ahead(source()):
        if not item:
            assert source.asked.wait(PATIENCE_SECONDS)
        found.append(item)
    assert found == [0, 1, 2, 3, 4]
    assert source.is_closed
    assert current_thread().name not in source.threads


def test_nothing_comes_of_nothing() -> None:
    assert list(ahead(iter(()))) == []


def test_leaving_early_closes_the_source() -> None:
    source = Source(5)
    with closing(ahead(source())) as items:
        assert next(items) == 0
    assert source.is_closed


def test_what_breaks_the_source_reaches_the_caller() -> None:
    items = ahead(Source(2, fails=True)())
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(RuntimeError, match="the source broke"):
        next(items)


@pytest.mark.anyio
async def test_a_coroutine_gets_the_same_while_the_loop_goes_on() -> None:
    source, found = Source(3), []
    async for item in ahead_of_loop(source()):
        if not item:
            assert await asyncio.to_thread(source.asked.wait, PATIENCE_SECONDS)
        found.append(item)
    assert found == [0, 1, 2]
    assert source.is_closed


@pytest.mark.anyio
async def test_a_coroutine_that_leaves_early_closes_the_source() -> None:
    source = Source(5)
    async with aclosing(ahead_of_loop(source())) as items:
        assert await anext(items) == 0
    assert source.is_closed


@pytest.mark.anyio
async def test_a_cancelled_coroutine_waits_for_the_item_under_way_and_closes_the_source() -> None:
    under_way, may_go_on, is_closed = Event(), Event(), Event()

    def source() -> Iterator[int]:
        try:
            under_way.set()
            may_go_on.wait(PATIENCE_SECONDS)
            yield 0
        finally:
            is_closed.set()

    task = asyncio.ensure_future(anext(ahead_of_loop(source())))
    assert await asyncio.to_thread(under_way.wait, PATIENCE_SECONDS)
    task.cancel()
    asyncio.get_running_loop().call_later(0.05, may_go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert is_closed.is_set()


@pytest.mark.anyio
async def test_a_coroutine_hears_what_breaks_the_source() -> None:
    items = ahead_of_loop(Source(1, fails=True)())
    assert await anext(items) == 0
    with pytest.raises(RuntimeError, match="the source broke"):
        await anext(items)
