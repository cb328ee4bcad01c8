"""Turns at what writes and at what costs, so that reads and probes always find a connection.

Whoever writes may have to wait for a row or a lock that others hold, and waits with a connection in
his hand. Without a bound a few dozen requests for one customer would hold them all, and everybody
else were answered 503. So a process lets half as many requests write or calculate at a time as it
has connections, and one actor, whatever his role, has half of these turns at most:

    @router.put("/v1/things/{thing_id}", dependencies=[TAKES_TURN], ...)

The turn ends after the transaction. Who gets none in time is answered 503 with `Retry-After`. It is
not the framework's `max_concurrency`, which knows neither actors nor settings and waits for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Depends, FastAPI, Request

from app.domain.privacy.actor import Actor
from app.infra.auth import CurrentActor
from app.infra.problems import ProblemError
from app.infra.settings import Settings

_PATIENCE_SECONDS: Final = 5.0
#: One is proved for, and one reads, or has customers counted, meanwhile.
_MOST_PROVING: Final = 2

Name: TypeAlias = tuple[str, str]


class _Gate:
    """The turns of one actor, as long as he has any or waits for one."""

    __slots__ = ("free", "users")

    def __init__(self, most: int) -> None:
        self.free = asyncio.Semaphore(most)
        self.users = 0


class Turns:
    """The turns of one process.

    Args:
        most: how many there are.
        most_of_one: how many one actor has at a time.
        patience_seconds: how long anybody waits for one.
    """

    def __init__(
        self, most: int, most_of_one: int, patience_seconds: float = _PATIENCE_SECONDS
    ) -> None:
        self._free = asyncio.Semaphore(most)
        self._most_of_one = most_of_one
        self._patience = patience_seconds
        self._gates: dict[Name, _Gate] = {}

    def __len__(self) -> int:
        """How many actors have a turn or wait for one."""
        return len(self._gates)

    async def take(self, name: Name) -> None:
        """Wait for a turn; first for one's own others, so that nobody else waits behind them.

        Raises:
            ProblemError: there was none in time.
        """
        gate = self._gates.setdefault(name, _Gate(self._most_of_one))
        gate.users += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._pass(gate)
        except BaseException as error:
            self._leave(name, gate)
            if not isinstance(error, TimeoutError):
                raise
            raise ProblemError("unavailable") from None

    async def _pass(self, gate: _Gate) -> None:
        await gate.free.acquire()
        try:
            await self._free.acquire()
        except BaseException:
            gate.free.release()
            raise

    def give_back(self, name: Name) -> None:
        """End a turn."""
        gate = self._gates[name]
        self._free.release()
        gate.free.release()
        self._leave(name, gate)

    def _leave(self, name: Name, gate: _Gate) -> None:
        gate.users -= 1
        if not gate.users:
            del self._gates[name]


class OneTurn:
    """The turn of one request, which it takes when it begins to need one.

    Args:
        turns: those of the process.
        actor: who asks.
    """

    def __init__(self, turns: Turns, actor: Actor) -> None:
        self._turns = turns
        self._name = (actor.issuer, actor.subject)
        self._is_taken = False

    async def take(self) -> None:
        """Wait for the turn, unless it is taken already; it lasts until the request's end.

        Raises:
            ProblemError: there was none in time.
        """
        if not self._is_taken:
            await self._turns.take(self._name)
            self._is_taken = True

    def end(self) -> None:
        """Give the turn back, if it was taken."""
        if self._is_taken:
            self._is_taken = False
            self._turns.give_back(self._name)


async def turn_of(request: Request, actor: CurrentActor) -> AsyncIterator[OneTurn]:
    """The turn of one request; it outlives what is asked for after it."""
    turn = OneTurn(request.app.state.turns, actor)
    try:
        yield turn
    finally:
        turn.end()


#: For a route that does something else before; it stands before what works with the session.
LaterTurn = Annotated[OneTurn, Depends(turn_of, scope="function")]


async def take_turn(turn: LaterTurn) -> None:
    """Wait for a turn before the route function begins."""
    await turn.take()


TAKES_TURN: Final[Any] = Depends(take_turn, scope="function")


def install_turns(app: FastAPI, settings: Settings) -> None:
    """Give an application the turns of a deployment, and the places before them."""
    app.state.turns = create_turns(settings)
    app.state.proving_places = create_proving_places(settings)


def create_turns(settings: Settings) -> Turns:
    """The turns of a deployment: half of its connections, and half of these for one actor."""
    most = _most_turns(settings)
    return Turns(most, (most + 1) // 2)


def create_proving_places(settings: Settings) -> Turns:
    """The places of those who have a document proved: half of the turns at most, one of one actor.

    One is at a time, so that more than two would only wait for each other, each with a turn.
    """
    return Turns(min(_MOST_PROVING, max(1, _most_turns(settings) // 2)), 1)


def _most_turns(settings: Settings) -> int:
    return max(1, settings.pool_size // 2)
