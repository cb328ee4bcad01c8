"""What is opened at the start is closed at the end, the last one first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from fastapi import FastAPI

from app.infra.lifespan import hold_open, lifespan

pytestmark = pytest.mark.anyio


def _named(name: str, seen: list[str]) -> AbstractAsyncContextManager[None]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        seen.append(f"{name} opened")
        yield
        seen.append(f"{name} closed")

    return opened()


async def test_the_last_opened_is_closed_first_and_an_application_can_start_again() -> None:
    app, seen = FastAPI(), list[str]()
    hold_open(app, lambda: _named("a", seen))
    hold_open(app, lambda: _named("b", seen))
    for _ in range(2):
        async with lifespan(app):
            assert seen == ["a opened", "b opened"]
        assert seen[2:] == ["b closed", "a closed"]
        seen.clear()


async def test_what_was_opened_is_closed_if_the_next_one_fails() -> None:
    app, seen = FastAPI(), list[str]()

    def broken() -> AbstractAsyncContextManager[None]:
        raise LookupError

    @asynccontextmanager
    async def whole() -> AsyncIterator[None]:
        try:
            yield
        finally:
            seen.append("closed")

    hold_open(app, whole)
    hold_open(app, broken)
    with pytest.raises(LookupError):
        async with lifespan(app):
            seen.append("running")
    assert seen == ["closed"]
