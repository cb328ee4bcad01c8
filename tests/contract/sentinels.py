"""A customer whose every telling value is unique, and who may see which of them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from app.domain.privacy.roles import Role
from app.infra.database import AsyncSession
from tests.api import Api, Caller
from tests.factories.customers import claim, contact, policy, put_customer, term, write
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
        for digest in (hashlib.md5, hashlib.sha1, hashlib.sha256):
            yield digest(raw).hexdigest().encode()


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
}

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
            {"fact": "driving_score", "from": "55", "to": "80", "reaches": "diamond"},
        ],
    },
)


async def write_sentinels(api: Api, session: AsyncSession) -> None:
    """Store the customer of whom everything is known, and a stranger."""
    given = ("phone", "email", "id_no", "birth_date", "city", "income", "assets", "occupation")
    await put_customer(
        api,
        CUSTOMER,
        name=SENTINELS["name"].text,
        account_manager=MANAGER,
        smoker=True,
        health_grade="D",
        fraud_suspicion=True,
        credit_score=777,
        consent=True,
        **{name: SENTINELS[name].text for name in given},
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
    await write_stand(session, STAND)
