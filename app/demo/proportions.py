"""The proportions of the demo book, read from their data file."""

from functools import cache
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from app.demo.tables import (
    Months,
    Positive,
    Share,
    Shares,
    Sourced,
    Table,
    Weights,
    Words,
    load_table,
)
from app.domain.words import CUSTOMER_KINDS, CustomerKind, ProductLine

_TOLERANCE = 1e-9


class Kind(Sourced):
    """Individual or corporate."""

    corporate: Share


class StandingNumbers(Sourced):
    """In force, lapsed, silent."""

    lapsed: Share
    lapsed_within_days: int
    silent: Share


class Tenure(Sourced):
    """Whole years with us."""

    weights: Weights
    further_covers: Weights
    further_covers_income: float
    further_covers_lapsed: Positive
    long_term_lapsed: Share
    annual_bent_to_today: Positive
    long_term_bent_to_start: Positive
    left_bent_to_today: Positive
    left_before_the_last: int


class Cover(Sourced):
    """What a customer is insured for, whatever the product."""

    kind: CustomerKind
    held: Share
    first: Share
    second: Share
    left: Share
    family: tuple[Share, Share, Share]


class Premium(Table):
    """Log-normal yearly premium."""

    mean: Positive
    deviation: float
    income: Share


class Spread(Table):
    """Mean and deviation of normal numbers."""

    mean: float
    deviation: float


class ClaimRate(Table):
    """Claims a year and what one costs."""

    frequency: float
    mean: Positive
    deviation: float


class Product(Sourced):
    """One product of a cover."""

    cover: str
    line: ProductLine
    share: Share
    long_term: bool = False
    age_rated: bool = False
    premium: Premium
    renewal_drift: Spread
    lost: Share
    automatic: Share
    claims: ClaimRate
    channels: Shares
    objects: tuple[str, ...]


class Renewal(Sourced):
    """How terms fail to be renewed and what comes after."""

    long_term: tuple[Share, Share, Share]
    by_covers: Weights
    by_covers_long_term: Weights
    prompt_return: Share
    prompt_days: int
    late_days: int
    surrendered: Share
    surrendered_early: Share
    cancelled: Share
    early_days: tuple[int, int]
    reinstated: Share
    reinstated_days: tuple[int, int]


class InsuredNumbers(Sourced):
    """Whom a policy insures, and what the insured object is like."""

    parenting_ages: tuple[int, int]
    generation: int
    child_factor: Share
    coefficient_deviation: Positive
    coefficient_range: tuple[float, float]


class LongTerm(Sourced):
    """Single premiums, paid-up policies, top-ups, cooling-off."""

    single_premium: Share
    single_factor: Positive
    single_years: int
    paid_up: Share
    paid_up_after_years: int
    paid_up_years: int
    top_up: Share
    top_up_factor: Positive
    top_up_shape: Positive
    withdrawn: Share
    cooling_off_days: int


class Payment(Sourced):
    """When premiums are paid."""

    late: Share
    late_payers: Share
    late_payers_late: Share
    late_days: tuple[int, int]
    unpaid_grace_days: int
    unpaid: Share
    modes: Shares


class Season(Sourced):
    """Weight of each month in new business."""

    long_term: Months
    annual: Months


class Channel(Sourced):
    """Sales channels."""

    names: Words
    mix: Shares


class ClaimNumbers(Sourced):
    """What is alike for the claims of all products."""

    frailty_shape: Positive
    rejected: Share
    reporting_days: Positive
    settling_days: Positive
    claimed_over_paid: tuple[float, float]
    injury: Share
    fraud_factor: Positive


class PeopleNumbers(Sourced):
    """Age, income, identity."""

    age_mean: float
    age_deviation: float
    age_range: tuple[int, int]
    male: Share
    resident_id: Share
    email: Share
    shared_phone: Share
    compound_surname: Share
    two_character_given_name: Share
    income_median: Positive
    income_deviation: Positive
    income_peak_age: float
    income_peak_width: Positive
    income_by_age: Share
    income_known: Share
    asset_years_median: Positive
    asset_years_deviation: Positive
    assets_known: Share
    corporate_income_median: Positive
    fraud_suspicion: Share
    opinion_leader: Share
    credit_known: Share
    credit_mean: float
    credit_deviation: float
    credit_by_income: Share
    account_manager: Share
    account_managers_per_thousand: int
    merged_duplicates: Share
    merger_pending: Share


class Health(Sourced):
    """Health, lifestyle and what devices report."""

    smoker: tuple[Share, Share]
    heavy_drinker: tuple[Share, Share]
    lifestyle_known: Share
    grades: tuple[Share, Share, Share, Share, Share]
    grade_by_age: Share
    grade_known_without_cover: Share
    habit_score_known: Share
    habit_score: Spread
    driving_score_known: Share
    driving_score: Spread


class Occupation(Sourced):
    """Occupation classes."""

    classes: Words
    mix: Shares
    known: Share


class Stages(Sourced):
    """Stages of life by age: one row of ``mix`` from each age on."""

    stages: Words
    from_age: tuple[int, ...]
    mix: tuple[Shares, ...]
    known: Share


class Contacts(Sourced):
    """Interactions, surveys, service uses, referrals."""

    window_days: int
    mix: tuple[Share, Share, Share]
    means: tuple[float, float, float]
    most: int
    heavy_tail_shape: Positive
    faded: Share
    campaign_touch: float
    merger_notified_days: int
    kinds: Words
    kind_mix: Shares
    channels: Words
    channel_mix: tuple[Shares, ...]
    survey_answered: Share
    nps: Annotated[tuple[Share, ...], Field(min_length=11, max_length=11)]
    service_user: Share
    service_uses: Positive
    referrer: Share
    referrals: Positive
    referred_known: Share


class Consent(Sourced):
    """Share of customers who consent, by purpose."""

    none: Share
    personalisation: Share
    behaviour: Share
    health_data: Share
    lifestyle_data: Share
    credit_data: Share
    third_party: Share
    withdrawn: Share


class Checks(Sourced):
    """Third-party checks."""

    credit: Share
    medical: Share
    occupation: Share
    matches: Share
    matches_under_suspicion: Share
    within_days: int


class Uplift(Sourced):
    """The growth model's answers."""

    scored: Share
    mean: Positive
    shape: Positive
    floor: float
    rising_bonus: float


class Market(Sourced):
    """Average premiums per policyholder at the newest date."""

    yearly_growth: float
    years: int
    individual: dict[ProductLine | Literal["all"], Positive]
    corporate: dict[ProductLine | Literal["all"], Positive]


class Services(Sourced):
    """Add-on services by product."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Words]

    @property
    def by_product(self) -> dict[str, Words]:
        """Service codes by product code."""
        return self.__pydantic_extra__


class Proportions(Table):
    """All proportions of the demo book."""

    kind: Kind
    standing: StandingNumbers
    tenure: Tenure
    covers: dict[str, Cover]
    products: dict[str, Product]
    renewal: Renewal
    insured: InsuredNumbers
    long_term: LongTerm
    payment: Payment
    season: Season
    channel: Channel
    claims: ClaimNumbers
    people: PeopleNumbers
    health: Health
    occupation: Occupation
    career: Stages
    family: Stages
    contacts: Contacts
    consent: Consent
    checks: Checks
    uplift: Uplift
    market: Market
    services: Services

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> "Proportions":
        for code, product in self.products.items():
            if product.cover not in self.covers:
                raise ValueError(f"product {code}: there is no cover {product.cover!r}")
        if set(self.services.by_product) != set(self.products):
            raise ValueError("services must name exactly the products")
        for kind in CUSTOMER_KINDS:
            if abs(sum(c.first for c in self.covers.values() if c.kind == kind) - 1) > _TOLERANCE:
                raise ValueError(f"the shares `first` of {kind} covers must sum to 1")
        return self


@cache
def load_proportions() -> Proportions:
    """The proportions as shipped."""
    return load_table("proportions.toml", Proportions)
