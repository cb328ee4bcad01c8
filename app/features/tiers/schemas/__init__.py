"""Tiers as they are answered."""

from app.features.tiers.schemas.explanation import ExplanationRead
from app.features.tiers.schemas.history import HistoryQuery, HistoryRead
from app.features.tiers.schemas.ladder import LadderRead
from app.features.tiers.schemas.lookup import (
    FoundTierRead,
    LookupCreate,
    LookupRead,
    NotFoundRead,
    NoTierRead,
)
from app.features.tiers.schemas.reason import ReasonRead, ReasonTeller
from app.features.tiers.schemas.sight import GENERAL, least_shown
from app.features.tiers.schemas.tier import RuleSetRead, TierRead

__all__ = [
    "GENERAL",
    "ExplanationRead",
    "FoundTierRead",
    "HistoryQuery",
    "HistoryRead",
    "LadderRead",
    "LookupCreate",
    "LookupRead",
    "NoTierRead",
    "NotFoundRead",
    "ReasonRead",
    "ReasonTeller",
    "RuleSetRead",
    "TierRead",
    "least_shown",
]
