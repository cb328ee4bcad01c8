"""The one way to prove a document: in a process of its own, one at a time, and each document once.

A proof is pure Python and may keep a processor busy for over a minute. In a thread of the process
that serves it takes the interpreter from everybody: beside one proof a process answers a third of
the look-ups, beside four a thirtieth. So a child proves, which starts in a tenth of a second and
is ended as soon as nobody waits for its answer any longer. What it answers is bounded by steps, and
so is the same every time; what was proved lately is remembered by the document's hash.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from asyncio.subprocess import DEVNULL, PIPE
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final, Protocol, TypeAlias

from app.domain.rules.check import Proof
from app.domain.rules.findings import Finding
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.writing import canonical_json
from app.infra.confined.parent import COMMAND, environment, written

log = logging.getLogger(__name__)

#: Documents whose proofs are remembered, and findings of one that is: who is told of more will
#: hardly send the same again, and they take memory.
_MOST_KNOWN: Final = 64
_MOST_FINDINGS: Final = 500

Raw: TypeAlias = Mapping[str, object]


class Proves(Protocol):
    """Whoever proves documents: the prover itself, or as a caller has it."""

    async def prove(self, document: RuleSetDocument) -> Proof:
        """The proof of a document."""

    async def check(self, raw: Raw, bases: Mapping[str, Raw]) -> tuple[Finding, ...]:
        """Everything that is found in what cannot be read as a document, or only in part."""


class ProverFailedError(OSError):
    """The process that proves did not start, or ended without a proof.

    It is answered 503 as every `OSError` is: something of ours is not there.
    """


class Prover:
    """Proves the documents of one process, and remembers what it proved."""

    def __init__(self) -> None:
        self._free = asyncio.Lock()
        self._known: OrderedDict[str, Proof] = OrderedDict()

    async def prove(self, document: RuleSetDocument) -> Proof:
        """The proof of a document; the child that works on it ends with who waits for it.

        Raises:
            ProverFailedError: there is none.
        """
        canonical = await asyncio.to_thread(canonical_json, document)
        # That is the document's own hash.
        hash_ = sha256(canonical).hexdigest()
        proof = self._find(hash_)
        if proof is None:
            async with self._free:
                # Who was there before may have had the same document.
                proof = self._find(hash_) or self._keep(hash_, await prove_aside(canonical))
        return proof

    async def check(self, raw: Raw, bases: Mapping[str, Raw]) -> tuple[Finding, ...]:
        """What `check_document` finds in a raw document, when no proof is under way.

        It is not remembered, as a proof is: nobody sends the same errors again.

        Args:
            raw: the document, with errors of form or without.
            bases: what it extends.

        Raises:
            ProverFailedError: nobody found anything.
        """
        async with self._free:
            return await check_aside(raw, bases)

    def _find(self, hash_: str) -> Proof | None:
        if hash_ in self._known:
            self._known.move_to_end(hash_)
        return self._known.get(hash_)

    def _keep(self, hash_: str, proof: Proof) -> Proof:
        if len(proof.findings) + len(proof.failing) <= _MOST_FINDINGS:
            self._known[hash_] = proof
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return proof


async def prove_aside(canonical: bytes) -> Proof:
    """The proof of the document of which this is the canonical JSON, by a child of its own."""
    proof: Proof = await _answer({"task": "prove", "document": canonical.decode()})
    return proof


async def check_aside(raw: Raw, bases: Mapping[str, Raw]) -> tuple[Finding, ...]:
    """What is found in a raw document that extends one of the bases, by a child of its own."""
    # What stands in a raw document may be anything, and has to be judged as it is.
    pickled = await asyncio.to_thread(pickle.dumps, (raw, dict(bases)))
    order = {"task": "check", "pickled": b64encode(pickled).decode()}
    findings: tuple[Finding, ...] = await _answer(order)
    return findings


async def _answer(order: Mapping[str, object]) -> Any:  # noqa: ANN401 - what the task writes.
    """What a child answers to an order; it ends with who waits for it."""
    try:
        child = await asyncio.create_subprocess_exec(
            *COMMAND,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=environment(),
            # Who interrupts us at a terminal does not interrupt what is finished yet.
            start_new_session=True,
        )
    except OSError as error:
        raise _failed("it does not start") from error
    try:
        told, _ = await child.communicate(written(order))
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            # Its end may be told only once all that it wrote was taken.
            await child.communicate()
    if child.returncode != 0:
        raise _failed(f"exit status {child.returncode}")
    # A child of our own code, which read nothing but the document.
    return pickle.loads(told)  # noqa: S301 - as said.


def _failed(reason: str) -> ProverFailedError:
    log.warning("the prover failed", extra={"reason": reason})
    return ProverFailedError("the document could not be proved")
