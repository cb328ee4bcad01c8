"""The use cases of re-evaluation."""

from app.features.reevaluation.service.run import run
from app.features.reevaluation.service.summary import NO_TIER, Progress, RunSummary, Tally

__all__ = ["NO_TIER", "Progress", "RunSummary", "Tally", "run"]
