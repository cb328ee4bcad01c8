"""Sensitivity classes, and what may become of a value of one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class SensitivityClass(StrEnum):
    """Every field, column, fact and metric label is of exactly one of these."""

    OPEN = "open"
    INTERNAL = "internal"
    C2_NAME = "c2.name"
    C2_CONTACT = "c2.contact"
    C2_ID_NO = "c2.id_no"
    C2_BIRTH = "c2.birth"
    S_INCOME = "s.income"
    S_HEALTH = "s.health"
    S_FRAUD = "s.fraud"
    RISK = "risk"
    VALUE = "value"
    FREE = "free"


class Disposition(StrEnum):
    """In which form a value leaves, from the most to the least telling."""

    CLEAR = "clear"
    PARTIAL = "partial"
    BAND = "band"
    TOKEN = "token"  # noqa: S105 - the name of a form, no secret.
    WITHHELD = "withheld"


class Trait(StrEnum):
    """What is true of a field beyond its class, where the role table asks for it."""

    DECLARED = "declared"
    """The customer declared the value himself."""
    PREMIUM = "premium"
    """The value is a premium of the customer's own contracts."""


_STRICTNESS = {disposition: rank for rank, disposition in enumerate(Disposition)}


def strictest(dispositions: Iterable[Disposition]) -> Disposition:
    """The least telling of several dispositions; of none, WITHHELD.

    What is derived from several inputs, such as a reason code, may show no more than the most
    protected of them would.

    >>> strictest([Disposition.CLEAR, Disposition.BAND]).value
    'band'
    >>> strictest([]).value
    'withheld'
    """
    return max(dispositions, key=_STRICTNESS.__getitem__, default=Disposition.WITHHELD)
