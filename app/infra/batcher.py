"""Many small calls of concurrent requests, done in one go.

Whatever is asked for in one turn of the event loop, or while an earlier batch is on its way, goes
into the next batch. A call joins only a batch that was not sent yet, so no answer is older than
the question.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
AnswerT = TypeVar("AnswerT")


class Batcher(Generic[ItemT, AnswerT]):
    """Collects items while a batch is on its way, and sends them together.

    One batch is on its way at a time, so that batches grow with the load and the database is asked
    as seldom as possible. Whoever gives up waiting leaves his item in the batch.

    Args:
        send: does a batch and gives one answer per item, in order. What it raises is raised to
            everybody in the batch.
        most: items in one batch.
    """

    def __init__(
        self, send: Callable[[list[ItemT]], Awaitable[Sequence[AnswerT]]], *, most: int = 256
    ) -> None:
        self._send = send
        self._most = most
        self._waiting: deque[tuple[ItemT, asyncio.Future[AnswerT]]] = deque()
        self._sending: asyncio.Task[None] | None = None

    async def ask(self, item: ItemT) -> AnswerT:
        """The answer to one item, once its batch is done."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[AnswerT] = loop.create_future()
        self._waiting.append((item, answer))
        if self._sending is None:
            # A task begins in the loop's next turn, until when others may join.
            self._sending = loop.create_task(self._send_all())
        return await answer

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), self._most)
                await self._send_batch([self._waiting.popleft() for _ in range(size)])
        finally:
            self._sending = None

    async def _send_batch(self, batch: list[tuple[ItemT, asyncio.Future[AnswerT]]]) -> None:
        try:
            answers = await self._send([item for item, _ in batch])
            answered = list(zip(batch, answers, strict=True))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs who wait.
            for waiting in _undone(batch):
                waiting.set_exception(error)
        except BaseException:
            for waiting in _undone(batch):
                waiting.cancel()
            raise
        else:
            for (_, waiting), answer in answered:
                if not waiting.done():
                    waiting.set_result(answer)


def _undone(
    batch: list[tuple[ItemT, asyncio.Future[AnswerT]]],
) -> Iterator[asyncio.Future[AnswerT]]:
    return (waiting for _, waiting in batch if not waiting.done())
