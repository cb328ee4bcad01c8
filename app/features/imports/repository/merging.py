"""Moving what is recorded of merged customers to their survivors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Text, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.features.imports.repository.staging import statement

_MERGED: Final = "unnest(:aliases, :survivors) AS merged (alias_id, survivor)"

#: A policy takes its terms and claims with it: their keys follow it.
_NUMBERED: Final = (
    "policies",
    "interactions",
    "surveys",
    "service_uses",
    "external_checks",
    "verification_attempts",
)
_MOVE: Final = """
    UPDATE {table} AS held SET customer_id = merged.survivor FROM {merged}
    WHERE held.customer_id = merged.alias_id COLLATE "C"
"""

#: What the survivor has under the same key stays his; the other remains with the merged id.
_BY_CUSTOMER: Final = {"consents": ("purpose", "given_on"), "model_scores": ("valid_from",)}
_MOVE_UNLESS_HELD: Final = """
    WITH ranked AS (
        SELECT held.customer_id, {key}, merged.survivor, row_number() OVER (
            PARTITION BY merged.survivor, {key} ORDER BY held.customer_id
        ) AS place
        FROM {table} AS held JOIN {merged} ON held.customer_id = merged.alias_id COLLATE "C"
    )
    UPDATE {table} AS held SET customer_id = ranked.survivor FROM ranked
    WHERE held.customer_id = ranked.customer_id AND {same} AND ranked.place = 1
    AND NOT EXISTS (
        SELECT FROM {table} AS own
        WHERE own.customer_id = ranked.survivor COLLATE "C" AND {own_same}
    )
"""
#: Who withdrew one of two consents given on one day has withdrawn.
_WITHDRAW: Final = """
    UPDATE consents AS own SET withdrawn_on = held.withdrawn_on
    FROM (
        SELECT merged.survivor, purpose, given_on, min(withdrawn_on) AS withdrawn_on
        FROM consents JOIN {merged} ON consents.customer_id = merged.alias_id COLLATE "C"
        WHERE withdrawn_on IS NOT NULL GROUP BY merged.survivor, purpose, given_on
    ) AS held
    WHERE own.customer_id = held.survivor COLLATE "C" AND own.purpose = held.purpose
    AND own.given_on = held.given_on
    AND (own.withdrawn_on IS NULL OR own.withdrawn_on > held.withdrawn_on)
"""

#: Who referred himself under another id referred nobody: an import refuses such a row too.
_DROP_OWN_REFERRALS: Final = """
    DELETE FROM referrals
    WHERE (customer_id = ANY(:aliases) OR referred_customer_id = ANY(:aliases))
    AND {referrer} = {referred}
"""
_MOVE_REFERRALS: Final = """
    UPDATE referrals SET customer_id = {referrer}, referred_customer_id = {referred}
    WHERE customer_id = ANY(:aliases) OR referred_customer_id = ANY(:aliases)
"""

#: What was asked for the merged id, and what serves him, ends with him; the survivor's own stays.
_END_OVERRIDES: Final = """
    UPDATE overrides AS override
    SET state = CASE override.state WHEN 'active' THEN 'ended' ELSE 'withdrawn' END,
        closed_because = 'merge', closed_on = :today, closed_at = now()
    FROM override_versions AS said
    WHERE customer_id = ANY(:aliases) AND state IN ('requested', 'active')
        AND said.request_id = override.request_id AND said.version = override.version
    RETURNING override.request_id, override.version, said.digest, override.state,
        override.customer_id, override.closed_at
"""

#: The decisions and all that served before stay under the old id. What ended today is followed by
#: nothing either: what began today does not serve for a day.
_END_TIERS: Final = """
    UPDATE tier_assignments SET valid_to = coalesce(valid_to, greatest(:today, valid_from)),
        ended_by = 'merge'
    WHERE customer_id = ANY(:aliases) AND (valid_to IS NULL OR valid_to >= :today)
"""
_END_STATES: Final = "DELETE FROM scoring_states WHERE customer_id = ANY(:aliases)"

#: In the order in which whoever decides on overrides locks them: requests that wait, requests that
#: serve and may be replaced, overrides, customers; and as weakly.
_LOCK_REQUESTS: Final = """
    SELECT FROM override_requests WHERE id IN (
        SELECT request_id FROM overrides WHERE customer_id = ANY(:ids) AND state = :state
    ) ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_OVERRIDES: Final = """
    SELECT FROM overrides WHERE customer_id = ANY(:ids) AND state IN ('requested', 'active')
    ORDER BY id FOR NO KEY UPDATE
"""
_LOCK: Final = """
    SELECT customer_id, kind FROM customers
    WHERE customer_id = ANY(:ids) ORDER BY customer_id FOR NO KEY UPDATE
"""
#: A run over the book locks these, and no customers; it writes what names them.
_LOCK_STATES: Final = """
    SELECT FROM scoring_states
    WHERE customer_id = ANY(:ids) ORDER BY customer_id FOR UPDATE
"""


@dataclass(frozen=True, slots=True)
class EndedOverride:
    """An override that ended with its customer: `state` is ended, or withdrawn if it waited."""

    request_id: UUID
    version: int
    digest: str
    state: Literal["ended", "withdrawn"]
    customer_id: str
    closed_at: datetime


async def lock_customers(session: AsyncSession, customer_ids: Sequence[str]) -> dict[str, str]:
    """What each of these customers is, in order of ids; evaluations wait for this transaction.

    So do runs over the book, and whoever decides on their overrides.
    """
    ids = bindparam("ids", sorted(set(customer_ids)), ARRAY(Text))
    for state in ("requested", "active"):
        await session.execute(text(_LOCK_REQUESTS).bindparams(ids), {"state": state})
    await session.execute(text(_LOCK_OVERRIDES).bindparams(ids))
    rows = await session.execute(text(_LOCK).bindparams(ids))
    await session.execute(text(_LOCK_STATES).bindparams(ids))
    return {row.customer_id: row.kind for row in rows}


async def move_records(
    session: AsyncSession, survivors: Mapping[str, str], *, today: date
) -> list[EndedOverride]:
    """Move everything recorded of merged ids, and end their overrides and tiers.

    Args:
        session: in whose transaction.
        survivors: the customer that each merged id stands for after all merges.
        today: the business day on which they end.

    Returns:
        The overrides that ended, which nobody was told of yet.
    """
    values = {"aliases": list(survivors), "survivors": list(survivors.values())}
    for table in _NUMBERED:
        await session.execute(_bound(_MOVE, values, table=table))
    for table, key in _BY_CUSTOMER.items():
        await session.execute(
            _bound(
                _MOVE_UNLESS_HELD,
                values,
                table=table,
                key=", ".join(f"held.{name}" for name in key),
                same=" AND ".join(f"held.{name} = ranked.{name}" for name in key),
                own_same=" AND ".join(f"own.{name} = ranked.{name}" for name in key),
            )
        )
    await session.execute(_bound(_WITHDRAW, values))
    now = {
        "referrer": _now("customer_id"),
        "referred": _now("referred_customer_id"),
    }
    await session.execute(_bound(_DROP_OWN_REFERRALS, values, **now))
    await session.execute(_bound(_MOVE_REFERRALS, values, **now))
    aliases = {"aliases": values["aliases"]}
    ended = await session.execute(_bound(_END_OVERRIDES, aliases), {"today": today})
    overrides = [EndedOverride(*row) for row in ended]
    await session.execute(_bound(_END_TIERS, aliases), {"today": today})
    await session.execute(_bound(_END_STATES, aliases))
    return overrides


def _now(column: str) -> str:
    """Whose id a merged one is now, in a column that may hold either."""
    merged = "unnest(:aliases, :survivors)"
    return (
        f"coalesce((SELECT m.survivor FROM {merged} AS m (alias_id, survivor)"  # noqa: S608 - ours.
        f" WHERE m.alias_id = referrals.{column}), referrals.{column})"
    )


def _bound(template: str, values: Mapping[str, list[str]], **names: str) -> TextClause:
    clause = statement(template, merged=_MERGED, **names)
    return clause.bindparams(
        *(bindparam(name, value, ARRAY(Text(collation="C"))) for name, value in values.items())
    )


@dataclass(frozen=True, slots=True)
class SealedCheck:
    """The sealed texts of one external check."""

    check_no: str
    customer_id: str
    declared: bytes | None
    verified: bytes | None


_LIST_CHECKS: Final = """
    SELECT check_no, customer_id, declared_cipher, verified_cipher FROM external_checks
    WHERE customer_id = ANY(:aliases)
    AND (declared_cipher IS NOT NULL OR verified_cipher IS NOT NULL) ORDER BY check_no
"""
_RESEAL_CHECKS: Final = text("""
    UPDATE external_checks AS held
    SET declared_cipher = sealed.declared, verified_cipher = sealed.verified
    FROM unnest(:check_nos, :declared, :verified) AS sealed (check_no, declared, verified)
    WHERE held.check_no = sealed.check_no COLLATE "C"
""").bindparams(
    bindparam("check_nos", type_=ARRAY(Text)),
    bindparam("declared", type_=ARRAY(LargeBinary)),
    bindparam("verified", type_=ARRAY(LargeBinary)),
)


async def list_sealed_checks(session: AsyncSession, aliases: Sequence[str]) -> list[SealedCheck]:
    """The external checks of merged ids that hold sealed texts."""
    rows = await session.execute(_bound(_LIST_CHECKS, {"aliases": list(aliases)}))
    return [SealedCheck(*row) for row in rows]


async def reseal_checks(session: AsyncSession, checks: Sequence[SealedCheck]) -> None:
    """Store external checks' texts as they are sealed now."""
    values: dict[str, list[Any]] = {
        "check_nos": [check.check_no for check in checks],
        "declared": [check.declared for check in checks],
        "verified": [check.verified for check in checks],
    }
    await session.execute(_RESEAL_CHECKS, values)
