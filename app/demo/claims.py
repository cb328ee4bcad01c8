"""Claims on the terms, as reported up to the day of the book."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from app.demo import columns
from app.demo.days import NO_DAY
from app.demo.dice import Dice, Flags, Ints, running_number, with_mean
from app.demo.ground import Ground, Topic
from app.demo.holdings import Ending, Holdings
from app.demo.people import People
from app.demo.policies import Policies, cents
from app.demo.terms import Terms

_YEAR = 365.25
_SILENT_SINCE = 370


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims of a chunk ordered by customer and day of loss; ``term`` is a position."""

    term: Ints
    occurred: Ints
    reported: Ints


def draw_claims(
    ground: Ground, people: People, holdings: Holdings, terms: Terms, silent: Flags
) -> Claims:
    """Losses on the terms in proportion to time in force and each customer's liability to them.

    Args:
        ground: what the draws stand on.
        people: the customers.
        holdings: the spells.
        terms: their policy years.
        silent: customers of whom nothing was heard in the last year.
    """
    dice, table, numbers = ground.dice(Topic.CLAIMS), ground.table, ground.proportions.claims
    frailty = dice.gamma(numbers.frailty_shape, 1.0, people.size)
    frailty = np.where(people.suspected, frailty * numbers.fraud_factor, frailty)
    frequency = np.array(
        [0.0 if item.long_term else item.claims.frequency for item in table.products]
    )
    customer = holdings.customer[terms.spell]
    end = np.where(terms.ended_on == NO_DAY, terms.end, terms.ended_on)
    last = np.minimum(end - 1, ground.as_of)
    exposed = np.maximum(last - terms.start + 1, 0)
    means = frequency[holdings.product[terms.spell]] * exposed / _YEAR * frailty[customer]
    fatal = np.flatnonzero(terms.ending == Ending.CLAIMED)
    term = np.concatenate([np.repeat(np.arange(terms.size), dice.counts(means)), fatal])
    occurred = np.minimum(dice.between(terms.start[term], last[term], len(term)), last[term])
    is_fatal = np.arange(len(term)) >= len(term) - len(fatal)
    occurred[is_fatal] = terms.ended_on[fatal]
    reported = occurred + dice.waiting_days(numbers.reporting_days, len(term))
    reported = np.where(is_fatal, np.minimum(reported, ground.as_of), reported)
    heard = is_fatal | (
        reported <= np.where(silent[customer[term]], ground.as_of - _SILENT_SINCE, ground.as_of)
    )
    order = np.lexsort((occurred, customer[term]))
    order = order[heard[order]]
    return Claims(term[order], occurred[order], reported[order])


def claim_columns(
    ground: Ground,
    people: People,
    holdings: Holdings,
    terms: Terms,
    policies: Policies,
    claims: Claims,
) -> dict[str, pa.Array]:
    """Columns of `claims`: reported ones settle in time or stay open."""
    dice, numbers = ground.dice(Topic.SETTLEMENTS), ground.proportions.claims
    size = len(claims.term)
    policy = policies.of_term[claims.term]
    customer = policies.customer[policy]
    product = holdings.product[terms.spell[claims.term]]
    rates = [item.claims for item in ground.table.products]
    mean = np.array([rate.mean for rate in rates])[product]
    deviation = np.array([rate.deviation for rate in rates])[product]
    settled_for = with_mean(mean, deviation, dice.normal(size))
    claimed = settled_for * dice.uniform(*numbers.claimed_over_paid, size)
    closed = claims.reported + dice.waiting_days(numbers.settling_days, size)
    open_still = closed > ground.as_of
    rejected = dice.chance(numbers.rejected, size)
    paid = np.where(rejected, 0, cents(settled_for))
    return {
        "claim_no": columns.ascii_texts(
            columns.numbered("L", people.number[customer], running_number(customer) + 1, 3)
        ),
        "policy_no": columns.ascii_texts(policies.numbers(people, policy)),
        "customer_id": columns.ascii_texts(columns.customer_ids(people.number[customer])),
        "occurred_on": columns.dates(claims.occurred),
        "reported_on": columns.dates(claims.reported),
        "claim_count": columns.whole(np.ones(size, dtype=np.int64)),
        "claimed": columns.money(cents(claimed)),
        "paid": columns.money(paid, ~open_still),
        "paid_on": columns.dates(np.where(open_still | rejected, NO_DAY, closed)),
        "closed_on": columns.dates(np.where(open_still, NO_DAY, closed)),
        "personal_injury": columns.flags(_injuries(dice, ground, product)),
    }


def _injuries(dice: Dice, ground: Ground, product: Ints) -> Flags:
    """Motor and liability claims in which a person was hurt; accident claims all are."""
    codes = ground.table.codes
    hurting = [item.line in {"motor", "liability"} for item in ground.table.products]
    share = np.where(hurting, ground.proportions.claims.injury, 0.0)
    share[codes.index("accident")] = 1.0
    return dice.chance(share[product], len(product))
