"""The use cases on tiers."""

from app.features.tiers.service.assign import (
    STAGED,
    Held,
    Standing,
    apply_staged,
    assign,
    lock_held,
    return_to_evaluated,
    stage_standings,
)
from app.features.tiers.service.export import export_tiers
from app.features.tiers.service.read import (
    Asked,
    ExplainedTier,
    HistoryPage,
    Lift,
    LookedUpTier,
    PendingOverride,
    ServedTier,
    StoredAssignment,
    TierLookups,
    find_tiers,
    get_explanation,
    get_tier,
    list_history,
)

__all__ = [
    "STAGED",
    "Asked",
    "ExplainedTier",
    "Held",
    "HistoryPage",
    "Lift",
    "LookedUpTier",
    "PendingOverride",
    "ServedTier",
    "Standing",
    "StoredAssignment",
    "TierLookups",
    "apply_staged",
    "assign",
    "export_tiers",
    "find_tiers",
    "get_explanation",
    "get_tier",
    "list_history",
    "lock_held",
    "return_to_evaluated",
    "stage_standings",
]
