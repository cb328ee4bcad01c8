"""The page with everything it needs, so that no browser asks a foreign host, and none lets it."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.infra.docs_page.bar import render_bar
from app.infra.docs_page.desk import DemoSeats, install_desk
from app.infra.docs_page.files import read_asset
from app.infra.settings import Settings

DOCS: Final = "/docs"

#: Swagger UI, as its package ships it.
_PARTS: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_ONE_DAY: Final = {"Cache-Control": "public, max-age=86400"}

#: What the page may load and ask: this service, and nobody else.
_ALLOWED: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    # Swagger UI's icons stand in its style sheet, as addresses of their own data.
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)

_GUARDS: Final = {
    "Content-Security-Policy": "; ".join(_ALLOWED),
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


def install_docs(app: FastAPI, settings: Settings, seats: DemoSeats | None = None) -> None:
    """Serve the page of the OpenAPI description at `/docs`, open like the description itself.

    Args:
        app: the application.
        settings: the deployment.
        seats: whose tokens one click fetches; without them there is neither bar nor route.

    Raises:
        Invalid: seats where tokens of the development issuer are not believed, as in production.
    """
    if seats is not None:
        install_desk(app, settings, seats)
    page = Template(read_asset("page.html")).substitute(
        title=escape(f"{app.title} {app.version}"),
        bar="" if seats is None else render_bar(seats),
    )
    # What signs in is no part of what is served elsewhere.
    names = ("page",) if seats is None else ("demo", "page")
    script = "".join(read_asset(f"{name}.js") for name in names)
    style = "".join(read_asset(f"{name}.css") for name in names)
    _serve(app, DOCS, HTMLResponse(page, headers=_GUARDS))
    _serve(app, f"{DOCS}/page.js", Response(script, media_type="text/javascript"))
    _serve(app, f"{DOCS}/page.css", Response(style, media_type="text/css"))
    for name, media_type in _PARTS.items():
        content = files("fastapi_offline").joinpath("static", name).read_bytes()
        part = Response(content, media_type=media_type, headers=_ONE_DAY)
        _serve(app, f"{DOCS}/{name}", part)


def _serve(app: FastAPI, path: str, answer: Response) -> None:
    async def serve(_: Request) -> Response:
        return answer

    app.router.add_route(path, serve, include_in_schema=False)
