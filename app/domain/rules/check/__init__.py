"""The checker: exact findings about a rule set, on what is executed.

`check_document` takes a document as it was written, `check_compiled` a compiled rule set.
"""

from app.domain.rules.check.report import CheckReport, check_compiled, check_document
from app.domain.rules.check.versions import ActivationRange, check_versions
from app.domain.rules.check.words import box_text

__all__ = [
    "ActivationRange",
    "CheckReport",
    "box_text",
    "check_compiled",
    "check_document",
    "check_versions",
]
