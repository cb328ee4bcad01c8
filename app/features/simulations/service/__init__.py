"""The use cases of simulations."""

from __future__ import annotations

from app.infra.database import AsyncSession


async def has_rehearsed(
    session: AsyncSession,  # noqa: ARG001 - to be asked.
    *,
    rule_set_id: str,  # noqa: ARG001 - likewise.
    hash_: str,  # noqa: ARG001 - likewise.
) -> bool:
    """Whether exactly this document was rehearsed on the whole book; nothing is, as yet."""
    return False
