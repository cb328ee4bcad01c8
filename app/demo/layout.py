"""The import layout the book is written in: a schema per record type, one file each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from app.demo.columns import MONEY

_TEXT, _DAY, _WHOLE, _FLAG = pa.string(), pa.date32(), pa.int64(), pa.bool_()

LAYOUT: Final[Mapping[str, pa.Schema]] = MappingProxyType(
    {
        name: pa.schema(list(fields.items()))
        for name, fields in {
            "product_services": {"product": _TEXT, "service_code": _TEXT},
            "market_benchmarks": {
                "benchmark_version": _TEXT,
                "product_line": _TEXT,
                "customer_kind": _TEXT,
                "valid_from": _DAY,
                "average_premium": MONEY,
            },
            "customers": {
                "customer_id": _TEXT,
                "kind": _TEXT,
                "name": _TEXT,
                "phone": _TEXT,
                "email": _TEXT,
                "id_type": _TEXT,
                "id_no": _TEXT,
                "birth_date": _DAY,
                "gender": _TEXT,
                "city": _TEXT,
                "credit_code": _TEXT,
                "account_manager": _TEXT,
                "income": MONEY,
                "assets": MONEY,
                "channel": _TEXT,
                "occupation": _TEXT,
                "occupation_risk": _TEXT,
                "smoker": _FLAG,
                "heavy_drinker": _FLAG,
                "health_grade": _TEXT,
                "health_habit_score": _WHOLE,
                "driving_score": _WHOLE,
                "fraud_suspicion": _FLAG,
                "opinion_leader": _FLAG,
                "credit_score": _WHOLE,
                "career_stage": _TEXT,
                "family_stage": _TEXT,
                "valid_from": _DAY,
            },
            "customer_aliases": {"alias_id": _TEXT, "customer_id": _TEXT, "merged_on": _DAY},
            "consents": {
                "customer_id": _TEXT,
                "purpose": _TEXT,
                "given_on": _DAY,
                "basis": _TEXT,
                "text_version": _TEXT,
                "withdrawn_on": _DAY,
            },
            "policies": {
                "policy_no": _TEXT,
                "customer_id": _TEXT,
                "product_line": _TEXT,
                "product": _TEXT,
                "issued_on": _DAY,
                "cooling_off_until": _DAY,
                "object_kind": _TEXT,
                "object_coefficient": MONEY,
                "channel": _TEXT,
            },
            "policy_parties": {
                "policy_no": _TEXT,
                "party_no": _WHOLE,
                "role": _TEXT,
                "relation": _TEXT,
                "birth_month": _DAY,
            },
            "policy_terms": {
                "policy_no": _TEXT,
                "customer_id": _TEXT,
                "term_start": _DAY,
                "premium_kind": _TEXT,
                "term_end": _DAY,
                "premium": MONEY,
                "pay_mode": _TEXT,
                "started_as": _TEXT,
                "ended_on": _DAY,
                "ended_how": _TEXT,
                "voluntary": _FLAG,
                "due_on": _DAY,
                "paid_on": _DAY,
            },
            "claims": {
                "claim_no": _TEXT,
                "policy_no": _TEXT,
                "customer_id": _TEXT,
                "occurred_on": _DAY,
                "reported_on": _DAY,
                "claim_count": _WHOLE,
                "claimed": MONEY,
                "paid": MONEY,
                "paid_on": _DAY,
                "closed_on": _DAY,
                "personal_injury": _FLAG,
            },
            "service_uses": {
                "use_no": _TEXT,
                "customer_id": _TEXT,
                "service_code": _TEXT,
                "used_on": _DAY,
            },
            "referrals": {
                "referral_no": _TEXT,
                "customer_id": _TEXT,
                "referred_customer_id": _TEXT,
                "succeeded_on": _DAY,
                "annual_premium": MONEY,
            },
            "interactions": {
                "interaction_no": _TEXT,
                "customer_id": _TEXT,
                "occurred_on": _DAY,
                "channel": _TEXT,
                "kind": _TEXT,
                "topic": _TEXT,
                "initiated_by": _TEXT,
            },
            "surveys": {
                "survey_no": _TEXT,
                "customer_id": _TEXT,
                "answered_on": _DAY,
                "nps": _WHOLE,
            },
            "external_checks": {
                "check_no": _TEXT,
                "customer_id": _TEXT,
                "checked_on": _DAY,
                "kind": _TEXT,
                "matches": _FLAG,
                "declared": _TEXT,
                "verified": _TEXT,
            },
            "model_scores": {
                "customer_id": _TEXT,
                "valid_from": _DAY,
                "uplift_3y": _WHOLE,
                "clv": MONEY,
                "behaviour_cluster": _TEXT,
            },
        }.items()
    }
)
"""Schemas by record type, in an order in which no record refers to a later type."""
