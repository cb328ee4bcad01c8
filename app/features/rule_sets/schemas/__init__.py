"""Rule sets as they are read, and drafts as they are written."""

from app.features.rule_sets.schemas.drafts import (
    DraftCreate,
    DraftRead,
    refused_places,
)
from app.features.rule_sets.schemas.reading import (
    ActivationRead,
    ListedRuleSetRead,
    RuleSetId,
    RuleSetsRead,
    TemplateRead,
    TemplatesRead,
    VersionNumber,
)

__all__ = [
    "ActivationRead",
    "DraftCreate",
    "DraftRead",
    "ListedRuleSetRead",
    "RuleSetId",
    "RuleSetsRead",
    "TemplateRead",
    "TemplatesRead",
    "VersionNumber",
    "refused_places",
]
