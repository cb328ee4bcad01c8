"""Every fact of one customer, recomputed."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.recompute import holding, premium
from tests.recompute.calendar import in_days, in_months, within
from tests.recompute.records import Book, Records

Value = int | bool | str | date | None

PLAIN_ATTRIBUTES = {"opinion_leader": None, "occupation_risk": None, "fraud_suspicion": None}
ATTRIBUTES = PLAIN_ATTRIBUTES | {
    "health_habit_score": "lifestyle_data",
    "driving_score": "behaviour",
    "smoker": "lifestyle_data",
    "heavy_drinker": "lifestyle_data",
    "health_grade": "health_data",
    "credit_score": "credit_data",
    "income_band": "personalisation",
    "asset_band": "personalisation",
    "career_stage": "personalisation",
    "family_stage": "personalisation",
}


def recompute(book: Book, customer_id: str, as_of: date) -> dict[str, Value]:
    """All facts by name, scaled as the catalogue says."""
    records = Records(book, customer_id, as_of)
    return (
        _identity(records)
        | _premium(records)
        | _holding(records)
        | _services(records)
        | _claims(records)
        | _attributes(records)
        | _models(records)
    )


def _identity(records: Records) -> dict[str, Value]:
    customer = records.customer
    return {
        "is_corporate": customer["kind"] == "corporate",
        "has_credit_code": customer["credit_code"] is not None,
        "age": premium.age(records),
        "primary_line": premium.primary_line(records),
        "last_line": premium.last_line(records),
    }


def _premium(records: Records) -> dict[str, Value]:
    total = premium.annual_premium(records)
    average = records.average("all", records.customer["kind"])
    return {
        "annual_premium": total,
        "premium_ratio": premium.ratio(total, average),
        "premium_ratio_precise": premium.precise_ratio(total, average),
        "line_premium_ratio": premium.line_premium_ratio(records),
        "years_of_premium_growth": premium.years_of_premium_growth(records),
        "lifetime_premium": premium.lifetime_premium(records),
        "premium_change_pct": premium.premium_change_pct(records),
        "payment_delays_12m": premium.payment_delays_12m(records),
        "cross_sell_potential": premium.cross_sell_potential(records, premium.age(records)),
    }


def _holding(records: Records) -> dict[str, Value]:
    terms = records.loaded("policy_terms", "term_start")
    held = sum(records.in_force(number) for number in records.policies)
    return {
        "policies_in_force": held if terms else None,
        "product_lines": len(premium.lines_in_force(records)) if terms else None,
        "tenure_years": holding.tenure_years(records),
        "renewal_rate": holding.renewal_rate(records),
        "days_to_renewal": holding.days_to_renewal(records),
        "renewal_interval_days": holding.renewal_interval_days(records),
        "surrenders_12m": holding.surrenders_12m(records),
        "unclaimed_benefits": holding.unclaimed_benefits(records),
    }


def _services(records: Records) -> dict[str, Value]:
    as_of = records.as_of
    facts: dict[str, Value] = {"addon_depth_12m": holding.addon_depth_12m(records)}
    referrals = [
        row
        for row in records.own("referrals", "succeeded_on")
        if in_months(row["succeeded_on"], as_of, 12)
    ]
    loaded = records.loaded("referrals", "succeeded_on")
    average = records.average("all", "individual")
    rich = [row for row in referrals if average and (row["annual_premium"] or 0) > 3 * average]
    facts["referrals_12m"] = len(referrals) if loaded else None
    facts["referrals_hnw_12m"] = len(rich) if loaded and average else None
    facts["referred_premium_12m"] = (
        within(sum(row["annual_premium"] or 0 for row in referrals), 0, premium.MONEY_MAX)
        if loaded
        else None
    )
    contacts = holding.contacts(records)
    recent = [row for row in contacts if in_days(row["occurred_on"], as_of, 90)]
    logins = [
        row
        for row in contacts
        if row["kind"] == "app_login" and in_days(row["occurred_on"], as_of, 30)
    ]
    complaints = [
        row
        for row in records.own("interactions", "occurred_on")
        if row["kind"] == "complaint" and in_months(row["occurred_on"], as_of, 12)
    ]
    from_contacts: dict[str, Value] = {
        "interactions_90d": len(recent),
        "channels_90d": len({row["channel"] for row in recent}),
        "app_logins_30d": len(logins) if records.consents_to("behaviour") else None,
        "months_since_contact": holding.months_since_contact(records),
        "months_since_activity": holding.months_since_activity(records),
        "interaction_change_pct": holding.interaction_change_pct(records),
        "complaints_12m": len(complaints),
    }
    if not records.loaded("interactions", "occurred_on"):
        from_contacts = dict.fromkeys(from_contacts)
    return facts | from_contacts | {"nps": holding.nps(records)}


def _claims(records: Records) -> dict[str, Value]:
    recent = holding.recent_claims(records)
    still_open = [
        row
        for row in records.claims
        if row["closed_on"] is None or row["closed_on"] > records.as_of
    ]
    facts: dict[str, Value] = {
        "claims_3y": sum(row["claim_count"] for row in recent),
        "max_claim_3y": holding.max_claim_3y(records),
        "open_claims": sum(row["claim_count"] for row in still_open),
        "loss_ratio_3y": holding.loss_ratio_3y(records),
        "appetite_fit": holding.appetite_fit(records),
    }
    if not records.loaded("claims", "reported_on"):
        facts = dict.fromkeys(facts)
    facts["object_risk"] = holding.object_risk(records)
    return facts


def _attributes(records: Records) -> dict[str, Value]:
    row = records.latest("scoring_inputs") or {}
    facts: dict[str, Value] = {
        name: row.get(name) if purpose is None or records.consents_to(purpose) else None
        for name, purpose in ATTRIBUTES.items()
    }
    verified = holding.declared_matches_verified(records)
    facts["declared_matches_verified"] = verified if records.consents_to("third_party") else None
    return facts


def _models(records: Records) -> dict[str, Value]:
    row: Any = records.latest("model_scores") or {}
    uplift, clv = row.get("uplift_3y"), row.get("clv")
    agreed = records.consents_to("personalisation")
    return {
        "uplift_3y": within(uplift, -100, 1000) if agreed and uplift is not None else None,
        "clv": None if clv is None else within(clv, -premium.MONEY_MAX, premium.MONEY_MAX),
        "behaviour_cluster": (
            row.get("behaviour_cluster") if records.consents_to("behaviour") else None
        ),
    }
