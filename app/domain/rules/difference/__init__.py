"""What differs between two rule-set documents, in meaning and not in spelling."""

from app.domain.rules.difference.answers import AnswerShift, AnswerShifts, answer_shifts
from app.domain.rules.difference.model import Difference, Effect, Kind
from app.domain.rules.difference.whole import differences

__all__ = [
    "AnswerShift",
    "AnswerShifts",
    "Difference",
    "Effect",
    "Kind",
    "answer_shifts",
    "differences",
]
