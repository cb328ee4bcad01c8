"""The tiers of the whole book as a file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Final

from app.domain.errors import Forbidden
from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Role, Viewer
from app.features.tiers.repository import export
from app.features.tiers.repository.export import ExportedTier
from app.infra.database import AsyncSession
from app.infra.exports import open_export

_COLUMNS: Final[dict[str, type[str | int | datetime]]] = {
    "customer_id": str,
    "tier": str,
    "segment": str,
    "score": int,
    "evaluated_at": datetime,
}


Note = Callable[[int], Awaitable[None]]
"""Writes down that a file tells about so many customers."""


async def export_tiers(
    session: AsyncSession, path: Path, *, today: date, note: Note, role: Role | None = None
) -> int:
    """Write the tier of every evaluated customer to a CSV or Parquet file.

    The file gets its name when it is complete and noted; until then whatever stood there stays.

    Args:
        session: an open session.
        path: the file; its suffix says the format.
        today: the business day whose tiers are written.
        note: awaited before the file gets its name; if it raises, there is no file.
        role: mask as this role sees other people's customers; without one nothing is masked,
            which is for whoever has the database anyway.

    Returns:
        How many customers were written.

    Raises:
        Forbidden: the role is shown no customer data.
        Invalid: `export-format` or `export-failed`.
    """
    shows_internal = role is None or _shows_internal(role)
    written = 0
    with open_export(path, _COLUMNS) as writer:
        async for rows in export.stream_tiers(session, today=today):
            writer.write(rows if shows_internal else [_masked(row) for row in rows])
            written += len(rows)
        await note(written)
    return written


def _shows_internal(role: Role) -> bool:
    viewer = Viewer(role=role, subject="")
    if not MATRIX.sees_customer_data(viewer):
        raise Forbidden("forbidden", f"The role {role} is shown no customer data.")
    return MATRIX.disposition(viewer, SensitivityClass.INTERNAL) is Disposition.CLEAR


def _masked(row: ExportedTier) -> tuple[str, str, None, None, datetime]:
    """Segment and score are internal."""
    return (row.customer_id, row.tier, None, None, row.evaluated_at)
