"""Rule sets as they are read, and drafts as they are written."""

from app.features.rule_sets.schemas.drafts import (
    DraftCreate,
    DraftRead,
    refused_places,
)
from app.features.rule_sets.schemas.reading import (
    LARGEST_VERSION,
    ActivationRead,
    ListedRuleSetRead,
    RuleSetId,
    RuleSetsRead,
    TemplateRead,
    TemplatesRead,
    VersionNumber,
)

__all__ = [
    "LARGEST_VERSION",
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
