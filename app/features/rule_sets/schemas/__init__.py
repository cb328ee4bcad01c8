"""Rule sets as they are sent and answered."""

from app.features.rule_sets.schemas.checking import DOCUMENT_BODY, CheckQuery, CheckRead
from app.features.rule_sets.schemas.reading import (
    ChangesRead,
    ListedRuleSetRead,
    RuleSetId,
    RuleSetsRead,
    SinceVersion,
    TemplateRead,
    TemplatesRead,
    VersionNumber,
)

__all__ = [
    "DOCUMENT_BODY",
    "ChangesRead",
    "CheckQuery",
    "CheckRead",
    "ListedRuleSetRead",
    "RuleSetId",
    "RuleSetsRead",
    "SinceVersion",
    "TemplateRead",
    "TemplatesRead",
    "VersionNumber",
]
