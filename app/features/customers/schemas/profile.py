"""The profile of a customer, every field with its class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import Field

from app.domain.privacy.classes import SensitivityClass
from app.domain.privacy.masks import BANDS
from app.domain.privacy.sensitive import Sensitive
from app.domain.words import GRADE_BANDS, PRODUCT_LINES, PURPOSES
from app.features.customers.service import Profile
from app.infra.masking import (
    Birth,
    Contact,
    DeclaredHealth,
    DeclaredIncome,
    Fraud,
    Health,
    IdNo,
    Income,
    Internal,
    MaskedRead,
    Name,
    Open,
    Premium,
    ReadModel,
    Risk,
    internal,
)

Class = SensitivityClass

_HEALTH_BANDS: Final = {"A": "A-B", "B": "A-B", "C": "C", "D": "D-E", "E": "D-E"}
_FEW: Final = 2
_CREDIT_WIDTH: Final = 100
_POINTS_WIDTH: Final = 20


class LineRead(ReadModel):
    """The policies of one product line that are in force."""

    product_line: Open[str] = Field(description="The line; all five are always listed.")
    policies_in_force: Internal[int] = Field(description="Policies in force.")
    yearly_premium: Premium = Field(
        description="Regular premium in force at its yearly rate; not the scoring fact."
    )


class PanoramaRead(ReadModel):
    """Policies, claims and contacts in one picture, as of a business day."""

    as_of: Open[date] = Field(description="The business day.")
    lines: list[LineRead] = Field(description="Policies in force by product line.")
    claims: Risk[int] = Field(description="Claims reported, ever.")
    open_claims: Risk[int] = Field(description="Claims that are open.")
    claims_paid: Risk[Decimal] = Field(description="Paid on claims, ever.")
    last_claim_on: Risk[date] = Field(description="Day the last claim was reported.")
    last_contact_on: Internal[date] = Field(description="Last contact the customer began.")
    contacts_12m: Internal[int] = Field(description="Contacts the customer began, 12 months.")
    complaints_12m: Internal[int] = Field(description="Complaints in 12 months.")
    service_uses_12m: Internal[int] = Field(description="Uses of add-on services, 12 months.")
    last_nps: Internal[int] = Field(description="Newest answer to the recommendation survey.")


class ConsentRead(ReadModel):
    """Whether the customer's data may serve a purpose."""

    purpose: Open[str] = Field(description="The purpose; all of them are always listed.")
    holds: Internal[bool] = Field(description="Given and not withdrawn.")
    given_on: Internal[date] = Field(description="First day it held.")
    withdrawn_on: Internal[date] = Field(description="First day it no longer held.")


class ProfileRead(MaskedRead):
    """One customer, each field as the caller's role may see it."""

    customer_id: Open[str] = Field(description="The insurer's own id.")
    kind: Open[str] = Field(description="individual or corporate.")
    registered_name: Open[str | None] = Field(description="Name of a corporate.")
    credit_code: Open[str | None] = Field(
        description="Unified social credit code (统一社会信用代码) of a corporate."
    )
    name: Name = Field(description="Name.")
    phone: Contact = Field(description="Phone number.")
    email: Contact = Field(description="E-mail address.")
    id_type: Internal[str] = Field(description="Document the ID number belongs to.")
    id_no: IdNo = Field(description="ID number.")
    birth_date: Birth[date] = Field(description="Birth date; a five-year band as a band.")
    gender: Internal[str] = Field(description="Gender, where stated.")
    city: Internal[str] = Field(description="City.")
    channel: Internal[str] = Field(description="Channel the customer came through.")
    account_manager: Internal[str] = Field(description="Subject of the account manager.")
    income: DeclaredIncome[Decimal] = Field(description="Yearly income as declared.")
    assets: DeclaredIncome[Decimal] = Field(description="Assets as declared.")
    credit_score: Income[int] = Field(description="Credit score, 300 to 950.")
    career_stage: Income[str] = Field(description="Career stage.")
    family_stage: Income[str] = Field(description="Family stage.")
    health_grade: Health[str] = Field(description="Health grade, A is the best.")
    health_habit_score: Health[int] = Field(description="Habit score of wearables.")
    smoker: DeclaredHealth[bool] = Field(description="Smokes, as declared.")
    heavy_drinker: DeclaredHealth[bool] = Field(description="Drinks heavily, as declared.")
    occupation: Risk[str] = Field(description="Occupation; its risk class as a band.")
    occupation_risk: Risk[str] = Field(description="Risk class of the occupation.")
    driving_score: Risk[int] = Field(description="Driving score of telematics.")
    fraud_suspicion: Fraud = Field(description="The claims department suspects fraud.")
    opinion_leader: Internal[bool] = Field(description="Known opinion leader (意见领袖).")
    updated_at: Internal[datetime] = Field(description="When the record last changed.")
    tier: Open[str | None] = Field(description="Tier that serves; null before any evaluation.")
    tier_source: Open[str | None] = Field(description="evaluated, override or grace.")
    tier_since: Open[date | None] = Field(description="Business day it began to serve.")
    segment: Internal[str] = Field(description="Value segment.")
    life_cycle_stage: Internal[str] = Field(description="Life-cycle stage.")
    labels: Internal[list[str]] = Field(description="Labels.")
    score: Internal[int] = Field(description="Weighted score, 0 to 1000.")
    risk_grade: Risk[str] = Field(description="A is the lowest risk; low, medium, high as band.")
    panorama: PanoramaRead = Field(description="Policies, claims and contacts.")
    consents: list[ConsentRead] = Field(description="Consents by purpose.")

    @classmethod
    def from_domain(cls, profile: Profile) -> ProfileRead:
        """A profile, ready to be masked for whoever looks."""
        return cls.model_validate(
            {
                **_identity(profile),
                **_attributes(profile),
                **_standing(profile),
                "panorama": _panorama(profile),
                "consents": _consents(profile),
            }
        )


def _identity(profile: Profile) -> dict[str, object]:
    row, attributes = profile.stored.customer, profile.stored.attributes
    is_corporate = row.kind == "corporate"
    income = None if attributes is None else attributes.income_band
    assets = None if attributes is None else attributes.asset_band
    return {
        "customer_id": row.customer_id,
        "kind": row.kind,
        "registered_name": row.name_masked if is_corporate else None,
        "credit_code": row.credit_code,
        "name": _sealed(profile, Class.C2_NAME, "name", masked=row.name_masked),
        "phone": _sealed(profile, Class.C2_CONTACT, "phone", masked=row.phone_masked),
        "email": _sealed(profile, Class.C2_CONTACT, "email", masked=row.email_masked),
        "id_type": internal(row.id_type),
        "id_no": _sealed(profile, Class.C2_ID_NO, "id_no", masked=row.id_no_masked),
        "birth_date": _sealed(
            profile, Class.C2_BIRTH, "birth_date", band=row.birth_band, read=date.fromisoformat
        ),
        "gender": internal(row.gender),
        "city": internal(row.city),
        "channel": internal(row.channel),
        "account_manager": internal(row.account_manager),
        "income": _sealed(
            profile, Class.S_INCOME, "income", band=_label("income", income), read=Decimal
        ),
        "assets": _sealed(
            profile, Class.S_INCOME, "assets", band=_label("assets", assets), read=Decimal
        ),
        "updated_at": internal(row.updated_at),
    }


def _sealed(
    profile: Profile,
    sensitivity: SensitivityClass,
    name: str,
    *,
    masked: str | None = None,
    band: str | None = None,
    read: Callable[[str], object] = str,
) -> Sensitive[object]:
    """A stored value in the forms there are: opened for this viewer, or sealed."""
    if name not in profile.opened:
        return Sensitive[object].sealed(sensitivity, masked=masked, band=band)
    clear = profile.opened[name]
    value = None if clear is None else read(clear)
    return Sensitive(sensitivity, value, masked=masked, band=band)


def _attributes(profile: Profile) -> dict[str, object]:
    row = profile.stored.attributes

    def held(name: str) -> Any:  # noqa: ANN401 - a column of any type.
        return None if row is None else getattr(row, name)

    credit, grade = held("credit_score"), held("health_grade")
    habits, driving = held("health_habit_score"), held("driving_score")
    risk = held("occupation_risk")
    return {
        "credit_score": Sensitive(Class.S_INCOME, credit, band=_span(credit, _CREDIT_WIDTH)),
        "career_stage": Sensitive(Class.S_INCOME, held("career_stage")),
        "family_stage": Sensitive(Class.S_INCOME, held("family_stage")),
        "health_grade": Sensitive(Class.S_HEALTH, grade, band=_HEALTH_BANDS.get(grade)),
        "health_habit_score": Sensitive(Class.S_HEALTH, habits, band=_span(habits, _POINTS_WIDTH)),
        "smoker": Sensitive(Class.S_HEALTH, held("smoker")),
        "heavy_drinker": Sensitive(Class.S_HEALTH, held("heavy_drinker")),
        "occupation": _sealed(profile, Class.RISK, "occupation", band=risk),
        "occupation_risk": Sensitive(Class.RISK, risk, band=risk),
        "driving_score": Sensitive(Class.RISK, driving, band=_span(driving, _POINTS_WIDTH)),
        "fraud_suspicion": Sensitive(Class.S_FRAUD, held("fraud_suspicion")),
        "opinion_leader": internal(held("opinion_leader")),
    }


def _standing(profile: Profile) -> dict[str, object]:
    found = profile.stored.standing
    grade = None if found is None else found.risk_grade
    return {
        "tier": None if found is None else found.tier,
        "tier_source": None if found is None else found.source,
        "tier_since": None if found is None else found.since,
        "segment": internal(None if found is None else found.segment),
        "life_cycle_stage": internal(None if found is None else found.life_cycle_stage),
        "labels": internal(None if found is None else list(found.labels)),
        "score": internal(None if found is None else found.score),
        "risk_grade": Sensitive(Class.RISK, grade, band=GRADE_BANDS.get(grade or "")),
    }


def _panorama(profile: Profile) -> dict[str, object]:
    found = profile.stored.panorama
    return {
        "as_of": profile.stored.on,
        "lines": [_line(profile, line) for line in PRODUCT_LINES],
        "claims": Sensitive(Class.RISK, found.claims, band=_count(found.claims)),
        "open_claims": Sensitive(Class.RISK, found.open_claims, band=_count(found.open_claims)),
        "claims_paid": Sensitive(
            Class.RISK, found.claims_paid, band=BANDS["premium"].band(found.claims_paid)
        ),
        "last_claim_on": Sensitive(Class.RISK, found.last_claim_on),
        "last_contact_on": internal(found.last_contact_on),
        "contacts_12m": internal(found.contacts),
        "complaints_12m": internal(found.complaints),
        "service_uses_12m": internal(found.service_uses),
        "last_nps": internal(found.last_nps),
    }


def _line(profile: Profile, line: str) -> dict[str, object]:
    found = profile.stored.lines.get(line)
    policies, premium = (
        (0, Decimal("0.00")) if found is None else (found.policies, found.yearly_premium)
    )
    return {
        "product_line": line,
        "policies_in_force": internal(policies),
        "yearly_premium": Sensitive(Class.VALUE, premium, band=BANDS["premium"].band(premium)),
    }


def _consents(profile: Profile) -> list[Mapping[str, object]]:
    return [_consent(profile, purpose) for purpose in PURPOSES]


def _consent(profile: Profile, purpose: str) -> Mapping[str, object]:
    found = profile.stored.consents.get(purpose)
    holds = found is not None and found.holds_on(profile.stored.on)
    return {
        "purpose": purpose,
        "holds": internal(holds),
        "given_on": internal(None if found is None else found.given_on),
        "withdrawn_on": internal(None if found is None else found.withdrawn_on),
    }


def _label(bands: str, number: int | None) -> str | None:
    return None if number is None else BANDS[bands].label(number)


def _span(value: int | None, width: int) -> str | None:
    """The span of fixed width that a value lies in.

    >>> _span(730, 100), _span(19, 20), _span(None, 20)
    ('700-799', '0-19', None)
    """
    return (
        None if value is None else f"{value // width * width}-{value // width * width + width - 1}"
    )


def _count(value: int) -> str:
    """A count as a band.

    >>> _count(0), _count(2), _count(3)
    ('0', '1-2', '3+')
    """
    if value > _FEW:
        return f"{_FEW + 1}+"
    return f"1-{_FEW}" if value else "0"
