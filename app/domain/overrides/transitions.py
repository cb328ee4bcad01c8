"""The states of an override, and the steps between them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.errors import Conflict
from app.domain.words import OverrideState


class Step(StrEnum):
    """What happens to an override."""

    EXECUTE = "execute"
    """The second of the two keys turned."""
    REJECT = "reject"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    END = "end"
    """Its validity ended, another override replaced it, or its customer was merged away."""
    REVOKE = "revoke"


TRANSITIONS: Final[Mapping[tuple[OverrideState, Step], OverrideState]] = MappingProxyType(
    {
        ("requested", Step.EXECUTE): "active",
        ("requested", Step.REJECT): "rejected",
        ("requested", Step.WITHDRAW): "withdrawn",
        ("requested", Step.EXPIRE): "expired",
        ("active", Step.END): "ended",
        ("active", Step.REVOKE): "revoked",
    }
)
"""There are no others; the database knows the same table."""


def after(state: OverrideState, step: Step) -> OverrideState:
    """The state a step leads to.

    >>> after("requested", Step.EXECUTE)
    'active'

    Raises:
        Conflict: `already-decided` for what waits no more, `not-active` for what does not serve.
    """
    reached = TRANSITIONS.get((state, step))
    if reached is not None:
        return reached
    if step in {Step.END, Step.REVOKE}:
        raise Conflict("not-active", "The override does not serve.")
    raise Conflict("already-decided", "The request was decided on, or closed, already.")
