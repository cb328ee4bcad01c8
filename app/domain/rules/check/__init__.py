"""The checker: exact findings about a rule set, on what is executed.

`check_document` takes a document as it was written, `check_compiled` a compiled rule set; `prove`
says of one all that any door asks for.
"""

from app.domain.rules.check.report import (
    CheckReport,
    Proof,
    check_compiled,
    check_document,
    prove,
)
from app.domain.rules.check.versions import ActivationRange, check_versions
from app.domain.rules.check.words import box_text

__all__ = [
    "ActivationRange",
    "CheckReport",
    "Proof",
    "box_text",
    "check_compiled",
    "check_document",
    "check_versions",
    "prove",
]
