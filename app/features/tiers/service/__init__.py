"""The use cases on tiers."""

from app.features.tiers.service.assign import (
    STAGED,
    Held,
    Standing,
    apply_staged,
    assign,
    lock_held,
    stage_standings,
)
from app.features.tiers.service.export import export_tiers
from app.features.tiers.service.read import (
    ExplainedTier,
    HistoryPage,
    Lift,
    ServedTier,
    StoredAssignment,
    get_explanation,
    get_tier,
    list_history,
)

__all__ = [
    "STAGED",
    "ExplainedTier",
    "Held",
    "HistoryPage",
    "Lift",
    "ServedTier",
    "Standing",
    "StoredAssignment",
    "apply_staged",
    "assign",
    "export_tiers",
    "get_explanation",
    "get_tier",
    "list_history",
    "lock_held",
    "stage_standings",
]
