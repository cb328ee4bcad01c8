"""Letting the tier held by evaluation serve again where an override replaced it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ARRAY, Date, DateTime, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.serving import HELD_SOURCE
from app.infra.ids import new_id


@dataclass(frozen=True, slots=True)
class Return:
    """Whose override served which tier, and the first business day the tier held serves again."""

    customer_id: str
    served: str
    on: date


_RETURNING: Final = "unnest(:customer_ids, :tiers, :days) AS back (customer_id, tier, day)"
_TYPES: Final = (
    bindparam("customer_ids", type_=ARRAY(Text)),
    bindparam("tiers", type_=ARRAY(Text)),
    bindparam("days", type_=ARRAY(Date)),
)
_CLOSE: Final = text(f"""
    UPDATE tier_assignments AS open SET valid_to = back.day FROM {_RETURNING}
    WHERE open.customer_id = back.customer_id COLLATE "C" AND open.valid_to IS NULL
""").bindparams(*_TYPES)  # noqa: S608 - both texts are ours.
_OPEN: Final = text(f"""
    INSERT INTO tier_assignments (
        id, customer_id, tier, source, decision_id, valid_from, recorded_at
    )
    SELECT back.id, state.customer_id, state.tier, {HELD_SOURCE}, state.decision_id, back.day,
        coalesce(:at, now())
    FROM unnest(:customer_ids, :days, :ids) AS back (customer_id, day, id)
    JOIN scoring_states AS state ON state.customer_id = back.customer_id COLLATE "C"
""").bindparams(  # noqa: S608 - both texts are ours.
    bindparam("customer_ids", type_=ARRAY(Text)),
    bindparam("days", type_=ARRAY(Date)),
    bindparam("ids", type_=ARRAY(Uuid)),
    bindparam("at", type_=DateTime(timezone=True)),
)
# No evaluation may be for a day before, or two assignments would serve on one day.
_MOVE_STATE: Final = text(f"""
    UPDATE scoring_states AS state SET
        returned_on = CASE WHEN back.tier <> state.tier THEN back.day ELSE state.returned_on END,
        evaluated_on = greatest(state.evaluated_on, back.day)
    FROM {_RETURNING} WHERE state.customer_id = back.customer_id COLLATE "C"
""").bindparams(*_TYPES)  # noqa: S608 - both texts are ours.


async def give_back(
    session: AsyncSession, returns: Sequence[Return], *, at: datetime | None = None
) -> None:
    """Close assignments by overrides and open those of the tiers held; nothing is evaluated.

    Args:
        session: an open session that holds the customers' locks.
        returns: whose, each customer once.
        at: the present instant; the transaction's without.
    """
    days = {
        "customer_ids": [item.customer_id for item in returns],
        "days": [item.on for item in returns],
    }
    served = {"tiers": [item.served for item in returns]}
    await session.execute(_CLOSE, {**days, **served})
    await session.execute(_OPEN, {**days, "ids": [new_id() for _ in returns], "at": at})
    await session.execute(_MOVE_STATE, {**days, **served})
