"""Quotas per actor, by a clock that the tests turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role
from app.infra.database import AsyncSession, Database
from app.infra.problems import ProblemError
from app.infra.rate_limit import Quota, RateClass, RateLimiter, create_limiter
from app.infra.settings import Settings
from app.main import create_app
from tests.api import Api, Caller, open_api
from tests.factories.book import AS_OF, write_book
from tests.factories.templates import put_templates

pytestmark = pytest.mark.anyio

ME = ("issuer", "subject", "agent")
TIER = "/v1/customers/C00000007/tier"
EVALUATIONS = "/v1/customers/C00000007/evaluations"


class Clock:
    """Seconds as the test sets them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def actor(subject: str = "subject", role: Role = Role.AGENT) -> Actor:
    """Who asks."""
    return Actor(issuer="issuer", subject=subject, role=role, customer_id=None, purpose=None)


def test_a_whole_quota_may_be_used_at_once_and_comes_back_little_by_little() -> None:
    quota = Quota(RateClass.ORDINARY, 60)
    standings = [quota.take(ME, 0.0) for _ in range(61)]
    assert [standing.left for standing in standings[:60]] == list(range(59, -1, -1))
    assert all(standing.refused_for == 0 for standing in standings[:60])
    assert (standings[60].refused_for, standings[60].whole_in) == (1, 60)
    assert quota.take(ME, 0.99).refused_for == 1
    assert quota.take(ME, 1.0).refused_for == 0
    assert quota.take(ME, 1.0).refused_for == 1
    assert quota.take(ME, 10_000.0).left == 59


def test_who_is_refused_waits_as_long_as_he_is_told() -> None:
    quota = Quota(RateClass.COSTLY, 2)
    for _ in range(2):
        assert quota.take(ME, 0.0).refused_for == 0
    told = quota.take(ME, 0.0).refused_for
    assert told == 30
    assert quota.take(ME, told - 0.5).refused_for == 1
    assert quota.take(ME, float(told)).refused_for == 0


@given(
    width=st.integers(1, 500),
    steps=st.lists(st.floats(0, 30, allow_nan=False), max_size=300),
)
def test_no_minute_admits_more_than_the_quota_and_what_came_back(
    width: int, steps: list[float]
) -> None:
    quota, now, admitted = Quota(RateClass.ORDINARY, width), 0.0, 0
    for step in steps:
        now += step
        standing = quota.take(ME, now)
        admitted += not standing.refused_for
        assert 0 <= standing.left <= width
        assert admitted <= width + now * width / 60 + 1e-6


def test_actors_do_not_share_and_the_one_not_seen_for_longest_is_forgotten() -> None:
    quota = Quota(RateClass.ORDINARY, 1, most=2)
    first, second, third = (("i", name, "agent") for name in "abc")
    assert not quota.take(first, 0.0).refused_for
    assert not quota.take(second, 0.0).refused_for
    assert quota.take(first, 0.0).refused_for
    assert not quota.take(third, 0.0).refused_for
    assert len(quota) == 2
    assert quota.take(first, 0.0).refused_for
    assert not quota.take(second, 0.0).refused_for


def test_a_request_is_counted_once_however_often_it_is_asked_about() -> None:
    limiter = RateLimiter({RateClass.ORDINARY: 1}, Clock())
    scope: dict[str, Any] = {}
    for _ in range(3):
        limiter.require(scope, actor(), RateClass.ORDINARY)
    refused: dict[str, Any] = {}
    assert not limiter.admits(refused, actor(), RateClass.ORDINARY)
    with pytest.raises(ProblemError) as caught:
        limiter.require(refused, actor(), RateClass.ORDINARY)
    assert (caught.value.slug, caught.value.headers) == ("too-many-requests", {"Retry-After": "60"})
    assert limiter.admits({}, actor("other"), RateClass.ORDINARY)
    assert limiter.admits({}, actor(role=Role.COMPLIANCE), RateClass.ORDINARY)


def test_searches_in_another_role_take_from_the_same_quota() -> None:
    limiter = RateLimiter({RateClass.SEARCH: 2}, Clock())
    assert limiter.admits({}, actor(), RateClass.SEARCH)
    assert limiter.admits({}, actor(role=Role.COMPLIANCE), RateClass.SEARCH)
    assert not limiter.admits({}, actor(role=Role.RISK_OFFICER), RateClass.SEARCH)
    assert not limiter.admits({}, actor(), RateClass.SEARCH)
    assert limiter.admits({}, actor("other"), RateClass.SEARCH)


def test_zero_lifts_a_limit(settings: Settings) -> None:
    lifted = settings.model_copy(update={"rate_limit_per_minute": 0})
    limiter = create_limiter(lifted)
    scope: dict[str, Any] = {}
    assert all(limiter.admits(scope, actor(), RateClass.ORDINARY) for _ in range(3))
    assert limiter.headers(scope) == []
    limiter.require(scope, actor(), RateClass.COSTLY)
    assert limiter.headers(scope) == [
        (b"ratelimit-policy", b'"costly";q=1200;w=60'),
        (b"ratelimit", b'"costly";r=1199;t=1'),
    ]


@pytest.fixture
async def api(settings: Settings, database: Database, session: AsyncSession) -> AsyncIterator[Api]:
    """The application over a small book, with narrow quotas and a clock that stands."""
    await write_book(session, 40)
    await put_templates(session)
    await session.commit()
    app = create_app(settings, database)
    narrow = {RateClass.ORDINARY: 4, RateClass.COSTLY: 2, RateClass.SEARCH: 1}
    app.state.clock = Clock()
    app.state.rate_limiter = RateLimiter(narrow, app.state.clock)
    async with open_api(app, settings) as opened:
        yield opened


async def test_answers_tell_the_standing_and_the_refused_one_when_to_come_back(api: Api) -> None:
    for left in (3, 2, 1, 0):
        answer = await api.get("/v1/tiers", Role.AGENT)
        assert answer.status_code == 200
        assert answer.headers["RateLimit-Policy"] == '"ordinary";q=4;w=60'
        assert answer.headers["RateLimit"] == f'"ordinary";r={left};t={(4 - left) * 15}'
    refused = await api.get("/v1/tiers", Role.AGENT)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "15")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/too-many-requests"
    assert refused.headers["RateLimit"] == '"ordinary";r=0;t=60'
    assert (await api.get("/v1/tiers", Caller(Role.AGENT, subject="else"))).status_code == 200
    api.app.state.clock.now += 15
    assert (await api.get("/v1/tiers", Role.AGENT)).status_code == 200


async def test_the_short_way_is_guarded_too_and_counts_once(
    api: Api, session: AsyncSession
) -> None:
    officer = Caller(Role.RISK_OFFICER, subject="officer-1")
    evaluated = await api.call("POST", EVALUATIONS, officer, json={"as_of": AS_OF.isoformat()})
    assert evaluated.headers["RateLimit-Policy"] == '"ordinary";q=4;w=60, "costly";q=2;w=60'
    assert evaluated.headers["RateLimit"] == '"ordinary";r=3;t=15, "costly";r=1;t=30'
    # The token is known by now, so that these are hot reads.
    for left in (2, 1, 0):
        answer = await api.get(TIER, officer)
        assert answer.status_code == 200
        assert answer.headers["RateLimit"] == f'"ordinary";r={left};t={(4 - left) * 15}'
    before = await session.scalar(text("SELECT count(*) FROM audit_events"))
    refused = await api.get(TIER, officer)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "15")
    # What goes the ordinary way in the end was counted before.
    api.app.state.clock.now += 15
    missing = await api.get(TIER.replace("07/", "99/"), officer)
    assert (missing.status_code, missing.headers["RateLimit"]) == (404, '"ordinary";r=0;t=60')
    after = await session.scalar(text("SELECT count(*) FROM audit_events"))
    assert (before, after) == (4, 5)


async def test_a_costly_request_takes_from_a_narrower_quota(api: Api) -> None:
    facts: dict[str, Any] = {"facts": {}}
    statuses = [
        (await api.call("POST", "/v1/evaluations/what-if", Role.ANALYST, json=facts)).status_code
        for _ in range(3)
    ]
    assert 429 not in statuses[:2]
    assert statuses[2] == 429
    assert (await api.get("/v1/facts", Role.ANALYST)).status_code == 200


async def test_searches_by_number_have_the_narrowest_quota(api: Api) -> None:
    purpose = {"X-Purpose": "customer_service"}
    statuses = [
        (
            await api.call(
                "POST",
                "/v1/customers/search",
                Role.AGENT,
                headers=purpose,
                json={"phone": f"1380000000{number}"},
            )
        ).status_code
        for number in range(2)
    ]
    assert statuses == [200, 429]


async def test_who_has_no_good_token_takes_no_memory(api: Api) -> None:
    for _ in range(6):
        assert (await api.get("/v1/tiers")).status_code == 401
    probe = await api.get("/livez")
    assert (probe.status_code, "RateLimit" in probe.headers) == (200, False)
