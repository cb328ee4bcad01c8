"""Proofs without a child: it takes a tenth of a second to start, several times as long as it works.

Tests of the prover have the real ones, as have the servers and commands that tests start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

import pytest

from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.check import Proof, check_document, prove
from app.domain.rules.compile import compile_unproved
from app.domain.rules.document import parse_document
from app.domain.rules.findings import Finding
from app.infra import prover

#: By a child, as it is outside of tests.
PROVE_ASIDE = prover.prove_aside
CHECK_ASIDE = prover.check_aside


@contextmanager
def proved_here() -> Iterator[None]:
    """Let this process prove."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(prover, "prove_aside", _prove_here)
        patched.setattr(prover, "check_aside", _check_here)
        yield


async def _prove_here(canonical: bytes) -> Proof:
    return _proved(canonical)


async def _check_here(raw: prover.Raw, bases: Mapping[str, prover.Raw]) -> tuple[Finding, ...]:
    return check_document(raw, CATALOGUE, bases.__getitem__).findings


@lru_cache(maxsize=256)
def _proved(canonical: bytes) -> Proof:
    document = parse_document(json.loads(canonical), CATALOGUE)
    return prove(compile_unproved(document, CATALOGUE))
