"""`tiering demo` from nothing to a served book, cut short and taken up again."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.cli import demo
from app.demo.layout import LAYOUT
from app.domain.errors import Invalid
from app.domain.privacy.roles import Role
from app.features.tiers.service.book import BookByTier
from app.infra.auth import development_token
from app.infra.clock import utc_now
from app.infra.settings import Settings
from tests.cli.conftest import Served, serving
from tests.patience import PATIENCE_SECONDS
from tests.unmeasured import measuring

CUSTOMERS = 200


@pytest.fixture
def served(fresh_database_url: str, tmp_path: Path) -> Iterator[Served]:
    """The demo in a process of its own, whose coverage counts: no other test is about it."""
    with serving(fresh_database_url, tmp_path, **measuring()) as opened:
        yield opened


def prepare(url: str, settings: Settings) -> None:
    asyncio.run(demo.prepare(url, settings, customers=CUSTOMERS))


def look(url: str, settings: Settings) -> BookByTier:
    return asyncio.run(demo.look(url, settings))


def test_a_load_that_was_cut_short_is_taken_up_again_and_a_full_book_is_left_alone(
    fresh_database_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, whole = fresh_database_url, LAYOUT
    names = list(whole)
    monkeypatch.setattr(demo, "LAYOUT", [*names[: names.index("customers") + 1], "gone"])
    with pytest.raises(Invalid):
        prepare(url, settings)
    assert look(url, settings).tiers == {}
    assert look(url, settings).customers == CUSTOMERS

    monkeypatch.setattr(demo, "LAYOUT", whole)
    prepare(url, settings)
    scored = look(url, settings)
    assert sum(scored.tiers.values()) == CUSTOMERS
    assert list(settings.data_dir.glob("demo-book*")) == []

    monkeypatch.setattr(demo, "write_book", None)
    prepare(url, settings)
    assert look(url, settings) == scored


def test_a_note_nobody_can_read_is_named(fresh_database_url: str, settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "demo-book.json").write_text("{}")
    with pytest.raises(Invalid, match=r"demo-book\.json"):
        prepare(fresh_database_url, settings)


def test_a_taken_port_is_named_before_anything_is_made(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Invalid, match=f"port {port}.*PORT"):
            demo.show_demo(customers=0, port=port)
    assert not settings.data_dir.exists()


def test_the_printed_calls_answer_and_a_signal_ends_it_in_order(served: Served) -> None:
    tokens = dict(re.findall(r"^  ([A-Z]+)=(\S+)$", served.printed, re.MULTILINE))
    calls = re.findall(r"Bearer \$([A-Z]+)\" (\S+)", served.printed)
    assert [role for role, _ in calls] == ["AGENT", "AGENT", "CUSTOMER", "COMPLIANCE"]
    for role, url in calls:
        answer = httpx.get(url, headers={"Authorization": f"Bearer {tokens[role]}"})
        assert answer.status_code == 200, (role, url, answer.text)
        assert url.startswith(served.base)
    send_and_await_an_import(served)
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(timeout=PATIENCE_SECONDS) == 0


def send_and_await_an_import(served: Served) -> None:
    """The demo does jobs too."""
    token = development_token(served.settings, role=Role.INTEGRATION, now=utc_now())
    with httpx.Client(base_url=served.base, headers={"Authorization": f"Bearer {token}"}) as feed:
        answer = feed.post(
            "/v1/imports",
            files={"file": ("customers.csv", b"customer_id,kind\nD1,corporate\n")},
            data={"record": "customers"},
        )
        assert answer.status_code == 202
        deadline = time.monotonic() + 30
        state = ""
        while state != "completed" and time.monotonic() < deadline:
            state = feed.get(answer.headers["Location"]).json()["state"]
        assert state == "completed"
