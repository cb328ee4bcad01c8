"""Routes that are read, described and checked once for all the applications of a test process.

What FastAPI finds out of the signatures of our route functions is most of the work of making an
application, looking through the fields of their answers is most of the rest, and writing their
description is most of the work of refusing a first request; all come out the same every time.
Everything else is made anew for each application: state, settings, quotas, middleware.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from app.infra import classification
from app.infra.application import Application
from app.main import ROUTERS


class ReadRoutes:
    """The routes of the service's routers, and the descriptions of applications made of them."""

    def __init__(self) -> None:
        self._read: dict[int, list[BaseRoute]] = {}
        self._described: dict[tuple[object, ...], dict[str, Any]] = {}
        self._checked: dict[tuple[object, ...], list[str]] = {}

    def include(self, app: FastAPI, router: APIRouter) -> None:
        """Give an application the routes that the first one read of the same router.

        Of their application they know its limit of a body and the like, which are the same in all
        that `create_app` makes; other routers are read anew. They also take the first application
        for the one whose `dependency_overrides` count. No test uses those: it hands over what it
        wants to replace.
        """
        if not any(router is known for known in ROUTERS):
            FastAPI.include_router(app, router)
            return
        if id(router) not in self._read:
            before = len(app.router.routes)
            FastAPI.include_router(app, router)
            self._read[id(router)] = app.router.routes[before:]
            return
        app.router.routes.extend(self._read[id(router)])

    def describe(self, app: Application) -> dict[str, Any]:
        """The description of the first application of the same routes, unless some are its own."""
        shared, own = self._shared_and_own(app)
        if any(getattr(route, "include_in_schema", True) for route in own):
            return _describe(app)
        key = (app.title, *(id(route) for route in shared))
        if key not in self._described:
            self._described[key] = _describe(app)
        return self._described[key]

    def check(self, app: FastAPI, unmodelled: Collection[str]) -> list[str]:
        """What has no class: of the routes that are shared once, of an application's own anew."""
        shared, own = self._shared_and_own(app)
        key = (frozenset(unmodelled), *(id(route) for route in shared))
        if key not in self._checked:
            self._checked[key] = _check(_with(shared), unmodelled)
        return self._checked[key] + _check(_with(own), unmodelled)

    def _shared_and_own(self, app: FastAPI) -> tuple[list[BaseRoute], list[BaseRoute]]:
        known = {id(route) for routes in self._read.values() for route in routes}
        shared = [route for route in app.routes if id(route) in known]
        return shared, [route for route in app.routes if id(route) not in known]


def _with(routes: list[BaseRoute]) -> FastAPI:
    bare = FastAPI(openapi_url=None)
    bare.router.routes[:] = routes
    return bare


_describe = Application.openapi
_check = classification.find_unclassified_fields


@contextmanager
def routes_read_once() -> Iterator[None]:
    """Read, describe and check no route twice."""
    routes = ReadRoutes()

    def include_router(app: Application, router: APIRouter) -> None:
        routes.include(app, router)

    def openapi(app: Application) -> dict[str, Any]:
        return routes.describe(app)

    def find_unclassified_fields(
        app: FastAPI, unmodelled: Collection[str] = classification.UNMODELLED_PATHS
    ) -> list[str]:
        return routes.check(app, unmodelled)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Application, "include_router", include_router)
        patched.setattr(Application, "openapi", openapi)
        patched.setattr(classification, "find_unclassified_fields", find_unclassified_fields)
        yield
