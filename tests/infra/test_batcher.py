"""Concurrent calls are done in one go, and no call joins a batch that is on its way."""

from __future__ import annotations

import asyncio

import pytest

from app.infra.batcher import Batcher

pytestmark = pytest.mark.anyio


class Desk:
    """Does batches when it is told to, and remembers them."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.began = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def send(self, items: list[int]) -> list[int]:
        """Doubles each number; refuses a batch with a negative one."""
        self.batches.append(items)
        self.began.set()
        await self.may_go_on.wait()
        if min(items) < 0:
            message = "negative"
            raise ValueError(message)
        return [item * 2 for item in items]


@pytest.fixture
async def desk() -> Desk:
    return Desk()


async def test_what_is_asked_in_one_turn_of_the_loop_is_one_batch(desk: Desk) -> None:
    desk.may_go_on.set()
    batcher = Batcher(desk.send)
    assert await asyncio.gather(*map(batcher.ask, range(5))) == [0, 2, 4, 6, 8]
    assert desk.batches == [[0, 1, 2, 3, 4]]


async def test_a_batch_on_its_way_is_joined_by_nobody(desk: Desk) -> None:
    batcher = Batcher(desk.send)
    first = asyncio.ensure_future(batcher.ask(1))
    await desk.began.wait()
    later = [asyncio.ensure_future(batcher.ask(item)) for item in (2, 3)]
    desk.may_go_on.set()
    assert await asyncio.gather(first, *later) == [2, 4, 6]
    assert desk.batches == [[1], [2, 3]]


async def test_a_batch_holds_no_more_than_it_may(desk: Desk) -> None:
    desk.may_go_on.set()
    batcher = Batcher(desk.send, most=2)
    assert await asyncio.gather(*map(batcher.ask, range(5))) == [0, 2, 4, 6, 8]
    assert desk.batches == [[0, 1], [2, 3], [4]]


async def test_a_failure_is_told_to_all_of_the_batch_and_to_no_other(desk: Desk) -> None:
    desk.may_go_on.set()
    batcher = Batcher(desk.send)
    failed = await asyncio.gather(*map(batcher.ask, (1, -1)), return_exceptions=True)
    assert [type(error) for error in failed] == [ValueError, ValueError]
    assert await batcher.ask(2) == 4


async def test_who_gives_up_takes_nobody_with_him(desk: Desk) -> None:
    batcher = Batcher(desk.send)
    impatient, patient = (asyncio.ensure_future(batcher.ask(item)) for item in (1, 2))
    await desk.began.wait()
    impatient.cancel()
    desk.may_go_on.set()
    assert await patient == 4
    with pytest.raises(asyncio.CancelledError):
        await impatient
    failing = [asyncio.ensure_future(batcher.ask(item)) for item in (-1, -2)]
    await asyncio.sleep(0)
    failing[0].cancel()
    with pytest.raises(ValueError, match="negative"):
        await failing[1]


async def test_an_answer_for_each_item_is_insisted_on() -> None:
    async def forgetful(items: list[int]) -> list[int]:
        return items[1:]

    batcher = Batcher(forgetful)
    with pytest.raises(ValueError, match="shorter"):
        await asyncio.gather(*map(batcher.ask, (1, 2)))


async def test_when_the_loop_ends_nobody_waits_for_ever(desk: Desk) -> None:
    batcher = Batcher(desk.send)
    waiting = asyncio.ensure_future(batcher.ask(1))
    await desk.began.wait()
    sending = batcher._sending  # noqa: SLF001 - what the loop cancels when it ends.
    assert sending is not None
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    desk.may_go_on.set()
    assert await batcher.ask(3) == 6
