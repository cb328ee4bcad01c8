"""A customer whose every telling value is unique, and who may see which of them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Final
from urllib.parse import quote

from sqlalchemy import text

from app.domain.privacy.roles import Role
from app.infra.clock import utc_now
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import claim, contact, policy, put_customer, term, write
from tests.factories.simulations import Done, Moved, put_simulation
from tests.factories.tiers import Stand, write_stand

CUSTOMER: Final = "SENTINEL-1"
STRANGER: Final = "SENTINEL-2"
MANAGER: Final = "manager-of-sentinels"
PURPOSE: Final = {"X-Purpose": "renewal_advice"}


@dataclass(frozen=True, slots=True)
class Seat:
    """One way to call: who, and with which headers."""

    caller: Caller
    headers: Mapping[str, str]


def _seat(role: Role, *, headers: Mapping[str, str] | None = None, **known: str) -> Seat:
    return Seat(Caller(role, **known), headers or {})


SEATS: Final[Mapping[str, Seat]] = {
    "agent": _seat(Role.AGENT),
    "agent with a purpose": _seat(Role.AGENT, headers=PURPOSE),
    "customer": _seat(Role.CUSTOMER, customer_id=CUSTOMER),
    "other customer": _seat(Role.CUSTOMER, customer_id=STRANGER),
    "manager": _seat(Role.ACCOUNT_MANAGER, subject=MANAGER),
    "manager with a purpose": _seat(Role.ACCOUNT_MANAGER, subject=MANAGER, headers=PURPOSE),
    "other manager": _seat(Role.ACCOUNT_MANAGER, subject="another", headers=PURPOSE),
    "risk officer": _seat(Role.RISK_OFFICER, headers=PURPOSE),
    "business officer": _seat(Role.BUSINESS_OFFICER, headers=PURPOSE),
    "compliance": _seat(Role.COMPLIANCE, headers=PURPOSE),
    "integration": _seat(Role.INTEGRATION, headers=PURPOSE),
    "analyst": _seat(Role.ANALYST, headers=PURPOSE),
    "rule author": _seat(Role.RULE_AUTHOR, headers=PURPOSE),
    "rule publisher": _seat(Role.RULE_PUBLISHER, headers=PURPOSE),
    "admin": _seat(Role.ADMIN, headers=PURPOSE),
}

MANAGERS: Final = {"manager", "manager with a purpose"}
OFFICERS: Final = {"risk officer", "business officer"}
STAFF: Final = {
    *MANAGERS,
    *OFFICERS,
    "agent",
    "agent with a purpose",
    "other manager",
    "compliance",
}
NOBODY: Final[set[str]] = set()
#: Whoever is shown what people wrote, since they say what for.
READERS_OF_FREE: Final = {"manager with a purpose", *OFFICERS, "compliance"}


@dataclass(frozen=True, slots=True)
class Sentinel:
    """A value nobody else has, and the seats that may see it in clear."""

    text: str
    seats: set[str]

    def disguises(self) -> Iterator[bytes]:
        """The value as it might slip out: plain, escaped, encoded, hashed."""
        raw = self.text.encode()
        yield raw
        yield quote(self.text).encode()
        yield json.dumps(self.text).strip('"').encode()
        yield base64.b64encode(raw).rstrip(b"=")
        yield base64.urlsafe_b64encode(raw).rstrip(b"=")
        yield raw.hex().encode()
        yield from digests(raw)

    def is_in(self, told: bytes) -> bool:
        """Whether the value is told somewhere, in whatever disguise."""
        return any(found in told for found in self.disguises())


def digests(raw: bytes) -> Iterator[bytes]:
    """A value as those who think it unreadable write it."""
    for digest in (hashlib.md5, hashlib.sha1, hashlib.sha256):
        yield digest(raw).hexdigest().encode()


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number nobody else has, and the seats that may see it in clear.

    It is too short to be looked for within words, times and encoded text.
    """

    value: int
    seats: set[str]

    def is_in(self, told: bytes) -> bool:
        """Whether the number stands somewhere by itself, or hashed."""
        raw = str(self.value).encode()
        alone = rb"(?<![\w.-])(?<![0-9]:)" + raw + rb"(?![\w.-]|:[0-9])"
        return bool(re.search(alone, told)) or any(found in told for found in digests(raw))


SENTINELS: Final[Mapping[str, Sentinel]] = {
    "name": Sentinel("哨兵甲乙丙", {"customer", *MANAGERS}),
    "phone": Sentinel("13911117777", {"manager with a purpose"}),
    "email": Sentinel("sentinel.person@secret-domain.cn", {"manager with a purpose"}),
    "id_no": Sentinel("33010619870411493X", NOBODY),
    "birth_date": Sentinel("1987-04-11", {"customer", *MANAGERS}),
    "city": Sentinel("哨兵城", STAFF),
    "account_manager": Sentinel(MANAGER, STAFF),
    "income": Sentinel("234567.89", {"customer"}),
    "assets": Sentinel("7654321.12", {"customer"}),
    "occupation": Sentinel("深井爆破工", OFFICERS),
    "premium": Sentinel("43210.98", {"customer", *MANAGERS, *OFFICERS}),
    "claims paid": Sentinel("8765.43", OFFICERS),
    "last claim": Sentinel("2020-03-17", OFFICERS),
    "last contact": Sentinel("2020-08-19", STAFF),
    "label": Sentinel("sentinel_label", STAFF),
    "segment": Sentinel("high_net_worth", STAFF),
    "stage": Sentinel("at_risk", STAFF),
    "lift by premium": Sentinel("87654.32", {*MANAGERS, *OFFICERS}),
    "code of class value": Sentinel('"V01"', STAFF - {"compliance"}),
    "code of class internal": Sentinel('"V03"', STAFF),
    "code of class risk": Sentinel('"R04"', {*MANAGERS, *OFFICERS}),
    "code of class income": Sentinel('"P02"', {*MANAGERS, *OFFICERS}),
    "band of credit": Sentinel('"700-799"', {*MANAGERS, *OFFICERS}),
    "band of health grade": Sentinel('"D-E"', {"risk officer"}),
    "band of health habits": Sentinel('"20-39"', {"risk officer"}),
    "band of driving": Sentinel('"40-59"', MANAGERS),
    "statement of an override": Sentinel("SENTINEL-why-he-is-to-be-served", READERS_OF_FREE),
    "statement of an approval": Sentinel("SENTINEL-why-the-officer-agrees", READERS_OF_FREE),
    "name of evidence": Sentinel("SENTINEL-contract-of-sale.txt", READERS_OF_FREE),
    "evidence": Sentinel("SENTINEL-what-the-contract-says", READERS_OF_FREE),
}

#: Looked for in bodies, where a number is a value and no length or quota.
NUMBERS: Final[Mapping[str, Number]] = {
    "credit_score": Number(777, NOBODY),
    "health_habit_score": Number(37, NOBODY),
    "driving_score": Number(53, OFFICERS),
}


class Listed(Enum):
    """How an answer says that a field is masked."""

    NOT = auto()
    ITSELF = auto()
    #: The mapping that it is in has masked entries; which ones is not said.
    WITH_ITS_MAPPING = auto()


@dataclass(frozen=True, slots=True)
class Guarded:
    """A field that many have the same value of, so that it is known by its name only.

    Args:
        clear: what it may be where it is shown in clear.
        seats: who is shown it in clear.
        bands: what it may be where a band is shown.
        banded: who is shown the band; to everybody else it is null.
    """

    clear: Collection[object]
    seats: set[str]
    bands: Collection[object] = ()
    banded: set[str] = field(default_factory=set)

    def is_kept(self, seat: str, shown: object, listed: Listed) -> bool:
        """Whether a seat is shown what it may see, and told what was masked."""
        if seat in self.seats:
            return shown in self.clear and listed is not Listed.ITSELF
        masked = shown in self.bands if seat in self.banded else shown is None
        return masked and listed is not Listed.NOT


GRADES: Final = ("A", "B", "C", "D", "E")
GUARDED: Final[Mapping[str, Guarded]] = {
    "credit_score": Guarded([777], NOBODY, ["700-799"], {*MANAGERS, *OFFICERS}),
    "career_stage": Guarded(["peak"], NOBODY),
    "family_stage": Guarded(["couple"], NOBODY),
    "health_grade": Guarded(["D"], NOBODY, ["D-E"], {"risk officer"}),
    "health_habit_score": Guarded([37], NOBODY, ["20-39"], {"risk officer"}),
    # The role table gives the risk officer a band, and of yes and no there is none.
    "smoker": Guarded([True], {"customer"}, [None], {"risk officer"}),
    "heavy_drinker": Guarded([True], {"customer"}, [None], {"risk officer"}),
    "fraud_suspicion": Guarded([True], {"risk officer"}),
    "occupation_risk": Guarded(["high"], OFFICERS, ["high"], MANAGERS),
    "driving_score": Guarded([53], OFFICERS, ["40-59"], MANAGERS),
    "risk_grade": Guarded(GRADES, OFFICERS, ["low", "medium", "high"], MANAGERS),
    "extra_risk_module": Guarded([None, "required"], OFFICERS),
    "underwriting_advice": Guarded([None, "restrict"], OFFICERS),
    "reinsurance_advice": Guarded([None, "quota_share"], OFFICERS),
    # A rule's id tells the values it asks for, those of health among them.
    **{
        f"fired.{table}": Guarded([], NOBODY, ["GENERAL"], set(SEATS))
        for table in (
            "risk_grade",
            "extra_risk_module",
            "underwriting_advice",
            "reinsurance_advice",
        )
    },
    "claims": Guarded([1], OFFICERS, ["1-2"], MANAGERS),
    "open_claims": Guarded([1], OFFICERS, ["1-2"], MANAGERS),
    "opinion_leader": Guarded([True], STAFF),
    "gender": Guarded(["female"], STAFF),
}


def guarded_fields(
    body: object, path: str = "", masked: Collection[str] = ()
) -> Iterator[tuple[str, object, Listed]]:
    """The guarded fields of an answer: name, what is shown, and whether it is listed as masked."""
    if isinstance(body, dict):
        if "meta" in body:
            path, masked = "", body["meta"]["masked"]
        for name, value in body.items():
            place = f"{path}.{name}" if path else name
            known_as = place if place in GUARDED else name
            if known_as in GUARDED:
                yield known_as, value, _listed(place, path, masked)
            else:
                yield from guarded_fields(value, place, masked)
    if isinstance(body, list):
        for item in body:
            yield from guarded_fields(item, f"{path}[]", masked)


def _listed(place: str, path: str, masked: Collection[str]) -> Listed:
    if place in masked:
        return Listed.ITSELF
    return Listed.WITH_ITS_MAPPING if f"{path}[]" in masked else Listed.NOT


STAND: Final = Stand(
    CUSTOMER,
    segment="high_net_worth",
    life_cycle_stage="at_risk",
    labels=("sentinel_label",),
    reasons=[
        {"code": "V01", "characteristic": "premium_ratio", "points": 55, "lost": 45},
        {"code": "V03", "characteristic": "product_lines", "points": 10, "lost": 20},
        {"code": "R04", "characteristic": "driving", "points": 20, "lost": 40},
        {"code": "P02", "characteristic": "assets", "points": 5, "lost": 10},
    ],
    gap={
        "target": "diamond",
        "moves": [
            {"fact": "annual_premium", "from": "43210.98", "to": "87654.32", "reaches": "diamond"},
            {"fact": "driving_score", "from": "53", "to": "80", "reaches": "diamond"},
        ],
    },
)

#: A rehearsal in which the customer would move.
SIMULATION: Final = Done(
    STAND.rule_set_id,
    (Moved(CUSTOMER, STAND.segment, Decimal(SENTINELS["premium"].text)),),
)

#: The requests for overrides of the customer by how far they have come, the evidence of the one
#: that waits, and the decision that was evaluated for it; known once they are stored.
OVERRIDES: Final[dict[str, str]] = {}


async def write_overrides(api: Api, session: AsyncSession) -> None:
    """Ask for two overrides of the customer: one was taken back, one waits for its second key.

    Nothing is left of the evaluations that asking makes but their decisions.
    """
    requester = Seat(Caller(Role.ACCOUNT_MANAGER, subject=MANAGER), PURPOSE)
    body = {
        "customer_id": CUSTOMER,
        "tier": "diamond",
        "mode": "pin",
        "reason": "litigation",
        "statement": SENTINELS["statement of an override"].text,
        "valid_until": (utc_now() + timedelta(90)).date().isoformat(),
    }
    for name in ("closed", "waiting"):
        headers = {**PURPOSE, "Idempotency-Key": name}
        asked = await api.call(
            "POST", "/v1/overrides", requester.caller, headers=headers, json=body
        )
        assert asked.status_code == 201, asked.text
        OVERRIDES[name] = asked.json()["id"]
        if name == "closed":
            path = f"/v1/overrides/{OVERRIDES[name]}/withdraw"
            assert (await api.call("POST", path, requester.caller)).status_code == 200
    path = f"/v1/overrides/{OVERRIDES['waiting']}"
    content = SENTINELS["evidence"].text.encode() + b", and more.\n"
    file = (SENTINELS["name of evidence"].text, content, "text/plain")
    added = await api.call("POST", f"{path}/evidence", requester.caller, files={"file": file})
    assert added.status_code == 201, added.text
    OVERRIDES["sha256"] = hashlib.sha256(content).hexdigest()
    officer = SEATS["risk officer"]
    await api.get(path, officer.caller, headers=officer.headers)
    verdict = {"decision": "approve", "statement": SENTINELS["statement of an approval"].text}
    approved = await api.call("POST", f"{path}/approvals", officer.caller, json=verdict)
    assert approved.status_code == 201, approved.text
    # Those evaluations saw the facts of the sentinels, so what they saw can be told.
    decided = "SELECT id FROM decisions WHERE customer_id = :id ORDER BY id DESC LIMIT 1"
    OVERRIDES["decision"] = str(await session.scalar(text(decided), {"id": CUSTOMER}))
    for table in ("tier_assignments", "scoring_states"):
        await session.execute(text(f"DELETE FROM {table}"))
    await session.commit()


async def write_sentinels(api: Api, session: AsyncSession) -> None:
    """Store the customer of whom everything is known, what is asked for him, and a stranger."""
    await write_known(api, session)
    await write_overrides(api, session)
    await write_stand(session, STAND)
    await put_simulation(session, SIMULATION)
    await session.commit()


async def write_evaluated(api: Api, session: AsyncSession) -> None:
    """Store the customer of whom everything is known, with his tier, and a stranger."""
    await write_known(api, session)
    await write_stand(session, STAND)
    await session.commit()


async def write_known(api: Api, session: AsyncSession) -> None:
    """Store the customer of whom everything is known, and a stranger, before any evaluation."""
    given = ("phone", "email", "id_no", "birth_date", "city", "income", "assets", "occupation")
    await put_customer(
        api,
        CUSTOMER,
        name=SENTINELS["name"].text,
        account_manager=MANAGER,
        gender="female",
        smoker=True,
        heavy_drinker=True,
        health_grade="D",
        fraud_suspicion=True,
        occupation_risk="high",
        opinion_leader=True,
        career_stage="peak",
        family_stage="couple",
        consent=True,
        **{name: SENTINELS[name].text for name in given},
        **{name: number.value for name, number in NUMBERS.items()},
    )
    await put_customer(api, STRANGER)
    premium = Decimal(SENTINELS["premium"].text)
    paid = Decimal(SENTINELS["claims paid"].text)
    last_claim = date.fromisoformat(SENTINELS["last claim"].text)
    await write(
        session,
        policy(CUSTOMER, "P1"),
        term(CUSTOMER, "P1", premium=premium),
        claim(CUSTOMER, "P1", reported_on=last_claim, paid=paid, paid_on=last_claim),
        contact(CUSTOMER, date.fromisoformat(SENTINELS["last contact"].text)),
    )
