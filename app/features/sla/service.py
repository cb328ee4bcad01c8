"""What each tier is promised."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any

from app.domain.errors import NotFound
from app.domain.sla.policy import Milestone, Promise, SlaEntry, StatutoryFloor, promises_for
from app.domain.tiering.ladder import LADDER
from app.features.sla import repository
from app.infra.database import AsyncSession

#: The shipped policy holds for all time, as templates do.
_ALWAYS = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class TierSla:
    """A tier's promises and the policy version they come from."""

    tier: str
    policy_version: int
    promises: list[Promise]


async def get_sla(session: AsyncSession, *, tier: str, on: date) -> TierSla:
    """The promises to one tier on a business day.

    Raises:
        NotFound: there is no such tier, or no policy is in force.
    """
    version = await repository.find_policy_version(session, on=on)
    if tier not in LADDER.tiers or version is None:
        raise NotFound("not-found", "There is no such tier.")
    entries = await repository.list_entries(session, version=version)
    floors = await repository.list_floors(session)
    return TierSla(tier, version, promises_for(tier, entries, floors))


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
