"""Which tier serves a customer on a day, in SQL: the one text for all who tell it.

An override serves no longer from its last day on, also where nothing has come to end it yet: then
the tier held by evaluation serves. Whoever reads joins `JOINED` and takes the tier, its source and
since when from the expressions beside it.
"""

from __future__ import annotations

from typing import Final

JOINED: Final = """
    JOIN tier_assignments AS assignment
        ON assignment.customer_id = state.customer_id AND assignment.valid_to IS NULL
    LEFT JOIN overrides AS active
        ON active.customer_id = state.customer_id AND active.state = 'active'
"""
"""Joins to `scoring_states AS state` what serves: `assignment`, and the override `active`."""


HELD_SOURCE: Final = "CASE WHEN state.grace_until IS NULL THEN 'evaluated' ELSE 'grace' END"
"""Why the tier held by evaluation serves, where no override replaces it."""


def serving_tier(today: str) -> str:
    """The tier that serves on the day which the expression `today` gives."""
    return f"CASE WHEN active.valid_until <= {today} THEN state.tier ELSE assignment.tier END"


def serving_source(today: str) -> str:
    """Why it serves: evaluated, override or grace."""
    return f"""CASE WHEN active.valid_until <= {today}
        THEN {HELD_SOURCE}
        ELSE assignment.source END"""


def serving_since(today: str) -> str:
    """The first business day it served, without a break."""
    return f"""CASE
        WHEN assignment.source <> 'override' OR active.valid_until <= {today}
        THEN greatest(state.since, state.returned_on,
            CASE WHEN assignment.tier <> state.tier THEN active.valid_until END)
        ELSE assignment.valid_from END"""
