"""Proofs of rule-set documents, which may keep a processor busy for over a minute."""

from __future__ import annotations

import json
import os
import pickle
from base64 import b64decode
from typing import IO, Any, Final

from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.check import check_document
from app.domain.rules.check import prove as proof_of
from app.domain.rules.compile import compile_unproved
from app.domain.rules.document import parse_document

#: Whoever serves goes before who proves.
_NICENESS: Final = 10


def prove(order: dict[str, Any], out: IO[bytes]) -> None:
    """Write the proof of a document, which is the text of its canonical JSON."""
    os.nice(_NICENESS)
    document = parse_document(json.loads(order["document"]), CATALOGUE)
    pickle.dump(proof_of(compile_unproved(document, CATALOGUE)), out)


def check(order: dict[str, Any], out: IO[bytes]) -> None:
    """Write what is found in a raw document, whatever it is; with it comes what it extends."""
    os.nice(_NICENESS)
    raw, bases = pickle.loads(b64decode(order["pickled"]))  # noqa: S301 - by who started us.
    pickle.dump(check_document(raw, CATALOGUE, bases.__getitem__).findings, out)
