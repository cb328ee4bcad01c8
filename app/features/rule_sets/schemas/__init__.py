"""Rule sets as they are sent and answered."""

from app.features.rule_sets.schemas.checking import DOCUMENT_BODY, CheckQuery, CheckRead
from app.features.rule_sets.schemas.reading import (
    ListedRuleSetRead,
    RuleSetId,
    RuleSetsRead,
    TemplateRead,
    TemplatesRead,
    VersionNumber,
)

__all__ = [
    "DOCUMENT_BODY",
    "CheckQuery",
    "CheckRead",
    "ListedRuleSetRead",
    "RuleSetId",
    "RuleSetsRead",
    "TemplateRead",
    "TemplatesRead",
    "VersionNumber",
]
