"""What is wrong with a rule set: findings with a place, a stable code and a remedy."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a document.

    ``path`` names the place (``tables[2].rules[SEG1].when.premium_ratio``), ``code`` is stable
    and may be relied on, ``remedy`` says what to do. ``witness`` holds input names and values
    that prove the finding where there is such a proof.
    """

    path: str
    code: str
    message: str
    remedy: str
    witness: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.path}: {self.code}: {self.message} {self.remedy}"


class DocumentError(Invalid):
    """A document that cannot be used, with everything that is wrong with it."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("rule-set-invalid", "\n".join(map(str, self.findings)))
