"""The inputs of a decision as they are kept for its replay: facts, state before, override."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from app.domain.facts.model import Fact, FactType, FactValue
from app.domain.tiering.override import OverrideInForce
from app.domain.tiering.stability import StabilityState
from app.domain.words import OVERRIDE_MODES

_STATE_DAYS: Final = ("since", "last_downgrade_on", "first_lower_on", "evaluated_on")


class SnapshotError(ValueError):
    """A snapshot that this version cannot read; the message tells no value."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything an evaluation read about one customer.

    `override` is the one that served on the day of the facts.
    """

    facts: Mapping[str, FactValue]
    state: StabilityState | None
    override: OverrideInForce | None = None


def write_snapshot(snapshot: Snapshot) -> bytes:
    """The snapshot as JSON: dates in ISO form, decimals as the scaled integers they travel as."""
    state, override = snapshot.state, snapshot.override
    written = {
        "facts": {name: _plain(value) for name, value in snapshot.facts.items()},
        "state": None
        if state is None
        else {"tier": state.tier, **{name: _plain(getattr(state, name)) for name in _STATE_DAYS}},
        "override": None
        if override is None
        else {
            "id": str(override.id),
            "mode": override.mode,
            "tier": override.tier,
            "until": override.until.isoformat(),
        },
    }
    return json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode()


def read_snapshot(text: bytes, catalogue: Mapping[str, Fact]) -> Snapshot:
    """The snapshot that `write_snapshot` or its frame twin wrote.

    Facts that the catalogue no longer knows are left out; no stored rule set reads them. What was
    written before there were overrides has none.

    Raises:
        SnapshotError: it is not what was written.
    """
    try:
        raw = json.loads(text)
        facts = {
            name: _value(catalogue[name], value)
            for name, value in raw["facts"].items()
            if name in catalogue
        }
        state, override = raw["state"], raw.get("override")
        return Snapshot(
            facts,
            None if state is None else _state(state),
            None if override is None else _override(override),
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise SnapshotError("the snapshot is not in the form this version reads") from None


def _state(raw: Mapping[str, str | None]) -> StabilityState:
    since, last_downgrade_on, first_lower_on, evaluated_on = (
        None if (day := raw[name]) is None else date.fromisoformat(day) for name in _STATE_DAYS
    )
    tier = raw["tier"]
    if tier is None or since is None or evaluated_on is None:
        raise ValueError
    return StabilityState(tier, since, last_downgrade_on, first_lower_on, evaluated_on)


def _override(raw: Mapping[str, str]) -> OverrideInForce:
    (mode,) = (known for known in OVERRIDE_MODES if known == raw["mode"])
    return OverrideInForce(UUID(raw["id"]), mode, raw["tier"], date.fromisoformat(raw["until"]))


def _plain(value: FactValue) -> int | bool | str | None:
    return value.isoformat() if isinstance(value, date) else value


def _value(fact: Fact, raw: str | int | None) -> FactValue:
    if fact.type is FactType.DATE and isinstance(raw, str):
        return date.fromisoformat(raw)
    return raw
