"""Rule sets as they are sent and answered: versions, checks and drafts."""

from app.features.rule_sets.schemas.checking import (
    DOCUMENT_BODY,
    CheckQuery,
    CheckRead,
    FindingRead,
    ToldEffects,
    is_told_exactly,
)
from app.features.rule_sets.schemas.drafts import (
    DraftCreate,
    DraftRead,
    SinceQuery,
    refused_places,
)
from app.features.rule_sets.schemas.reading import (
    LARGEST_VERSION,
    ChangesRead,
    RuleSetId,
    RuleSetsRead,
    SinceVersion,
    TemplateRead,
    TemplatesRead,
    VersionNumber,
)

__all__ = [
    "DOCUMENT_BODY",
    "LARGEST_VERSION",
    "ChangesRead",
    "CheckQuery",
    "CheckRead",
    "DraftCreate",
    "DraftRead",
    "FindingRead",
    "RuleSetId",
    "RuleSetsRead",
    "SinceQuery",
    "SinceVersion",
    "TemplateRead",
    "TemplatesRead",
    "ToldEffects",
    "VersionNumber",
    "is_told_exactly",
    "refused_places",
]
