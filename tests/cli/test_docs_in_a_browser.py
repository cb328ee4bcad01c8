"""The demo's documentation page in a real browser: one click, one call, and no foreign host."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from app.domain.privacy.roles import Role
from app.infra.docs_page.bar import read_seats
from tests.cli.conftest import Served, serving
from tests.patience import PATIENCE_SECONDS

#: Names that a browser may come by. `TIERING_TEST_BROWSER` is the path of another.
NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
#: A name of somebody else's that points here, as it may be made to.
REBOUND: Final = "attacker.test"
RULES: Final = f"MAP {REBOUND} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

#: An operation as the page resolves it from a description of which nothing else can be read, and as
#: Swagger UI does by itself.
RESOLVED: Final = """
async path => {
  const plain = SwaggerUIBundle({domNode: document.createElement("div")}).getSystem();
  const description = ui.specSelectors.specJS();
  const locked = {...description, paths: {...description.paths}};
  for (const other of Object.keys(locked.paths).filter(other => other !== path[1])) {
    const get = () => { throw new Error(`${other} was read`); };
    Object.defineProperty(locked.paths, other, {enumerable: true, get});
  }
  return [
    await ui.getSystem().fn.resolveSubtree(locked, path),
    await plain.fn.resolveSubtree(description, path),
  ];
}
"""
#: One that is asked for something, and one that is sent something.
SHOWN: Final = (("/v1/customers/{customer_id}/tier", "get"), ("/v1/overrides", "post"))

OpenPage = Callable[[str], Page]

# Swagger UI reads the whole description anew whenever the page is opened, on whatever processor is
# left.
expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser that finds no host but this one."""
    paths = (shutil.which(name) for name in NAMES)
    path = os.environ.get("TIERING_TEST_BROWSER") or next(filter(None, paths), None)
    if path is None:
        pytest.skip("no Chromium is here: `make test BROWSER=install`, or TIERING_TEST_BROWSER")
    with sync_playwright() as driver:
        try:
            opened = driver.chromium.launch(
                executable_path=path,
                timeout=PATIENCE_SECONDS * 1000,
                args=[f"--host-resolver-rules={RULES}", "--no-proxy-server"],
            )
        except BrowserError as error:
            pytest.skip(f"{path} does not start: {error.message.splitlines()[0]}")
        yield opened
        opened.close()


@pytest.fixture
def served(book_url: str, tmp_path: Path) -> Iterator[Served]:
    """The demo over a book that is there."""
    with serving(book_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def errors() -> list[str]:
    """What went wrong in the browser; what the policy forbade is said there too."""
    return []


@pytest.fixture
def asked() -> list[str]:
    """Every address that was asked for."""
    return []


@pytest.fixture
def open_page(browser: Browser, errors: list[str], asked: list[str]) -> OpenPage:
    """Opens an address, and writes down what goes on there."""

    def tell(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            errors.append(message.text)

    def open_at(url: str) -> Page:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.on("console", tell)
        page.on("pageerror", lambda error: errors.append(error.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        return page

    return open_at


def sign_in(page: Page, role: str) -> str:
    """Click a role; what the page says then."""
    page.get_by_role("button", name=role, exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(f"Signed in as {role} until")
    return page.get_by_role("status").inner_text()


def look_up_tier(page: Page, customer_id: str) -> tuple[str, str]:
    """Ask for a tier by Swagger UI's own form: the status, and what curl would say."""
    operation = page.locator("#operations-tiers-get_tier")
    if not operation.get_by_role("button", name="Execute").is_visible():
        operation.locator(".opblock-summary-control").click()
    operation.get_by_placeholder("customer_id").fill(customer_id)
    with page.expect_response(f"**/v1/customers/{customer_id}/tier") as answer:
        operation.get_by_role("button", name="Execute").click()
    status = operation.locator(".live-responses-table tbody .response-col_status")
    expect(status).to_contain_text(str(answer.value.status))
    return status.inner_text(), operation.locator(".curl-command").inner_text()


def test_one_click_signs_in_and_no_foreign_host_is_asked(
    served: Served, open_page: OpenPage, errors: list[str], asked: list[str]
) -> None:
    # In this order: an open browser keeps an event loop, beside which no database is made.
    page = open_page(f"{served.base}/docs")
    told = sign_in(page, "Agent")
    customer_id = told.rpartition(" ")[2].rstrip(".")
    assert f"/v1/customers/{customer_id}/tier" in served.printed
    status, curl = look_up_tier(page, customer_id)
    assert status == "200"
    assert "X-Purpose: customer_service" in curl

    assert f"You are customer {customer_id}." in sign_in(page, "Customer")
    status, curl = look_up_tier(page, customer_id)
    assert status == "200"
    assert "X-Purpose" not in curl
    assert look_up_tier(page, "NOBODY")[0].startswith("404")
    sign_in(page, "Analyst")
    assert look_up_tier(page, customer_id)[0].startswith("403")
    assert page.locator(".demo [aria-pressed=true]").inner_text() == "Analyst"

    assert {urlsplit(url).netloc for url in asked} == {urlsplit(served.base).netloc}
    assert all("status of 40" in error for error in errors), errors
    assert (
        page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    )
    page.reload()
    expect(page.get_by_role("status")).to_have_text("Not signed in.")

    shows_an_operation_without_reading_the_others(page)
    sees_its_way_on_a_narrow_screen_and_by_keys(page)
    signs_out_and_in_by_hand(page)
    gives_nothing_to_a_rebound_name(served, open_page)


def shows_an_operation_without_reading_the_others(page: Page) -> None:
    """What it resolves of one is what the whole description says of it."""
    expect(page.get_by_role("button", name="Agent", exact=True)).to_be_enabled()
    for path, method in SHOWN:
        shown, told = page.evaluate(RESOLVED, ["paths", path, method])
        assert shown == told
        assert shown["errors"] == []
        # What it refers to stands in it, at any depth.
        assert "FieldErrorRead" in repr(shown["spec"]["responses"])


def sees_its_way_on_a_narrow_screen_and_by_keys(page: Page) -> None:
    """Nothing of the bar is wider than a small screen, and every button says whom it means."""
    page.set_viewport_size({"width": 360, "height": 740})
    first = page.get_by_role("button", name="Agent", exact=True)
    expect(first).to_be_enabled()
    expect(first).to_have_accessible_description(read_seats()[Role.AGENT].sees)
    assert page.locator(".demo").evaluate("bar => bar.scrollWidth <= innerWidth")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    ring = page.locator(".demo-roles li").first.evaluate(
        "card => getComputedStyle(card).outlineStyle"
    )
    assert ring == "solid"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Signed in as Customer until")
    expect(page.get_by_role("status")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Customer", exact=True, pressed=True)).to_be_visible()
    expect(page.get_by_label("Purpose sent with each call")).to_have_value("")


def signs_out_and_in_by_hand(page: Page) -> None:
    """The dialogue of Swagger UI works under the policy, and the bar notices."""
    page.get_by_role("button", name="Authorize").click()
    page.get_by_role("button", name="Remove authorization").click()
    expect(page.get_by_role("status")).to_have_text("Not signed in.")
    page.get_by_label("auth-bearer-value").fill("of my own")
    page.get_by_role("button", name="Apply credentials").click()
    expect(page.get_by_role("button", name="Remove authorization")).to_be_visible()


def gives_nothing_to_a_rebound_name(served: Served, open_page: OpenPage) -> None:
    """Another site gets no token, neither under its own name nor across origins."""
    port = urlsplit(served.base).port
    page = open_page(f"http://{REBOUND}:{port}/docs")
    page.get_by_role("button", name="Admin", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Not signed in as Admin. Tokens are given")
    page.goto(f"http://{REBOUND}:{port}/openapi.json")
    tried = page.evaluate(
        "url => fetch(url, {method: 'POST'}).then(answer => answer.status, error => error.name)",
        f"{served.base}/docs/token?role=admin",
    )
    assert tried == "TypeError"
