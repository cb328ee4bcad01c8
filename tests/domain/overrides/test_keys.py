"""Who may turn a key, and which keys count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Conflict, DomainError, Forbidden
from app.domain.overrides.keys import Key, Person, Waiting
from app.domain.words import DEPARTMENTS

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
RISK = Person("r", "rita", frozenset({"risk_officer"}))
BUSINESS = Person("b", "bert", frozenset({"business_officer", "agent"}))
BOTH = Person("2", "twain", frozenset({"risk_officer", "business_officer"}))
NEITHER = Person("n", "nora", frozenset({"compliance"}))
REQUESTER = Person("q", "quinn", frozenset({"risk_officer", "account_manager"}))
MANAGER = Person("m", "mia", frozenset({"business_officer", "account_manager"}))
SECOND_RISK = Person("s", "sam", frozenset({"risk_officer"}))
WAITING = Waiting(
    version=2,
    digest="d2",
    requested_by="q",
    account_managers={"mia"},
    expires_at=NOW + timedelta(hours=1),
    keys=(),
)
TURNED = Key(2, RISK, "risk", "approve")


def refusal(waiting: Waiting, person: Person, absent: Person | None = None) -> tuple[type, str]:
    with pytest.raises(DomainError) as refused:
        waiting.require_approver(person, on_behalf_of=absent)
    return type(refused.value), refused.value.type


def test_an_officer_turns_the_key_of_his_department() -> None:
    assert WAITING.require_approver(RISK) == "risk"
    assert WAITING.require_approver(BUSINESS) == "business"
    assert WAITING.require_approver(RISK, on_behalf_of=SECOND_RISK) == "risk"
    assert WAITING.waits_for == ("risk", "business")


@pytest.mark.parametrize(
    ("person", "slug"),
    [
        (BOTH, "two-roles"),
        (NEITHER, "not-an-officer"),
        (REQUESTER, "approver-is-requester"),
        (MANAGER, "approver-is-account-manager"),
    ],
)
def test_who_has_no_key_is_told_why(person: Person, slug: str) -> None:
    assert refusal(WAITING, person) == (Forbidden, slug)
    absent = (Forbidden, "delegate-not-eligible")
    assert refusal(WAITING, SECOND_RISK, person) == absent, "nor does anybody act for him"


def test_nobody_acts_for_another_department() -> None:
    assert refusal(WAITING, RISK, BUSINESS) == (Forbidden, "delegate-not-eligible")


@pytest.mark.parametrize(
    ("turned", "person", "absent"),
    [
        (TURNED, RISK, None),
        (TURNED, SECOND_RISK, None),
        (TURNED, SECOND_RISK, RISK),
        (replace(TURNED, on_behalf_of=SECOND_RISK), SECOND_RISK, None),
        # He has changed his department since, and would act twice.
        (replace(TURNED, department="business", approver=BUSINESS), BUSINESS, None),
    ],
)
def test_neither_a_person_nor_a_department_decides_twice(
    turned: Key, person: Person, absent: Person | None
) -> None:
    waiting = replace(WAITING, keys=[turned])
    assert refusal(waiting, person, absent) == (Conflict, "already-decided")


@pytest.mark.parametrize(
    "key",
    [
        replace(TURNED, version=1),
        replace(TURNED, is_void=True),
        replace(TURNED, approver=replace(RISK, roles=BOTH.roles)),
        replace(TURNED, approver=replace(RISK, roles=frozenset({"agent"}))),
        replace(TURNED, approver=replace(RISK, subject="mia")),
        replace(TURNED, on_behalf_of=replace(SECOND_RISK, subject="mia")),
        replace(TURNED, on_behalf_of=NEITHER),
    ],
)
def test_a_key_counts_for_its_version_and_of_who_may_still_decide(key: Key) -> None:
    waiting = replace(WAITING, keys=[key])
    assert waiting.counting == []
    assert waiting.waits_for == DEPARTMENTS
    assert waiting.require_approver(SECOND_RISK) == "risk"


def test_what_waits_for_nobody_has_a_key_of_each() -> None:
    waiting = replace(WAITING, keys=[TURNED, Key(2, BUSINESS, "business", "approve")])
    assert waiting.waits_for == ()


people = st.builds(
    Person,
    st.sampled_from("qrsbm"),
    st.sampled_from(["rita", "bert", "mia"]),
    st.frozensets(st.sampled_from(["risk_officer", "business_officer", "agent"]), max_size=3),
)
keys = st.builds(
    Key,
    st.integers(1, 2),
    people,
    st.sampled_from(DEPARTMENTS),
    st.sampled_from(["approve", "reject"]),
    st.none() | people,
    st.booleans(),
)


@given(st.lists(keys, max_size=4), people, st.none() | people)
def test_whoever_is_let_in_is_the_first_of_his_department_and_no_party(
    turned: Sequence[Key], person: Person, absent: Person | None
) -> None:
    waiting = replace(WAITING, keys=turned)
    try:
        department = waiting.require_approver(person, on_behalf_of=absent)
    except DomainError:
        return
    acting = [person] if absent is None else [person, absent]
    for one in acting:
        assert one.department == department
        assert one.digest != waiting.requested_by
        assert one.subject not in waiting.account_managers
        assert all(one.digest not in key.people for key in waiting.counting)
    assert all(key.department != department for key in waiting.counting)


def test_what_was_read_is_this_version_or_it_is_read_first() -> None:
    WAITING.require_read((2, "d2"))
    for read in (None, (1, "d1"), (1, "d2"), (2, "forged")):
        with pytest.raises(Conflict) as refused:
            WAITING.require_read(read)
        assert refused.value.type == "read-first"


def test_at_the_very_instant_it_has_expired() -> None:
    WAITING.require_in_time(WAITING.expires_at - timedelta(microseconds=1))
    with pytest.raises(Conflict) as refused:
        WAITING.require_in_time(WAITING.expires_at)
    assert refused.value.type == "request-expired"
