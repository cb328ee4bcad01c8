"""Drafts and publications at the same time: one wins, and nothing is lost unseen.

Everything here really commits, over a pool, as the service runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from httpx import Response
from sqlalchemy import text

from app.features.publications.service import publishing
from app.infra.database import AsyncSession, Database
from app.infra.settings import Settings
from app.main import create_app
from tests.api import open_api
from tests.factories.templates import put_templates
from tests.features.rule_sets.desk import (
    ADA,
    ALAN,
    PAUL,
    PIA,
    RuleDesk,
    in_days,
    overlay,
    refused,
)

pytestmark = pytest.mark.anyio

ROUNDS = 4


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As many connections as the races want, and no quota."""
    return settings.model_copy(update={"pool_size": 20, "costly_rate_limit_per_minute": 0})


@pytest.fixture
async def rules(
    settings: Settings,
    committed: Database,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[RuleDesk]:
    """The routes over a pool; whatever is published was simulated, and no race is an error."""

    async def has_rehearsed(_session: AsyncSession, **_asked: str) -> bool:
        return True

    monkeypatch.setattr(publishing, "has_rehearsed", has_rehearsed)
    async with committed.sessions.begin() as session:
        await put_templates(session)
    with caplog.at_level(logging.WARNING):
        async with open_api(create_app(settings, committed), settings) as api:
            yield RuleDesk(api)
    said = [record for record in caplog.records if record.message == "request failed"]
    assert [record for record in said if record.__dict__["status"] == 500] == []
    refusals = [r for r in caplog.records if r.message == "the database refused a change"]
    assert refusals == []


def statuses(answers: list[Response]) -> Counter[int]:
    """How often which status was answered."""
    return Counter(answer.status_code for answer in answers)


async def test_of_two_who_publish_one_draft_one_wins(rules: RuleDesk, committed: Database) -> None:
    for turn in range(ROUNDS):
        opened = await rules.opened(ADA, id=f"own-{turn}")
        hash_ = opened.json()["hash"]
        answers = await asyncio.gather(
            *(
                rules.publish(caller, id_=f"own-{turn}", hash=hash_, valid_from=in_days(day))
                for caller in (PIA, PAUL)
                for day in (0, 1)
            )
        )
        assert statuses(answers) == {201: 1, 409: 3}
        lost = [refused(answer)[1] for answer in answers if answer.status_code == 409]
        assert set(lost) == {"draft-changed"}
    async with committed.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM rule_set_publications")) == ROUNDS
        assert await session.scalar(text("SELECT count(*) FROM rule_set_drafts")) == 0


async def test_who_edits_while_it_is_published_is_told_so_or_keeps_it_from_being(
    rules: RuleDesk,
) -> None:
    for turn in range(ROUNDS):
        id_ = f"own-{turn}"
        opened = await rules.opened(ADA, id=id_)
        published, edited = await asyncio.gather(
            rules.publish(PIA, id_=id_, hash=opened.json()["hash"]),
            rules.edit(
                overlay(id_, bound=f"0.{turn + 1}"), ALAN, tag=opened.headers["ETag"], id_=id_
            ),
        )
        outcome = (published.status_code, edited.status_code)
        # Edited after it had gone, or not published since it had moved on.
        assert outcome in {(201, 404), (201, 412), (409, 200)}
        if edited.status_code == 200:
            assert (await rules.draft(id_=id_)).json()["editors"] == 2


async def test_of_those_who_edit_one_revision_one_is_heard(rules: RuleDesk) -> None:
    tag = (await rules.opened()).headers["ETag"]
    for turn in range(ROUNDS):
        answers = await asyncio.gather(
            *(
                rules.edit(overlay(bound=f"{turn}.{n}1"), caller, tag=tag)
                for n in range(3)
                for caller in (ADA, ALAN)
            )
        )
        assert statuses(answers) == {200: 1, 412: 5}
        (heard,) = [answer for answer in answers if answer.status_code == 200]
        tag = heard.headers["ETag"]
        draft = (await rules.draft()).json()
        assert draft["document"] == heard.json()["document"]
        assert draft["revision"] == turn + 2


async def test_of_those_who_open_a_draft_one_does(rules: RuleDesk) -> None:
    answers = await asyncio.gather(*(rules.open(caller) for caller in (ADA, ALAN) * 3))
    assert statuses(answers) == {201: 1, 409: 5}


async def test_publishing_and_retiring_follow_each_other(
    rules: RuleDesk, committed: Database
) -> None:
    for turn in range(ROUNDS):
        hash_ = (await rules.opened(ADA, id=f"own-{turn}")).json()["hash"]
        answers = await asyncio.gather(
            rules.publish(PIA, id_=f"own-{turn}", hash=hash_, valid_from=in_days(turn)),
            rules.retire(PAUL, id_="motor" if turn == 0 else f"own-{turn - 1}", day=in_days(9)),
        )
        assert answers[0].status_code == 201, answers[0].text
        # Once the other decides, there is nothing left to retire.
        assert answers[1].status_code in {200, 409}, answers[1].text
    async with committed.sessions() as session:
        held = "SELECT count(*) FROM rule_set_activations WHERE product_line = 'motor'"
        assert await session.scalar(text(f"{held} AND upper_inf(valid)")) == 1
