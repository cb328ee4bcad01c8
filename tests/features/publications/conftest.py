"""The routes of publications, and what was rehearsed."""

from __future__ import annotations

import pytest

from app.features.publications.service import publishing
from app.infra.database import AsyncSession
from tests.api import Api
from tests.features.rule_sets.desk import RuleDesk

Rehearsed = set[tuple[str, str]]


@pytest.fixture
async def rules(api: Api, templates: None) -> RuleDesk:  # noqa: ARG001 - they are drafted from.
    """The routes, over the shipped rule sets."""
    return RuleDesk(api)


@pytest.fixture
def unrehearsed(monkeypatch: pytest.MonkeyPatch) -> Rehearsed:
    """Documents that count as not simulated, by rule set and hash; all others were."""
    kept_out: Rehearsed = set()

    async def has_rehearsed(_session: AsyncSession, *, rule_set_id: str, hash_: str) -> bool:
        return (rule_set_id, hash_) not in kept_out

    monkeypatch.setattr(publishing, "has_rehearsed", has_rehearsed)
    return kept_out
