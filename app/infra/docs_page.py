"""The documentation page with everything it needs, so that no browser asks a foreign host."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import Response

_PARTS: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
DOCS: Final = "/docs"
_ONE_DAY: Final = {"Cache-Control": "public, max-age=86400"}


def install_docs(app: FastAPI) -> None:
    """Serve the page of the OpenAPI description at `/docs`, open like the description itself."""
    script, style, icon = (f"docs/{name}" for name in _PARTS)
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=f"{app.title} {app.version}",
        swagger_js_url=script,
        swagger_css_url=style,
        swagger_favicon_url=icon,
        swagger_ui_parameters={"persistAuthorization": True, "tryItOutEnabled": True},
    )
    _serve(app, DOCS, page)
    for name, media_type in _PARTS.items():
        content = files("fastapi_offline").joinpath("static", name).read_bytes()
        part = Response(content, media_type=media_type, headers=_ONE_DAY)
        _serve(app, f"{DOCS}/{name}", part)


def _serve(app: FastAPI, path: str, answer: Response) -> None:
    async def serve(_: Request) -> Response:
        return answer

    app.router.add_route(path, serve, include_in_schema=False)
