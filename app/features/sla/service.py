"""What each tier is promised."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from app.domain.errors import NotFound
from app.domain.sla.policy import Milestone, Promise, SlaEntry, StatutoryFloor, promises_for
from app.domain.tiering.ladder import LADDER
from app.features.sla import repository
from app.features.sla.repository import WrittenPolicy
from app.infra.batcher import Batcher
from app.infra.database import AsyncSession
from app.infra.lanes import Lanes

#: The shipped policy holds for all time, as templates do.
_ALWAYS = date(1900, 1, 1)


#: Policies times tiers whose promises are remembered; a changed policy is another one.
_REMEMBERED = 64


@dataclass(frozen=True, slots=True, eq=False)
class TierSla:
    """A tier's promises and the policy version they come from."""

    tier: str
    policy_version: int
    promises: tuple[Promise, ...]


async def get_sla(session: AsyncSession, *, tier: str, on: date) -> TierSla:
    """The promises to one tier on a business day.

    Raises:
        NotFound: there is no such tier, or no policy is in force.
    """
    policy = await repository.find_policy(session, on=on)
    if tier not in LADDER.tiers or policy is None:
        raise NotFound("not-found", "There is no such tier.")
    return _promised(policy, tier)


@lru_cache(_REMEMBERED)
def _promised(policy: WrittenPolicy, tier: str) -> TierSla:
    """What a policy promises to a tier; it follows from the text of the policy alone."""
    entries, floors = repository.read_entries(policy), repository.read_floors(policy)
    return TierSla(tier, policy.version, tuple(promises_for(tier, entries, floors)))


class SlaLookups:
    """The promises that are asked for at the moment, in one question to the database.

    Args:
        lanes: where the batches are sent.
    """

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._batcher = Batcher(self._send)

    async def find(self, tier: str, *, on: date) -> TierSla | None:
        """The promises to one tier on a business day; None for no such tier or no policy."""
        policy = await self._batcher.ask(on)
        return None if policy is None or tier not in LADDER.tiers else _promised(policy, tier)

    async def _send(self, days: list[date]) -> list[WrittenPolicy | None]:
        async with self._lanes.lend() as connection:
            found = await repository.find_policies(connection, days)
        return [found.get(day) for day in days]


async def install_sla(session: AsyncSession) -> None:
    """Store the shipped policy where there is none yet."""
    if await repository.has_policy(session):
        return
    entries, floors = shipped_policy()
    await repository.save_policy(
        session, version=1, valid_from=_ALWAYS, entries=entries, floors=floors
    )


def shipped_policy() -> tuple[list[SlaEntry], list[StatutoryFloor]]:
    """The policy in `defaults.toml`: the response times asked for, and defaults for the rest."""
    text = files(__package__).joinpath("defaults.toml").read_text(encoding="utf-8")
    data: dict[str, list[dict[str, Any]]] = tomllib.loads(text)
    entries = [
        SlaEntry(
            position=position,
            milestones=tuple(Milestone(**item) for item in row.pop("milestones", [])),
            **row,
        )
        for position, row in enumerate(data["entry"], start=1)
    ]
    floors = [
        StatutoryFloor(confirmation="to be confirmed by counsel", **row) for row in data["floor"]
    ]
    return entries, floors
