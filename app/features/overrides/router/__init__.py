"""`/v1/overrides`: asking for an override, the two keys, and its end."""

from app.features.overrides.router import deciding, delegations, evidence, reading, requests
from app.features.overrides.router.shared import router

__all__ = ["deciding", "delegations", "evidence", "reading", "requests", "router"]
