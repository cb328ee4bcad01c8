"""Masks are judged together, and the check can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.privacy.classes import Disposition
from app.domain.privacy.joint import Knowledge, candidates, joint_exposures
from app.domain.privacy.masks import MASK_DATA
from app.domain.privacy.matrix import MATRIX, parse_matrix
from app.domain.privacy.roles import Role
from tests.domain.privacy.test_matrix import UNVIEWED

SPACE = MASK_DATA.resident_id

KNOWLEDGE = st.builds(
    Knowledge,
    head=st.integers(0, 8),
    tail=st.integers(0, 6),
    birth=st.sampled_from([Disposition.CLEAR, Disposition.BAND, Disposition.WITHHELD]),
    attributes=st.booleans(),
)


def test_the_shipped_table_leaves_every_role_a_thousand_candidates() -> None:
    assert joint_exposures(MATRIX, SPACE) == []


def test_a_wider_mask_is_found() -> None:
    exposed = {found.viewer.role for found in joint_exposures(MATRIX, SPACE, head=6, tail=4)}
    assert exposed == {Role.CUSTOMER, Role.RISK_OFFICER, Role.COMPLIANCE}


@pytest.mark.parametrize(
    ("cells", "candidates_left"),
    [
        ('"c2.id_no" = "partial"\n"c2.birth" = "clear"\ninternal = "clear"', 181),
        ('"c2.id_no" = "clear"', 1),
    ],
)
def test_a_table_that_shows_too_much_together_is_found(cells: str, candidates_left: int) -> None:
    matrix = parse_matrix(
        f'version = "t"\n{UNVIEWED}\n[[columns]]\nrole = "compliance"\n[columns.cells]\n{cells}'
    )
    found = joint_exposures(matrix, SPACE)
    assert {exposure.candidates for exposure in found} == {candidates_left}


def test_the_figures_of_the_space_matter() -> None:
    exposed = joint_exposures(MATRIX, replace(SPACE, regions_by_city=1))
    assert {found.viewer.role for found in exposed} == {Role.ACCOUNT_MANAGER}


@given(KNOWLEDGE)
def test_knowing_more_never_leaves_more(known: Knowledge) -> None:
    left = candidates(known, SPACE)
    assert candidates(replace(known, head=known.head + 1), SPACE) <= left
    assert candidates(replace(known, tail=known.tail + 1), SPACE) <= left
    assert candidates(replace(known, birth=Disposition.CLEAR), SPACE) <= left
    assert candidates(replace(known, attributes=True), SPACE) <= left
