"""The application: wiring only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app import __version__
from app.features.benefits.router import router as benefits
from app.features.customers.router import router as customers
from app.features.facts.router import router as facts
from app.features.imports.router import router as imports
from app.features.jobs.router import router as jobs
from app.features.overrides.router import router as overrides
from app.features.publications.router import router as publications
from app.features.rule_sets.router import router as rule_sets
from app.features.scoring.router import router as scoring
from app.features.simulations.router import router as simulations
from app.features.sla.router import router as sla
from app.features.tiers.router import router as tiers
from app.infra.actors import ActorRegister
from app.infra.app_vault import install_vault
from app.infra.application import Application
from app.infra.audit import install_audit
from app.infra.auth import install_authentication
from app.infra.classification import check_classified
from app.infra.database import Database
from app.infra.docs_page import TOKEN_PATH, DemoSeats, install_docs
from app.infra.lifespan import hold_open, lifespan
from app.infra.probes import install_probes
from app.infra.probes import router as probes
from app.infra.problems import install_problems
from app.infra.rate_limit import create_limiter
from app.infra.settings import Settings
from app.infra.telemetry import OFF, Telemetry
from app.infra.turns import install_turns

ROUTERS: Final = (
    *(customers, tiers, sla, benefits, facts, rule_sets, simulations, publications, scoring),
    *(overrides, imports, jobs, probes),
)

LARGEST_BODY: Final = 1_000_000
"""Bytes of a request body; what is larger is answered 413."""

DESCRIPTION: Final = """
Scores an insurer's customers, puts them in tiers, and serves them by tier.

Every answer is masked for the one active role of the caller's token; a field that was withheld is
present as `null` and listed in `meta.masked`. Errors are problem documents (RFC 9457). Texts for
people come in English and Chinese, by `Accept-Language`.
"""


def create_app(
    settings: Settings,
    database: Database,
    telemetry: Telemetry = OFF,
    seats: DemoSeats | None = None,
) -> FastAPI:
    """The service over one database.

    Args:
        settings: the deployment's.
        database: of which only this application makes use.
        telemetry: where traces and metrics go.
        seats: of a demonstration, whose tokens the documentation page may fetch.

    Raises:
        ClassificationError: a field, column, fact or metric label has no sensitivity class.
        Invalid: the settings lack a key or hold one that cannot be used.
    """
    app = Application(
        title="Tiering",
        version=__version__,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        generate_unique_id_function=_operation_id,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=LARGEST_BODY,
        request_seconds=settings.request_timeout_seconds,
        body_seconds=settings.body_timeout_seconds,
        telemetry=telemetry.config(),
        express=[hot for router in ROUTERS for hot in router.express_routes],
    )
    app.state.settings = settings
    app.state.database = database
    app.state.rate_limiter = create_limiter(settings)
    install_turns(app, settings)
    hold_open(app, telemetry.opened)
    install_vault(app, settings)
    audit = install_audit(app)
    install_probes(app)
    for router in ROUTERS:
        app.include_router(router)
    install_docs(app, settings, seats)
    install_problems(app, audit.record_denial)
    app.state.actors = register = ActorRegister(database.lanes, audit.actor_digest)
    install_authentication(app, settings, register, also_open=[TOKEN_PATH] if seats else [])
    check_classified(app)
    return app


def _operation_id(route: APIRoute) -> str:
    """`verb_noun`, which is what the route functions are called."""
    return route.name


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with lifespan(app):
        yield
    await app.state.database.close()
