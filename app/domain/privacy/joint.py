"""Masks judged together: how many ID numbers fit everything else that one role is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.masks import ID_KEPT_HEAD, ID_KEPT_TAIL, ResidentIdSpace
from app.domain.privacy.matrix import Matrix
from app.domain.privacy.roles import Purpose, Viewer

_REGION_DIGITS = 6
_BAND_DAYS = 5 * 365
_LIFETIME_DAYS = 100 * 365
_CHECK_CHARACTERS = 11
_SEQUENCE_AND_CHECK = 4


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What somebody knows of a person, the masked number included.

    Args:
        head: leading characters of the number that are shown.
        tail: trailing characters of the number that are shown.
        birth: the form in which the birth date is shown.
        attributes: whether gender and city are shown.
    """

    head: int
    tail: int
    birth: Disposition
    attributes: bool


@dataclass(frozen=True, slots=True)
class JointExposure:
    """A viewer to whom the masks together tell too much."""

    viewer: Viewer
    candidates: int


def candidates(knowledge: Knowledge, space: ResidentIdSpace) -> int:
    """How many resident ID numbers are left, by the least favourable figures of `space`.

    A shown sequence digit also tells the gender, so with the city it is counted once only.
    """
    return (
        _regions(knowledge, space)
        * _days(knowledge.birth)
        * _sequences(knowledge, space)
        // (_CHECK_CHARACTERS if knowledge.tail else 1)
    )


def _regions(knowledge: Knowledge, space: ResidentIdSpace) -> int:
    if knowledge.head >= _REGION_DIGITS:
        return 1
    known = space.regions
    if knowledge.head:
        # Each further digit is taken to leave a tenth.
        known = max(1, space.regions_by_first_digit // 10 ** (knowledge.head - 1))
    return min(known, space.regions_by_city) if knowledge.attributes else known


def _days(birth: Disposition) -> int:
    if birth is Disposition.CLEAR:
        return 1
    return _BAND_DAYS if birth is Disposition.BAND else _LIFETIME_DAYS


def _sequences(knowledge: Knowledge, space: ResidentIdSpace) -> int:
    shown = min(max(knowledge.tail - 1, 0), _SEQUENCE_AND_CHECK - 1)
    left = int(space.sequence_numbers // 10**shown)
    return max(1, left // 2) if knowledge.attributes and not shown else max(1, left)


def _viewers(matrix: Matrix) -> Iterator[Viewer]:
    for role, relation in matrix.columns:
        for purpose in (None, Purpose.AUDIT):
            yield Viewer(role=role, subject="", relation=relation, purpose=purpose)


def knowledge_of(
    viewer: Viewer, matrix: Matrix, *, head: int = ID_KEPT_HEAD, tail: int = ID_KEPT_TAIL
) -> Knowledge | None:
    """What the matrix lets a viewer know; None if the ID number itself is shown in clear."""
    shown = matrix.disposition(viewer, SensitivityClass.C2_ID_NO)
    if shown is Disposition.CLEAR:
        return None
    masked = shown is Disposition.PARTIAL
    return Knowledge(
        head=head if masked else 0,
        tail=tail if masked else 0,
        birth=matrix.disposition(viewer, SensitivityClass.C2_BIRTH),
        attributes=matrix.disposition(viewer, SensitivityClass.INTERNAL) is Disposition.CLEAR,
    )


def joint_exposures(
    matrix: Matrix,
    space: ResidentIdSpace,
    *,
    head: int = ID_KEPT_HEAD,
    tail: int = ID_KEPT_TAIL,
) -> list[JointExposure]:
    """Every viewer for whom fewer ID numbers are left than `space` demands; empty when all is well.

    Args:
        matrix: the role table.
        space: how many numbers there are.
        head: leading characters that the ID mask keeps.
        tail: trailing characters that it keeps.
    """
    found = []
    for viewer in _viewers(matrix):
        knowledge = knowledge_of(viewer, matrix, head=head, tail=tail)
        left = 1 if knowledge is None else candidates(knowledge, space)
        if left < space.fewest_candidates:
            found.append(JointExposure(viewer, left))
    return found
