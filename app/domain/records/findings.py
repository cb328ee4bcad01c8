"""What is wrong with a mapping: every finding with its place and its remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from app.domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a document; ``path`` names the place, as ``records[1].columns.paid``."""

    path: str
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{place}{self.message}; {self.remedy}"


class MappingError(Invalid):
    """A mapping that cannot be used, with everything that is wrong with it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("mapping-invalid", "\n".join(map(str, self.findings)))


def nearest(name: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown name.

    >>> nearest("premiun", ["premium", "paid"])
    "did you mean 'premium'?"
    >>> nearest("x", ["premium", "paid"])
    'known here: premium, paid'
    """
    names = list(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(names)}"
