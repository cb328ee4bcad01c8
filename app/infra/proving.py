"""Proofs for callers: few have one under way, one of each caller, and each for as long as he waits.

    @router.post("/v1/things/check", dependencies=[PROVES, TAKES_TURN], ...)
    async def check_thing(..., prove: ProofForCaller): ...

Whoever waits for the prover has a turn in his hand, and perhaps a connection. So there are places
before the turns, fewer than of these, and who waits for a place has nothing that others could want.
Who gets none in time is answered 503 with `Retry-After`. A caller who hangs up, or whose time is
over, leaves his place, and his proof ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from app.domain.rules.check import Proof
from app.domain.rules.model import RuleSetDocument
from app.infra.auth import CurrentActor
from app.infra.problems import ProblemError
from app.infra.prover import Prove, Prover
from app.infra.turns import OneTurn


async def proof_for_caller(request: Request, actor: CurrentActor) -> AsyncIterator[Prove]:
    """The prover, for as long as the caller has a place and waits."""
    place = OneTurn(request.app.state.proving_places, actor)
    await place.take()
    try:
        yield partial(_prove_while_awaited, request)
    finally:
        place.end()


PROVES: Final[Any] = Depends(proof_for_caller, scope="function")
ProofForCaller = Annotated[Prove, PROVES]


async def _prove_while_awaited(request: Request, document: RuleSetDocument) -> Proof:
    """The proof; given up when the caller hangs up.

    Raises:
        ProblemError: he did, so that nobody is told.
        ProverFailedError: there is none.
    """
    prover: Prover = request.app.state.prover
    proving = asyncio.ensure_future(prover.prove(document))
    leaving = asyncio.ensure_future(_hangs_up(request))
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


async def _hangs_up(request: Request) -> None:
    # The body was read: nothing else is to come.
    while (await request.receive())["type"] != "http.disconnect":
        pass
