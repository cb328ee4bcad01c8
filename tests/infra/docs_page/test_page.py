"""The documentation page asks this service for everything, and lets nobody else in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

import pytest

from app.infra.database import Database
from app.infra.docs_page import DemoSeats
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, open_api

pytestmark = pytest.mark.anyio

PARTS: Final = {"page.js", "page.css", "swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"}


@pytest.fixture(params=["service", "demonstration"])
async def page(
    request: pytest.FixtureRequest, settings: Settings, database: Database
) -> AsyncIterator[Api]:
    """The application, and that of a demonstration."""
    seats = DemoSeats("C1") if request.param == "demonstration" else None
    async with open_api(create_app(settings, database, seats=seats), settings) as opened:
        yield opened


async def test_no_foreign_host_is_asked_for_anything(page: Api) -> None:
    html = (await page.get("/docs")).text
    asked = set(re.findall(r'(?:src|href)="([^"]+)"', html))
    assert asked == {f"docs/{part}" for part in PARTS} | {"openapi.json"}
    for path in asked:
        assert len((await page.get(f"/{path}")).content) > 50
    script, style = (await page.get("/docs/page.js")).text, (await page.get("/docs/page.css")).text
    for text in (html, script, style):
        assert "//" not in re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    bundled = (await page.get("/docs/swagger-ui.css")).text
    assert set(re.findall(r"url\(\"?(\w+:)", bundled)) == {"data:"}
    assert "@import" not in bundled


async def test_the_page_holds_no_script_and_no_style_of_its_own(page: Api) -> None:
    html = (await page.get("/docs")).text
    assert re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL) == ["", ""]
    assert not re.search(r"<style|style=|\son\w+=|javascript:", html)


async def test_the_browser_is_told_to_load_and_ask_nothing_else(page: Api) -> None:
    headers = (await page.get("/docs")).headers
    assert headers["Content-Security-Policy"].split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert (await page.get("/docs/page.js")).headers["Cache-Control"] == "no-store"


async def test_a_token_is_not_kept_beyond_the_page(page: Api) -> None:
    script = (await page.get("/docs/page.js")).text
    assert "persistAuthorization: false" in script
    assert not re.search("localStorage|sessionStorage|document.cookie", script)
