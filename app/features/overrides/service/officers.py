"""Who of the staff may turn a key: asked of the register, and of the role he acts in."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.errors import Forbidden
from app.domain.overrides.keys import OFFICERS, Person
from app.domain.words import Department
from app.features.overrides.service.cases import Acting


def department_of(acting: Acting) -> Department | None:
    """The department of the role the caller acts in."""
    return next((name for name, role in OFFICERS.items() if role is acting.actor.role), None)


def require_officer(people: Mapping[str, Person], acting: Acting) -> Person:
    """The caller, if his newest token makes him what he acts as: an officer of one department.

    Args:
        people: the caller among them, as the register knows them now.
        acting: the caller.

    Raises:
        Forbidden: `two-roles` or `not-an-officer`.
    """
    officer = people.get(acting.digest)
    if officer is None or officer.require_department() != department_of(acting):
        raise Forbidden("not-an-officer")
    return officer
