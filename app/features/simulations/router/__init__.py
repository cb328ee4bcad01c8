"""Simulations over HTTP, in one router."""

from app.features.simulations.router import listing, rehearsing
from app.features.simulations.router.shared import router

__all__ = ["listing", "rehearsing", "router"]
