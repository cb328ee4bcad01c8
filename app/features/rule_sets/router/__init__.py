"""Rule sets over HTTP."""

from app.features.rule_sets.router import checking, reading
from app.features.rule_sets.router.shared import router

__all__ = ["checking", "reading", "router"]
