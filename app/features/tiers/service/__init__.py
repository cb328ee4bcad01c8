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

__all__ = [
    "STAGED",
    "Held",
    "Standing",
    "apply_staged",
    "assign",
    "lock_held",
    "stage_standings",
]
