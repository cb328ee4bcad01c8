"""The closed lists of words: what a column, a cell or an answer of the API may say.

Each list stands here once, as a type for schemas and as a tuple in the order of display. The tables
constrain their columns by it, rule sets may answer with nothing else where it is stored in a column
of its own, and the data files that repeat it are compared with it by the tests.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

# ------------------------------------------------------------------------------- who and what

CustomerKind: TypeAlias = Literal["individual", "corporate"]
CUSTOMER_KINDS: Final[tuple[CustomerKind, ...]] = get_args(CustomerKind)

Gender: TypeAlias = Literal["male", "female"]
GENDERS: Final[tuple[Gender, ...]] = get_args(Gender)

IdDocument: TypeAlias = Literal["resident_id", "passport", "permit", "other"]
ID_DOCUMENTS: Final[tuple[IdDocument, ...]] = get_args(IdDocument)

#: The channel a customer came through.
SalesChannel: TypeAlias = Literal[
    "agent", "app", "dealer", "broker", "bank", "phone", "branch", "other"
]
SALES_CHANNELS: Final[tuple[SalesChannel, ...]] = get_args(SalesChannel)

#: In the order in which equal premiums decide for a line.
ProductLine: TypeAlias = Literal["life", "health", "motor", "property", "liability"]
PRODUCT_LINES: Final[tuple[ProductLine, ...]] = get_args(ProductLine)

#: The rule set of companies, and the one that decides where no other is in force.
CORPORATE: Final = "corporate"
ALL: Final = "all"
RULE_SET_LINES: Final = (*PRODUCT_LINES, CORPORATE, ALL)

#: How a version came to be: shipped with the service, loaded by an operator, from a draft.
RULE_SET_ORIGINS: Final = ("template", "loaded", "published")

#: What a publisher does: publish a draft, publish a version anew, end what is in force.
PublicationKind: TypeAlias = Literal["published", "republished", "retired"]
PUBLICATION_KINDS: Final[tuple[PublicationKind, ...]] = get_args(PublicationKind)

Purpose: TypeAlias = Literal[
    "health_data", "lifestyle_data", "credit_data", "third_party", "behaviour", "personalisation"
]
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)

#: What a caller can be verified by without being shown it.
VerifiableField: TypeAlias = Literal["phone", "id_no", "birth_date", "email", "name"]
VERIFIABLE_FIELDS: Final[tuple[VerifiableField, ...]] = get_args(VerifiableField)

# ------------------------------------------------------------------------- attributes of people

OccupationRisk: TypeAlias = Literal["low", "medium", "high"]
OCCUPATION_RISKS: Final[tuple[OccupationRisk, ...]] = get_args(OccupationRisk)

#: A is the best.
HealthGrade: TypeAlias = Literal["A", "B", "C", "D", "E"]
HEALTH_GRADES: Final[tuple[HealthGrade, ...]] = get_args(HealthGrade)

CareerStage: TypeAlias = Literal["student", "early", "rising", "established", "peak", "retired"]
CAREER_STAGES: Final[tuple[CareerStage, ...]] = get_args(CareerStage)

FamilyStage: TypeAlias = Literal[
    "single", "couple", "young_children", "grown_children", "empty_nest"
]
FAMILY_STAGES: Final[tuple[FamilyStage, ...]] = get_args(FamilyStage)

# ------------------------------------------------------------------------------------- records

PARTY_ROLES: Final = ("insured", "beneficiary", "payer")
RELATIONS: Final = ("self", "spouse", "child", "parent", "employer", "other")
PREMIUM_KINDS: Final = ("regular", "single", "top_up", "paid_up")
PAY_MODES: Final = ("yearly", "half_yearly", "quarterly", "monthly", "once", "none")
TERM_STARTS: Final = ("new", "renewal", "reinstatement")
TERM_ENDS: Final = (
    "expired",
    "renewed",
    "lapsed",
    "surrendered",
    "cancelled",
    "withdrawn",
    "claimed",
)
CHECK_KINDS: Final = ("credit", "medical", "occupation")
CONTACT_CHANNELS: Final = ("app", "web", "hotline", "branch", "event", "social", "agent", "mail")
INITIATORS: Final = ("customer", "insurer")

# ------------------------------------------------------------------------- what is decided on

#: Best first.
Tier: TypeAlias = Literal["diamond", "gold", "standard"]
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
Segment: TypeAlias = Literal["high_net_worth", "mid_market", "potential", "base"]
SEGMENTS: Final[tuple[Segment, ...]] = get_args(Segment)
LifeCycleStage: TypeAlias = Literal["new", "stable", "at_risk", "dormant", "lapsed"]
LIFE_CYCLE_STAGES: Final[tuple[LifeCycleStage, ...]] = get_args(LifeCycleStage)
#: A is the lowest risk.
RISK_GRADES: Final = ("A", "B", "C", "D", "E")

#: How much of the risk grade those are told who are told the band only.
GRADE_BANDS: Final[Mapping[str, str]] = MappingProxyType(
    {"A": "low", "B": "low", "C": "medium", "D": "high", "E": "high"}
)

MANDATORY_OUTPUTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "risk_grade": RISK_GRADES,
        "segment": SEGMENTS,
        "life_cycle_stage": LIFE_CYCLE_STAGES,
        "tier": TIERS,
    }
)
"""What every rule set decides, with the words it may answer: decisions store each in a column."""

SET_OUTPUTS: Final = ("labels",)
"""What a customer has any number of, so that a rule set decides on it by collecting."""

TIER_SOURCES: Final = ("evaluated", "override", "grace")
"""Why a tier serves."""

# ------------------------------------------------------------------------------------ overrides

#: pin: this tier and no other; floor: this tier or a better one; ceiling: this one or a lower one.
OverrideMode: TypeAlias = Literal["pin", "floor", "ceiling"]
OVERRIDE_MODES: Final[tuple[OverrideMode, ...]] = get_args(OverrideMode)

#: Nearest to serving first.
OverrideState: TypeAlias = Literal[
    "active", "requested", "ended", "revoked", "expired", "withdrawn", "rejected"
]
OVERRIDE_STATES: Final[tuple[OverrideState, ...]] = get_args(OverrideState)

OverrideReason: TypeAlias = Literal[
    "merger",
    "litigation",
    "key_relationship",
    "objection",
    "complaint",
    "hardship",
    "regulatory",
    "data_correction",
]
OVERRIDE_REASONS: Final[tuple[OverrideReason, ...]] = get_args(OverrideReason)

#: Whose key it takes: one of each.
Department: TypeAlias = Literal["risk", "business"]
DEPARTMENTS: Final[tuple[Department, ...]] = get_args(Department)

ApprovalDecision: TypeAlias = Literal["approve", "reject"]
APPROVAL_DECISIONS: Final[tuple[ApprovalDecision, ...]] = get_args(ApprovalDecision)

#: Why an override serves no longer, or never did.
ClosingCause: TypeAlias = Literal[
    "rejected", "withdrawn", "expired", "validity", "revoked", "superseded", "merge"
]
CLOSING_CAUSES: Final[tuple[ClosingCause, ...]] = get_args(ClosingCause)

#: What the outbox tells of requests and overrides, and of delegations for absence.
EventKind: TypeAlias = Literal[
    "override-requested",
    "override-revised",
    "override-approved",
    "override-approval-void",
    "override-rejected",
    "override-withdrawn",
    "override-reminder",
    "override-expired",
    "override-activated",
    "override-superseded",
    "override-ending",
    "override-ended",
    "override-revoked",
    "override-delegated",
    "override-delegation-ended",
    "rule-set-published",
    "rule-set-retired",
]

#: What evidence may be, by what its bytes say.
EvidenceType: TypeAlias = Literal["application/pdf", "image/png", "image/jpeg", "text/plain"]
EVIDENCE_TYPES: Final[tuple[EvidenceType, ...]] = get_args(EvidenceType)
