"""The router of simulations, and who asks for them and reads them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path
from pydantic.types import UUID7

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.infra.auth import requires
from app.infra.routing import Router

router = Router("simulations")

SimulationId = Annotated[UUID7, Path(description="Id of a simulation.")]

#: Who works on rule sets; neither is shown any customer.
MAKERS: Final = (Role.RULE_AUTHOR, Role.RULE_PUBLISHER)
#: Who answers for the book, and is shown who moves.
WATCHERS: Final = (Role.RISK_OFFICER, Role.BUSINESS_OFFICER, Role.COMPLIANCE)

Maker = Annotated[Actor, requires(*MAKERS)]
Reader = Annotated[Actor, requires(*MAKERS, *WATCHERS)]
