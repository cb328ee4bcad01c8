"""Decisions as they are asked for and answered, masked by role."""

from app.features.scoring.schemas.decision import DecisionRead, EvaluationCreate, ReplayRead
from app.features.scoring.schemas.trace import DecisionTraceRead
from app.features.scoring.schemas.trial import TrialCreate, TrialRead

__all__ = [
    "DecisionRead",
    "DecisionTraceRead",
    "EvaluationCreate",
    "ReplayRead",
    "TrialCreate",
    "TrialRead",
]
