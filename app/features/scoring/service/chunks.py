"""Storing decisions that a run made, many at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from app.features.scoring import repository
from app.features.scoring.repository import COPIED
from app.infra.database import AsyncSession

__all__ = ["COPIED", "benchmark_versions", "copy_decisions"]


async def copy_decisions(session: AsyncSession, *, csv: bytes) -> None:
    r"""Append many decisions; what was staged of them must be applied in the same transaction.

    Args:
        session: an open session.
        csv: rows with the columns of `COPIED`, no header; empty is null, bytes are `\x` and hex.
    """
    await repository.copy_decisions(session, csv)


async def benchmark_versions(session: AsyncSession, as_of: date) -> Mapping[str, str]:
    """The version of the market benchmark over all lines on a day, by kind of customer."""
    return await repository.benchmark_versions(session, as_of)
