"""Reading what callers wrote keeps the interpreter busy: one at a time, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from app.infra.exchange.reading import read_upload

T = TypeVar("T")

#: Others wait, and what was begun for somebody who has gone holds up nobody but them: what else
#: needs a thread, as files do, has those of the event loop.
_READING: Final = ThreadPoolExecutor(1, "read")


async def in_turn(work: Callable[..., T], *arguments: object) -> T:
    """Do what keeps the interpreter busy when those who came before are done."""
    return await asyncio.get_running_loop().run_in_executor(_READING, partial(work, *arguments))


async def read_body(body: bytes, media_type: str) -> Mapping[str, object]:
    """The raw document that somebody sent; raises what `read_upload` does."""
    return await in_turn(read_upload, body, media_type)
