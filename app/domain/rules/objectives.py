"""Weighing the dimensions by another of a document's named objectives."""

from dataclasses import replace

from app.domain.errors import Invalid
from app.domain.rules.model import RuleSetDocument


def with_objective(document: RuleSetDocument, name: str) -> RuleSetDocument:
    """The same document, weighing its dimensions by another of its profiles.

    Each profile sums to 1000 per mille, so scores stay exact. What is proved of the tables stays
    proved, since proofs take a score for any number from 0 to 1000: what is compiled of the answer
    without proof may decide where the document may.

    Args:
        document: a resolved document.
        name: one of its objectives.

    Raises:
        Invalid: `unknown-objective` if the document has no profile of that name.
    """
    if name not in document.objectives:
        detail = f"The document has no such objective; it has {', '.join(document.objectives)}."
        raise Invalid("unknown-objective", detail)
    return replace(document, objective=name)
