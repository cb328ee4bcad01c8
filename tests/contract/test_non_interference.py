"""What is withheld makes no difference: customers who differ in nothing else are answered alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import product
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.infra.database import AsyncSession
from tests.api import Api
from tests.contract.sentinels import CUSTOMER, GUARDED, MANAGERS, OFFICERS, SEATS, SENTINELS
from tests.contract.test_masking_matrix import OF_ONE_CUSTOMER, PROFILE, stock
from tests.factories.customers import put_customer

__all__ = ["stock"]

pytestmark = pytest.mark.anyio

#: Path and seat.
Place: TypeAlias = tuple[str, str]
#: All that a caller is told: status, body, headers.
Told: TypeAlias = tuple[int, bytes, Mapping[str, str]]

IN_BANDS: Final = {*MANAGERS, *OFFICERS}
#: Other values than those stored, of what a feed writes.
WRITTEN: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "income": st.integers(0, 10**7),
    "assets": st.integers(0, 10**7),
    "occupation": st.sampled_from(["teacher", None]),
    "id_no": st.sampled_from(["110101198704110018", "310101198704110019"]),
    "occupation_risk": st.sampled_from(["low", "medium", None]),
    "credit_score": st.integers(300, 699) | st.none(),
    "career_stage": st.sampled_from(["student", "retired", None]),
    "family_stage": st.sampled_from(["single", "empty_nest", None]),
    "health_grade": st.sampled_from(["A", "C", None]),
    "health_habit_score": st.integers(0, 19) | st.none(),
    "smoker": st.sampled_from([False, None]),
    "heavy_drinker": st.sampled_from([False, None]),
    "driving_score": st.integers(0, 39) | st.none(),
    "fraud_suspicion": st.sampled_from([False, None]),
}
#: The same of what follows from records and decisions; who is told any of it is told all of it.
STORED: Final[Mapping[str, tuple[str, st.SearchStrategy[Any]]]] = {
    "grade of risk": (
        "UPDATE decisions SET risk_grade = :value WHERE customer_id = :id",
        st.sampled_from("CDE"),  # of another band too
    ),
    "points of a risk": (
        """UPDATE decisions
        SET reasons = jsonb_set(reasons, '{2,points}', to_jsonb(CAST(:value AS int)))
        WHERE customer_id = :id""",
        st.integers(0, 19),
    ),
    "lift by a risk": (
        """UPDATE decisions
        SET gap = jsonb_set(gap, '{moves,1,from}', to_jsonb(CAST(:value AS text)))
        WHERE customer_id = :id""",
        st.sampled_from(["41", "50"]),
    ),
    "claims paid": (
        "UPDATE claims SET paid = :value, reported_on = '2020-03-16' WHERE customer_id = :id",
        st.integers(1, 10**7),
    ),
    "premium": (
        "UPDATE policy_terms SET premium = :value WHERE customer_id = :id",
        st.integers(1, 10**7),
    ),
}
#: The seats that are told anything of a thing, be it a band.
TOLD: Final[Mapping[str, set[str]]] = {
    **{name: GUARDED[name].seats | GUARDED[name].banded for name in GUARDED},
    "income": {"customer", *IN_BANDS},
    "assets": {"customer", *IN_BANDS},
    "occupation": IN_BANDS,
    "id_no": {"customer", "risk officer", "compliance"},
    **dict.fromkeys(STORED, IN_BANDS),
    "premium": {*SEATS} - {"compliance", "other customer"},
}
CHANGES: Final = {**WRITTEN, **{name: values for name, (_, values) in STORED.items()}}


async def ask(api: Api, place: Place) -> Told:
    """What a seat is told on a route; the request is always the same one."""
    path, seat = place
    held = SEATS[seat]
    headers = {**held.headers, "X-Request-Id": "the-same-request"}
    answer = await api.get(path, held.caller, headers=headers)
    return answer.status_code, answer.content, answer.headers


@asynccontextmanager
async def changed(
    api: Api, session: AsyncSession, change: Mapping[str, Any]
) -> AsyncIterator[None]:
    """The customer of the sentinels with other values, for a while."""
    await session.connection()
    try:
        await _change(api, session, change)
        yield
    finally:
        await session.rollback()


async def _change(api: Api, session: AsyncSession, change: Mapping[str, Any]) -> None:
    at = {"id": CUSTOMER}
    query = text("SELECT updated_at FROM customers WHERE customer_id = :id")
    before = await session.scalar(query, at)
    written = {name: value for name, value in change.items() if name in WRITTEN}
    await put_customer(api, CUSTOMER, name=SENTINELS["name"].text, **written)
    # Decisions never change, but those of the other customer would have been others.
    await session.execute(text("SET LOCAL session_replication_role = replica"))
    for name, value in change.items():
        if name in STORED:
            await session.execute(text(STORED[name][0]), {**at, "value": value})
    # When the record was written is told to the staff, and is no part of what differs.
    statement = text("UPDATE customers SET updated_at = :before WHERE customer_id = :id")
    await session.execute(statement, {**at, "before": before})


@pytest.fixture
async def unchanged(api: Api) -> Mapping[Place, Told]:
    """What every seat is told on every route that lets it in."""
    paths = [route.path for route in OF_ONE_CUSTOMER]
    told = {place: await ask(api, place) for place in product(paths, SEATS)}
    return {place: answer for place, answer in told.items() if answer[0] != 403}


@given(change=st.fixed_dictionaries(dict(CHANGES)))
@settings(
    max_examples=2,
    # What differs says itself where; a smaller example would cost minutes and tell no more.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_what_is_withheld_from_a_seat_changes_no_byte_of_what_it_is_told(
    api: Api, session: AsyncSession, unchanged: Mapping[Place, Told], change: Mapping[str, Any]
) -> None:
    groups: dict[frozenset[str], list[Place]] = {}
    for place in unchanged:
        withheld = frozenset(name for name in change if place[1] not in TOLD[name])
        groups.setdefault(withheld, []).append(place)
    for withheld, places in groups.items():
        async with changed(api, session, {name: change[name] for name in withheld}):
            told = {place: await ask(api, place) for place in places}
        differing = [place for place in places if told[place] != unchanged[place]]
        assert differing == [], sorted(withheld)
    # The control: who is told something of it does see the difference.
    async with changed(api, session, change):
        for place in (
            *((PROFILE.path, seat) for seat in ("customer", "manager", "risk officer")),
            *((f"{PROFILE.path}/tier", seat) for seat in ("manager", "business officer")),
        ):
            assert await ask(api, place) != unchanged[place]
