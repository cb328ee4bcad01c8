"""`/v1/rule-sets`: which there are, their versions, the check of any document, and drafts."""

from app.features.rule_sets.router import checking, drafts, reading
from app.features.rule_sets.router.shared import router

__all__ = ["checking", "drafts", "reading", "router"]
