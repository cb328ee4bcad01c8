"""`/v1/rule-sets`: which there are, their versions, and their drafts."""

from app.features.rule_sets.router import drafts, reading
from app.features.rule_sets.router.shared import router

__all__ = ["drafts", "reading", "router"]
