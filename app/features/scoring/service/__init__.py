"""The use cases of scoring."""

from app.features.scoring.service.decisions import Replay, get_decision, replay_decision
from app.features.scoring.service.evaluate import Stored, evaluate_customer
from app.features.scoring.service.what_if import Trial, try_facts

__all__ = [
    "Replay",
    "Stored",
    "Trial",
    "evaluate_customer",
    "get_decision",
    "replay_decision",
    "try_facts",
]
