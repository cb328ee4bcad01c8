"""The router of rule sets, and who may."""

from __future__ import annotations

from typing import Annotated

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.infra.auth import requires
from app.infra.routing import Router

router = Router("rules")

Reader = Annotated[
    Actor,
    requires(
        Role.RULE_AUTHOR,
        Role.RULE_PUBLISHER,
        Role.RISK_OFFICER,
        Role.BUSINESS_OFFICER,
        Role.COMPLIANCE,
    ),
]
Author = Annotated[Actor, requires(Role.RULE_AUTHOR)]
