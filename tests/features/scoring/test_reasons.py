"""A reason is told alike wherever it is told: of a decision, and of the tier that follows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.roles import Relation, Role, Viewer
from app.domain.rules.model import RuleSetDocument
from app.domain.tiering.explanation import reason_piece
from app.domain.tiering.record import GivenReason
from app.features.tiers.schemas import ReasonTeller
from app.infra.database import AsyncSession
from app.infra.locale import Locale
from app.infra.masking import render
from tests.api import Api, Caller
from tests.domain.templates.books import template
from tests.factories.customers import put_customer
from tests.factories.tiers import Stand, write_stand

DOCUMENT: RuleSetDocument = template("all").document
STAND = Stand(
    "C1",
    reasons=[
        {"code": "V01", "characteristic": "premium_ratio", "points": 55, "lost": 45},
        {"code": "V03", "characteristic": "product_lines", "points": 10, "lost": 20},
        # The bin for null has a code and a text of its own.
        {"code": "R05", "characteristic": "driving", "points": 15, "lost": 15},
        {"code": "P02", "characteristic": "assets", "points": 5, "lost": 10},
    ],
)
OWN = Caller(Role.ACCOUNT_MANAGER, subject="manager-1")
FOREIGN = Caller(Role.ACCOUNT_MANAGER, subject="manager-2")


@pytest.mark.anyio
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("caller", [Role.RISK_OFFICER, Role.BUSINESS_OFFICER, OWN, FOREIGN])
async def test_a_decision_and_the_explanation_of_its_tier_give_the_same_reasons(
    api: Api,
    session: AsyncSession,
    templates: None,  # noqa: ARG001 - they say what reasons mean.
    caller: Caller | Role,
    language: str,
) -> None:
    await put_customer(api, "C1", account_manager="manager-1")
    stand = await write_stand(session, STAND)
    paths = (f"/v1/decisions/{stand.decision_id}", "/v1/customers/C1/tier/explanation")
    decision, explanation = [
        (await api.get(path, caller, headers={"Accept-Language": language})).json()
        for path in paths
    ]
    assert len(decision["reasons"]) == len(STAND.reasons)
    assert decision["reasons"] == explanation["reasons"]
    listed = [
        {path for path in answer["meta"]["masked"] if path.startswith("reasons")}
        for answer in (decision, explanation)
    ]
    assert listed[0] == listed[1]


def told(input_: str, viewer: Viewer) -> dict[str, object]:
    """What a viewer is told of a reason whose characteristic reads this fact."""
    characteristics = [replace(item, input=input_) for item in DOCUMENT.characteristics]
    document = replace(DOCUMENT, characteristics=tuple(characteristics))
    piece = reason_piece(GivenReason("V03", "product_lines", 10, 20), document)
    reason = ReasonTeller(document, viewer, Locale.EN).read(piece)
    found: dict[str, object] = json.loads(render(reason, viewer))
    return found


@pytest.mark.parametrize("fact", ["is_corporate", "age", "product_lines"])
@pytest.mark.parametrize(
    "viewer",
    [
        Viewer(role=Role.CUSTOMER, subject="C1", relation=Relation.SELF, customer_id="C1"),
        Viewer(role=Role.INTEGRATION, subject="feed"),
    ],
)
def test_points_are_for_staff_whoever_may_know_the_fact(fact: str, viewer: Viewer) -> None:
    assert fact in CATALOGUE
    general = {"code": "GENERAL", "text": "A further characteristic."}
    assert told(fact, viewer) == {**general, "points": None, "lost": None}
    agent = Viewer(role=Role.AGENT, subject="agent")
    assert told("product_lines", agent)["points"] == 10


def test_a_band_names_the_characteristic_and_not_the_bin() -> None:
    viewer = Viewer(role=Role.ACCOUNT_MANAGER, subject="manager-1", relation=Relation.OWN)
    piece = reason_piece(GivenReason("R05", "driving", 15, 15), DOCUMENT)
    reason = ReasonTeller(DOCUMENT, viewer, Locale.EN).read(piece)
    assert json.loads(render(reason, viewer)) == {
        "code": "R04",
        "text": "Driving record",
        "points": None,
        "lost": None,
    }
