"""Proofs for callers: few have one under way, one of each caller, and each for as long as he waits.

    @router.post("/v1/things/check", dependencies=[PROVES, TAKES_TURN], ...)
    async def check_thing(..., prover: ProverForCaller): ...

Whoever waits for the prover has a turn in his hand, and perhaps a connection. So there are places
before the turns, fewer than of these, and who waits for a place has nothing that others could want.
Who gets none in time is answered 503 with `Retry-After`. A caller who hangs up, or whose time is
over, leaves his place, and his proof ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request

from app.domain.rules.check import Proof
from app.domain.rules.findings import Finding
from app.domain.rules.model import RuleSetDocument
from app.infra.auth import CurrentActor
from app.infra.problems import ProblemError
from app.infra.prover import Prover, Proves, Raw
from app.infra.turns import OneTurn

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _WhileAwaited:
    """The prover for one caller, who may hang up.

    Raises:
        ProblemError: he did, so that nobody is told.
        ProverFailedError: as the prover does.
    """

    request: Request

    async def prove(self, document: RuleSetDocument) -> Proof:
        """The proof of a document."""
        return await self._awaited(self._prover.prove(document))

    async def check(self, raw: Raw, bases: Mapping[str, Raw]) -> tuple[Finding, ...]:
        """Everything that is found in what cannot be read as a document, or only in part."""
        return await self._awaited(self._prover.check(raw, bases))

    @property
    def _prover(self) -> Prover:
        prover: Prover = self.request.app.state.prover
        return prover

    async def _awaited(self, work: Coroutine[Any, Any, T]) -> T:
        proving = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(_hangs_up(self.request))
        try:
            await asyncio.wait((proving, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not proving.done():
                raise ProblemError("timeout")
            return await proving
        finally:
            proving.cancel()
            leaving.cancel()
            # The child has ended before the place is free.
            await asyncio.gather(proving, leaving, return_exceptions=True)


async def prover_for_caller(request: Request, actor: CurrentActor) -> AsyncIterator[Proves]:
    """The prover, for as long as the caller has a place and waits."""
    # Who sends slowly sends before he has a place, of which there are few; it is read once.
    await request.body()
    place = OneTurn(request.app.state.proving_places, actor)
    await place.take()
    try:
        yield _WhileAwaited(request)
    finally:
        place.end()


PROVES: Final[Any] = Depends(prover_for_caller, scope="function")
ProverForCaller = Annotated[Proves, PROVES]


async def _hangs_up(request: Request) -> None:
    # The body was read: nothing else is to come.
    while (await request.receive())["type"] != "http.disconnect":
        pass
