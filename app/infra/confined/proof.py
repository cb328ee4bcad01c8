"""Proofs of rule-set documents, which may keep a processor busy for half a minute."""

from __future__ import annotations

import json
import os
import pickle
from typing import IO, Any, Final

from app.domain.facts.catalogue import CATALOGUE
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
