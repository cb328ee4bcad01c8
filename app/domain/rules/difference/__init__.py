"""What differs between two rule-set documents, in meaning and not in spelling."""

from app.domain.rules.difference.model import Difference, Effect, Kind
from app.domain.rules.difference.whole import differences

__all__ = ["Difference", "Effect", "Kind", "differences"]
