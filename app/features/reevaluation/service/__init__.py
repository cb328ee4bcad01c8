"""The use cases of re-evaluation."""

from app.features.reevaluation.service.reading import held_in, open_standing_book
from app.features.reevaluation.service.run import run
from app.features.reevaluation.service.summary import NO_TIER, Progress, RunSummary, Tally

__all__ = ["NO_TIER", "Progress", "RunSummary", "Tally", "held_in", "open_standing_book", "run"]
