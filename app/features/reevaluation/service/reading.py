"""The book with what stands of each customer, for whoever judges all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from app.features.reevaluation import repository
from app.features.reevaluation.service.frame import Held
from app.infra.book import Batch, Book, open_book
from app.infra.settings import Settings


@asynccontextmanager
async def open_standing_book(
    url: str, settings: Settings, extra: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Book]:
    """The book, opened and closed off the event loop: both take their time.

    Args:
        url: the database.
        settings: where the temporary book may live.
        extra: further queries, as `app.infra.book.open_book` takes them.
    """
    standing = {"states": repository.STATES_QUERY, "overrides": repository.OVERRIDES_QUERY}
    opening = open_book(url, settings.data_dir, extra={**standing, **extra})
    book = await asyncio.to_thread(opening.__enter__)
    try:
        yield book
    finally:
        await asyncio.to_thread(opening.__exit__, None, None, None)


def held_in(batch: Batch) -> Held:
    """What stands of the customers of a batch of such a book."""
    return Held(batch.rows["states"], batch.rows["overrides"])
