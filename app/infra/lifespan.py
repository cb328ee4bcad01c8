"""What an application opens when it starts and closes when it stops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TypeAlias

from fastapi import FastAPI

Resource: TypeAlias = Callable[[], AbstractAsyncContextManager[object]]


def hold_open(app: FastAPI, resource: Resource) -> None:
    """Have a resource opened when the application starts, and closed when it stops.

    Args:
        app: the application.
        resource: makes the context manager that opens and closes it.
    """
    _resources(app).append(resource)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open what was asked for in that order, and close the last one first."""
    async with AsyncExitStack() as stack:
        for resource in _resources(app):
            await stack.enter_async_context(resource())
        yield


def _resources(app: FastAPI) -> list[Resource]:
    if not hasattr(app.state, "resources"):
        app.state.resources = []
    found: list[Resource] = app.state.resources
    return found


class Service:
    """Whether the process still wants to be sent requests."""

    def __init__(self) -> None:
        self.is_leaving = False

    def leave(self) -> None:
        """Be sent no more; what comes all the same is answered."""
        self.is_leaving = True
