"""The router of customers, and who may ask."""

from __future__ import annotations

from typing import Annotated, Final

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.infra.auth import requires
from app.infra.routing import Router

router = Router("customers")

SEARCHERS: Final = (
    Role.AGENT,
    Role.ACCOUNT_MANAGER,
    Role.RISK_OFFICER,
    Role.BUSINESS_OFFICER,
    Role.COMPLIANCE,
)
READERS: Final = frozenset({Role.CUSTOMER, *SEARCHERS})
Reader = Annotated[Actor, requires(*READERS)]
