"""Who asks, in what relation to the customer, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The roles a token may carry; exactly one is active in a request."""

    AGENT = "agent"
    CUSTOMER = "customer"
    ACCOUNT_MANAGER = "account_manager"
    RISK_OFFICER = "risk_officer"
    BUSINESS_OFFICER = "business_officer"
    RULE_AUTHOR = "rule_author"
    RULE_PUBLISHER = "rule_publisher"
    ANALYST = "analyst"
    COMPLIANCE = "compliance"
    INTEGRATION = "integration"
    ADMIN = "admin"


class Relation(StrEnum):
    """How the viewer stands to the customer whose record it is."""

    SELF = "self"
    OWN = "own"
    OTHER = "other"


class Purpose(StrEnum):
    """What a request may state in `X-Purpose`; some clear values need one."""

    CUSTOMER_SERVICE = "customer_service"
    POLICY_SERVICING = "policy_servicing"
    UNDERWRITING = "underwriting"
    CLAIMS_HANDLING = "claims_handling"
    COMPLAINT_HANDLING = "complaint_handling"
    RENEWAL_ADVICE = "renewal_advice"
    OVERRIDE_REVIEW = "override_review"
    FRAUD_INVESTIGATION = "fraud_investigation"
    AUDIT = "audit"
    REGULATOR_REQUEST = "regulator_request"
    DATA_SUBJECT_REQUEST = "data_subject_request"


@dataclass(frozen=True, slots=True)
class Viewer:
    """On whose behalf one answer about one customer is rendered.

    Args:
        role: the one active role.
        subject: the actor's id, as the token's `sub` says it.
        relation: how the actor stands to the customer; OTHER grants least.
        customer_id: the customer that a viewer of role customer is.
        purpose: the stated purpose, if any.
    """

    role: Role
    subject: str
    relation: Relation = Relation.OTHER
    customer_id: str | None = None
    purpose: Purpose | None = None


def relation_to(
    *,
    role: Role,
    subject: str,
    own_customer_id: str | None,
    customer_id: str,
    account_manager: str | None,
) -> Relation:
    """How an actor stands to one customer.

    Args:
        role: the actor's active role.
        subject: the actor's id.
        own_customer_id: the customer the actor is, for role customer.
        customer_id: the customer that is looked at.
        account_manager: subject of that customer's account manager.

    >>> relation_to(
    ...     role=Role.CUSTOMER, subject="u", own_customer_id="C1", customer_id="C1",
    ...     account_manager=None,
    ... ).value
    'self'
    """
    if role is Role.CUSTOMER and own_customer_id == customer_id:
        return Relation.SELF
    if role is Role.ACCOUNT_MANAGER and account_manager == subject:
        return Relation.OWN
    return Relation.OTHER
