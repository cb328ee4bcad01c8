"""What would lift an outcome: the smallest change of one fact, from the rules' breakpoints."""

from app.domain.rules.counterfactual.levers import Gap, Move
from app.domain.rules.counterfactual.scalar import gap

__all__ = ["Gap", "Move", "gap"]
