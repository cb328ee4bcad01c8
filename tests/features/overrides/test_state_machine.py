"""Whatever its people do in whatever order: no override serves without two keys of eligible people.

A Hypothesis state machine over the real API; after each step an onlooker judges by the database and
by what he saw, with rules of his own (`onlooker.py`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from app.domain.overrides.keys import Waiting
from app.domain.privacy.roles import Role
from app.infra.settings import Settings
from app.main import create_app
from tests.api import open_api
from tests.conftest import rolled_back
from tests.features.overrides.desk import WORD
from tests.features.overrides.office import CUSTOMERS, Office, OfficeClock
from tests.features.overrides.onlooker import Row, Sight, check, check_served, look

T = TypeVar("T")

STEPS: Final = 30
STORIES: Final = 10
#: Executions of all stories together.
ENOUGH: Final = 10

OFFICERS: Final = ("rita", "rob", "bea", "ben", "tess")
MANAGERS: Final = ("mia", "noah", "tess")
#: Of one department, mostly.
COLLEAGUES: Final = (("rita", "rob"), ("bea", "ben"), ("rob", "tess"), ("tess", "rita"))
#: Of each: his only role, or both; and of Tess whatever she holds.
ROLES: Final = (Role.RISK_OFFICER, Role.BUSINESS_OFFICER)
TURNS: Final = (
    (Role.RISK_OFFICER,),
    (Role.BUSINESS_OFFICER,),
    ROLES,
    (Role.ACCOUNT_MANAGER,),
    (Role.ACCOUNT_MANAGER, Role.RISK_OFFICER),
    (Role.AGENT,),
)
wanted = st.fixed_dictionaries(
    {
        "tier": st.sampled_from(["standard", "gold", "diamond"]),
        "mode": st.sampled_from(["pin", "floor", "ceiling"]),
        "days": st.sampled_from([1, 2, 3, 30, 366]),
    }
)
#: How many of the two keys are turned to begin with.
keys = st.integers(0, 2)
#: The newest request, the one before, …
which = st.integers(0, 3)
whose = st.sampled_from(CUSTOMERS)


@asynccontextmanager
async def open_office(url: str, folder: Path) -> AsyncIterator[Office]:
    """The application over a database, in a transaction that is rolled back."""
    settings = Settings(data_dir=folder, costly_rate_limit_per_minute=0)
    async with rolled_back(url) as database:
        clock = OfficeClock()
        with pytest.MonkeyPatch.context() as patch:
            clock.hang(patch)
            async with open_api(create_app(settings, database), settings) as api:
                yield Office(api, database, clock)


class Overrides(RuleBasedStateMachine):
    """People who do what they like; each step is one of theirs, or of the clock."""

    #: The database, and the folder of the keys; one for all stories.
    url: ClassVar[str]
    folder: ClassVar[Path]
    #: What happened in all of them, so that it can be seen that enough did.
    happened: ClassVar[Counter[tuple[str, str]]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.office = self.go(self.stack.enter_async_context(open_office(self.url, self.folder)))
        self.sight = Sight()
        for customer in CUSTOMERS:
            manager = "mia" if customer == "C1" else None
            self.go(self.office.put_customer(customer, manager, big=customer == "C2"))

    def go(self, step: Coroutine[Any, Any, T]) -> T:
        """Do something to its end."""
        return self.runner.run(step)

    def teardown(self) -> None:
        """Leave nothing."""
        self.happened.update(self.office.answers)
        self.happened.update(("event", row["kind"]) for row in self.sight.rows("events"))
        self.go(self.stack.aclose())
        self.runner.close()

    @invariant()
    def nothing_serves_without_two_keys(self) -> None:
        """What the onlooker sees is right, and is what is served."""
        now = self.go(look(self.office))
        check(self.office, self.sight, now)
        self.sight = now
        self.go(check_served(self.office, now))

    def request(self, which: int, state: str = "requested") -> str:
        """One of the requests: first those in a state, of which the newest first."""
        of_state = {o["request"] for o in self.sight.rows("overrides") if o["state"] == state}
        known = sorted(self.office.requests, key=lambda id_: (id_ in of_state, id_), reverse=True)
        return known[which % len(known)]

    def asker(self, person: str, id_: str) -> str:
        """Who asked, unless Noah or Tess wants to do it for him."""
        return self.office.versions[id_, 1].asker if person == "mia" else person

    def waits(self) -> set[str]:
        """The requests that wait."""
        return {o["request"] for o in self.sight.rows("overrides") if o["state"] == "requested"}

    def delegation(self, which: int) -> Row:
        """One of the newest delegations."""
        known = self.office.delegations
        return self.sight.of("delegations", known[-1 - which % len(known)])

    def role(self, person: str, preferred: int) -> Role:
        """A role of somebody, by his newest token."""
        roles = self.office.badge(person).roles
        return roles[preferred % len(roles)]

    @initialize(what=wanted, turned=st.tuples(keys, keys))
    def begin(self, what: dict[str, Any], turned: tuple[int, int] = (0, 0)) -> None:
        """Something to decide on, and perhaps decided already, one step after the other."""
        for person in OFFICERS:
            # Nobody delegates to who was never seen.
            self.go(self.office.call(person, self.role(person, 0), "GET", "/v1/tiers"))
        self.go(self.office.ask("mia", ["C1"], what))
        self.go(self.office.ask("noah", ["C3", "C4"], what, bulk=True))
        for id_, number in zip(self.office.requests, turned, strict=True):
            for person in ("rita", "bea")[:number]:
                self.nothing_serves_without_two_keys()
                self.go(self.office.read(person, self.role(person, 0), id_))
                self.go(self.office.decide(person, self.role(person, 0), id_))

    @rule(person=st.sampled_from(MANAGERS), customer=whose, what=wanted)
    def ask(self, person: str, customer: str, what: dict[str, Any]) -> None:
        """Ask for one."""
        self.go(self.office.ask(person, [customer], what))

    @rule(
        person=st.sampled_from(MANAGERS),
        customers=st.lists(whose, min_size=2, max_size=3, unique=True),
        what=wanted,
    )
    def ask_for_many(self, person: str, customers: list[str], what: dict[str, Any]) -> None:
        """Ask for some alike."""
        self.go(self.office.ask(person, customers, what, bulk=True))

    @rule(person=st.sampled_from(MANAGERS), which=which, what=wanted)
    def revise(self, person: str, which: int, what: dict[str, Any]) -> None:
        """Ask otherwise."""
        id_ = self.request(which)
        self.go(self.office.revise(self.asker(person, id_), id_, what))

    @rule(person=st.sampled_from(MANAGERS), which=which, file=st.sampled_from([b"one", b"two"]))
    def add_evidence(self, person: str, which: int, file: bytes) -> None:
        """Add a file, perhaps one that is known."""
        id_ = self.request(which)
        self.go(self.office.add_evidence(self.asker(person, id_), id_, file))

    @rule(person=st.sampled_from((*OFFICERS, "cleo", "mia")), which=which, purpose=st.booleans())
    def read(self, person: str, which: int, *, purpose: bool) -> None:
        """Read, whether or not what was written is shown."""
        id_ = self.request(which)
        self.go(self.office.read(person, self.role(person, which), id_, purpose=purpose))

    @rule(
        person=st.sampled_from((*OFFICERS, "cleo", "mia")),
        which=which,
        decision=st.sampled_from(["approve", "approve", "reject"]),
        as_of_old=st.booleans(),
    )
    def decide(self, person: str, which: int, decision: str, *, as_of_old: bool) -> None:
        """Turn a key in whatever state of things, perhaps with a token of before."""
        id_ = self.request(which)
        roles = self.office.badge(person, stale=as_of_old).roles
        role = roles[which % len(roles)]
        self.go(self.office.decide(person, role, id_, stale=as_of_old, decision=decision))

    @precondition(lambda self: self.waits())
    @rule(people=st.permutations(OFFICERS), which=which)
    def read_and_approve(self, people: list[str], which: int) -> None:
        """One officer after the other reads and approves."""
        id_ = self.request(which)
        for person in people:
            role = self.role(person, which)
            self.go(self.office.read(person, role, id_))
            self.go(self.office.decide(person, role, id_))
            self.nothing_serves_without_two_keys()
            if id_ not in self.waits():
                return

    @precondition(lambda self: self.office.delegations)
    @rule(
        person=st.sampled_from([None, None, *OFFICERS]),
        which=which,
        delegation=st.integers(0, 2),
    )
    def decide_for_somebody(self, person: str | None, which: int, delegation: int) -> None:
        """Read and approve by a delegation, mostly as who was named in it."""
        id_, by = self.request(which), self.delegation(delegation)
        officer: str = person or by["acting"]
        role = self.role(officer, which)
        self.go(self.office.read(officer, role, id_))
        self.go(self.office.decide(officer, role, id_, delegation_id=by["id"]))

    @rule(person=st.sampled_from(MANAGERS), which=which)
    def withdraw(self, person: str, which: int) -> None:
        """Take back."""
        id_ = self.request(which)
        path = f"/v1/overrides/{id_}/withdraw"
        person = self.asker(person, id_)
        self.go(self.office.call(person, Role.ACCOUNT_MANAGER, "POST", path))

    @rule(person=st.sampled_from(OFFICERS), which=which, part=st.integers(0, 3))
    def revoke(self, person: str, which: int, part: int) -> None:
        """End what serves, of a request for many all or one."""
        id_ = self.request(which, "active")
        parts = sorted(o["id"] for o in self.sight.rows("overrides") if o["request"] == id_)
        target = [id_, *parts][part % (len(parts) + 1)]
        path, body = f"/v1/overrides/{target}/revoke", {"statement": WORD}
        self.go(self.office.call(person, self.role(person, 0), "POST", path, json=body))

    @rule(
        people=st.sampled_from(COLLEAGUES) | st.permutations(OFFICERS),
        days=st.sampled_from([1, 5]),
    )
    def delegate(self, people: Sequence[str], days: int) -> None:
        """Go away."""
        person, to, *_ = people
        self.go(self.office.delegate(person, self.role(person, 0), to, days))

    @precondition(lambda self: self.office.delegations)
    @rule(person=st.sampled_from(OFFICERS), delegation=st.integers(0, 2))
    def end_delegation(self, person: str, delegation: int) -> None:
        """Come back, or try to end what another one gave."""
        path = f"/v1/override-delegations/{self.delegation(delegation)['id']}/end"
        self.go(self.office.call(person, self.role(person, 0), "POST", path))

    @rule(
        customer=whose,
        manager=st.sampled_from([None, "mia", "rita", "bea", "tess"]),
        big=st.booleans(),
    )
    def put_customer(self, customer: str, manager: str | None, *, big: bool) -> None:
        """Let a customer have another account manager, or another tier when he is evaluated."""
        self.go(self.office.put_customer(customer, manager, big=big))

    @rule(customer=whose, person=st.sampled_from(["rita", "mia"]))
    def evaluate(self, customer: str, person: str) -> None:
        """Evaluate a customer."""
        path = f"/v1/customers/{customer}/evaluations"
        self.go(self.office.call(person, self.role(person, 0), "POST", path))

    @rule(roles=st.sampled_from(TURNS), is_shown=st.booleans())
    def turn_coat(self, roles: tuple[Role, ...], *, is_shown: bool) -> None:
        """Tess gets other roles, which counts from when her newer token is seen."""
        self.office.issue("tess", roles)
        if is_shown:
            self.go(self.office.call("tess", roles[0], "GET", "/v1/tiers"))

    @rule(hours=st.sampled_from([1, 25, 49, 73]), looks=st.booleans())
    def pass_time(self, hours: int, *, looks: bool) -> None:
        """Let time pass, whether or not the clock looks."""
        self.office.pass_time(timedelta(hours=hours))
        if looks:
            self.go(self.office.tick())


@pytest.fixture
def machine(rules_in_stock: str, tmp_path: Path) -> type[Overrides]:
    """The machine over a database with the shipped rule sets, to which every story rolls back."""
    Overrides.url, Overrides.folder, Overrides.happened = rules_in_stock, tmp_path, Counter()
    return Overrides


def test_no_override_serves_without_two_keys_of_eligible_people(machine: type[Overrides]) -> None:
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(max_examples=STORIES, stateful_step_count=STEPS),
    )
    # Else it would say little that nothing was amiss.
    happened = machine.happened
    assert happened["event", "override-activated"] >= ENOUGH, sorted(happened.items())


WANTED: Final = {"tier": "diamond", "mode": "pin", "days": 30}


@pytest.fixture
def story(machine: type[Overrides]) -> Iterator[Overrides]:
    """A story that is told by hand: Mia asks for C1, and Rita approves."""
    told = machine()
    told.begin(WANTED)
    told.go(approve(told, "rita", Role.RISK_OFFICER))
    told.nothing_serves_without_two_keys()
    yield told
    told.teardown()


async def approve(story: Overrides, person: str, role: Role, *, reads: bool = True) -> str:
    """Somebody approves the request for C1, for which he reads it first."""
    id_ = story.office.requests[0]
    if reads:
        await story.office.read(person, role, id_)
    answer = await story.office.decide(person, role, id_)
    found: str = answer.json().get("status", answer.text)
    return found


async def sql(story: Overrides, *statements: str) -> None:
    """Do behind the application's back what its database refuses."""
    async with story.office.database.sessions.begin() as session:
        for statement in statements:
            await session.execute(text(statement), {"id": story.office.requests[0]})


UNGUARDED: Final = tuple(
    f"ALTER TABLE {table} DISABLE TRIGGER guarded" for table in ("overrides", "override_approvals")
)
SERVES: Final = (
    "UPDATE overrides SET state = 'active', valid_from = valid_until - 1,"
    " activated_at = clock_timestamp() WHERE id = :id"
)


async def forge_a_state(story: Overrides, _patch: pytest.MonkeyPatch) -> None:
    """One key only, and the row says that it serves."""
    await sql(story, *UNGUARDED, SERVES)


async def forge_a_content(story: Overrides, _patch: pytest.MonkeyPatch) -> None:
    """What serves is not what was approved."""
    assert await approve(story, "bea", Role.BUSINESS_OFFICER) == "active"
    await sql(story, *UNGUARDED, "UPDATE overrides SET mode = 'floor' WHERE id = :id")


async def forge_the_past(story: Overrides, _patch: pytest.MonkeyPatch) -> None:
    """What is closed gets another end."""
    id_ = story.office.requests[0]
    answer = await story.office.call(
        "mia", Role.ACCOUNT_MANAGER, "POST", f"/v1/overrides/{id_}/withdraw"
    )
    assert answer.is_success
    story.sight = await look(story.office)
    await sql(story, *UNGUARDED, "UPDATE overrides SET closed_on = closed_on - 1 WHERE id = :id")


async def forge_a_tier(story: Overrides, _patch: pytest.MonkeyPatch) -> None:
    """The tier that serves is nobody's decision."""
    await sql(story, "UPDATE tier_assignments SET tier = 'gold' WHERE customer_id = 'C1'")


async def forget_the_account_manager(story: Overrides, patch: pytest.MonkeyPatch) -> None:
    """The application asks of nobody any more whether his key still counts."""
    await sql(story, *UNGUARDED)
    patch.setattr(Waiting, "counts", lambda waiting, key: key.version == waiting.version)
    await story.office.put_customer("C1", "rita", big=False)
    assert await approve(story, "bea", Role.BUSINESS_OFFICER) == "active"


async def forget_to_read(story: Overrides, patch: pytest.MonkeyPatch) -> None:
    """The application lets decide who has not read."""
    await sql(story, "ALTER TABLE override_approvals DROP CONSTRAINT fk_override_approvals_read")
    patch.setattr(Waiting, "require_read", lambda _waiting, _read: None)
    assert await approve(story, "bea", Role.BUSINESS_OFFICER, reads=False) == "active"


async def forget_to_tell(story: Overrides, patch: pytest.MonkeyPatch) -> None:
    """The application tells nobody of a step."""

    async def tell(*_: object, **__: object) -> None:
        """Nothing."""

    patch.setattr("app.features.overrides.service.deciding.tell", tell)
    assert await approve(story, "bea", Role.BUSINESS_OFFICER) == "active"


@pytest.mark.parametrize(
    "sabotage",
    [
        forge_a_state,
        forge_a_content,
        forge_the_past,
        forge_a_tier,
        forget_the_account_manager,
        forget_to_read,
        forget_to_tell,
    ],
)
def test_the_onlooker_sees_what_must_not_be(
    story: Overrides,
    monkeypatch: pytest.MonkeyPatch,
    sabotage: Callable[[Overrides, pytest.MonkeyPatch], Coroutine[Any, Any, None]],
) -> None:
    story.go(sabotage(story, monkeypatch))
    with pytest.raises(AssertionError):
        story.nothing_serves_without_two_keys()


def test_the_onlooker_sees_nothing_amiss_in_an_ordinary_story(story: Overrides) -> None:
    assert story.go(approve(story, "bea", Role.BUSINESS_OFFICER)) == "active"
    story.nothing_serves_without_two_keys()
