"""The id of a request and the route it matched, as every layer can ask for them."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

REQUEST_ID_HEADER: Final = "X-Request-Id"
REQUEST_ID_KEY: Final = "tiering.request_id"
#: Where the express way notes the template of the route it answers for.
ROUTE_KEY: Final = "tiering.route"


def request_id_of(scope: Scope) -> str:
    """The id of the request; empty where the middleware does not run."""
    return str(scope.get(REQUEST_ID_KEY, ""))


def route_of(scope: Scope) -> str:
    """Method and route template, such as `GET /v1/customers/{customer_id}`; never the path itself.

    An unmatched path is told as `-`, since it is whatever the caller typed.
    """
    if (template := scope.get(ROUTE_KEY)) is not None:
        return f"{scope['method']} {template}"
    template = getattr(scope.get("route"), "path_format", None)
    matched = scope.get("fastapi", {}).get("effective_route_context")
    template = getattr(matched, "path_format", None) or template or "-"
    return f"{scope.get('method', '-')} {template}"
