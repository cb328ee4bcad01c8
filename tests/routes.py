"""Routes that are read once for all the applications of a test process.

What FastAPI finds out of the signatures of our route functions is most of the work of making an
application, and always the same; a test's own application then takes milliseconds. Everything else
is made anew: state, settings, quotas, middleware.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from app.infra.application import Application


@contextmanager
def routes_read_once() -> Iterator[None]:
    """Give each application the routes that the first one read of the same router.

    They know the first application as the one whose `dependency_overrides` count. No test uses
    those: it hands over what it wants to replace.
    """
    read: dict[int, tuple[APIRouter, list[BaseRoute]]] = {}

    def include_router(app: Application, router: APIRouter) -> None:
        if id(router) not in read:
            before = len(app.router.routes)
            FastAPI.include_router(app, router)
            # The router is kept too, so that no other gets its id.
            read[id(router)] = (router, app.router.routes[before:])
            return
        app.router.routes.extend(read[id(router)][1])

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Application, "include_router", include_router)
        yield
