"""Proofs without a child: it takes a tenth of a second to start, several times as long as it works.

Tests of the prover have the real ones, as have the servers and commands that tests start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import pytest

from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.check import Proof, prove
from app.domain.rules.compile import compile_unproved
from app.domain.rules.document import parse_document
from app.infra import prover

#: By a child, as it is outside of tests.
PROVE_ASIDE = prover._prove_aside  # noqa: SLF001 - what is replaced.


@contextmanager
def proved_here() -> Iterator[None]:
    """Let this process prove."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(prover, "_prove_aside", _prove_here)
        yield


async def _prove_here(canonical: bytes) -> Proof:
    return _proved(canonical)


@lru_cache(maxsize=256)
def _proved(canonical: bytes) -> Proof:
    document = parse_document(json.loads(canonical), CATALOGUE)
    return prove(compile_unproved(document, CATALOGUE))
