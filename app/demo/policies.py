"""Policies, their parties and their terms as records, with policy numbers in order of issue."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from app.demo import columns
from app.demo.days import NO_DAY, first_of_month
from app.demo.dice import Dice, Flags, Floats, Ints, running_number, with_mean
from app.demo.ground import Ground, Topic
from app.demo.holdings import RELATIONS, Holdings, Insured, PremiumKind
from app.demo.people import People, born_within
from app.demo.proportions import Payment
from app.demo.terms import Start, Terms, join
from app.domain.words import PAY_MODES, PREMIUM_KINDS, TERM_ENDS, TERM_STARTS

_ONCE, _NO_MODE = 4, 5
_POLICIES_PER_SPELL = 64


@dataclass(frozen=True, slots=True)
class Policies:
    """Policies of a chunk ordered by customer and day of issue.

    ``spell`` and ``customer`` are positions, ``running`` the number within the customer,
    ``of_term`` the position of each term's policy.
    """

    spell: Ints
    customer: Ints
    running: Ints
    issued: Ints
    of_term: Ints

    def numbers(self, people: People, picked: Ints | slice = slice(None)) -> columns.Glyphs:
        """Policy numbers, as P00000042-03, of the picked policies."""
        customers = people.number[self.customer[picked]]
        return columns.numbered("P", customers, self.running[picked])


def gather(holdings: Holdings, terms: Terms) -> Policies:
    """The policies the terms belong to."""
    keys, of_term = np.unique(terms.spell * _POLICIES_PER_SPELL + terms.policy, return_inverse=True)
    issued = np.full(len(keys), np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(issued, of_term, terms.start)
    spell = keys // _POLICIES_PER_SPELL
    customer = holdings.customer[spell]
    order = np.lexsort((spell, issued, customer))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return Policies(
        spell=spell[order],
        customer=customer[order],
        running=running_number(customer[order]) + 1,
        issued=issued[order],
        of_term=place[of_term],
    )


def with_top_ups(ground: Ground, holdings: Holdings, terms: Terms, silent: Flags) -> Terms:
    """The terms and some top-ups of life policies, paid in the running policy year."""
    dice, table = ground.dice(Topic.TOP_UPS), ground.table
    numbers = ground.proportions.long_term
    life = table.cover_of[holdings.product[terms.spell]] == table.life_cover
    running = life & (terms.back == 0) & (terms.ended_on == NO_DAY) & ~silent[terms.spell]
    regular = running & (terms.kind == PremiumKind.REGULAR) & (terms.start < ground.as_of)
    topped = terms.take(regular & dice.chance(numbers.top_up, terms.size))
    size = topped.size
    start = dice.between(topped.start + 1, np.full(size, ground.as_of, dtype=np.int64), size)
    factor = numbers.top_up_factor * dice.gamma(numbers.top_up_shape, 1.0, size)
    return join(
        [
            terms,
            replace(
                topped,
                start=start,
                end=start + (topped.end - topped.start),
                started=np.full(size, Start.NEW, dtype=np.int64),
                kind=np.full(size, PremiumKind.TOP_UP, dtype=np.int64),
                premium=topped.premium * factor,
                voluntary=np.ones(size, dtype=np.bool_),
            ),
        ]
    )


def policy_columns(
    ground: Ground, people: People, holdings: Holdings, policies: Policies, channel: Ints
) -> dict[str, pa.Array]:
    """Columns of `policies`; ``channel`` per spell."""
    dice, table = ground.dice(Topic.POLICIES), ground.table
    product = holdings.product[policies.spell]
    objects = [kind for item in table.products for kind in item.objects]
    counts = np.array([len(item.objects) for item in table.products])
    offsets = np.cumsum(counts) - counts
    has_object = counts[holdings.product] > 0
    picked = dice.between(0, np.maximum(counts[holdings.product] - 1, 0), holdings.size)
    object_of = np.where(has_object, offsets[holdings.product] + picked, 0)
    numbers = ground.proportions.insured
    drawn = with_mean(1.0, numbers.coefficient_deviation, dice.normal(holdings.size))
    coefficient = np.clip(drawn, *numbers.coefficient_range)
    cooling = policies.issued + ground.proportions.long_term.cooling_off_days
    return {
        "policy_no": columns.ascii_texts(policies.numbers(people)),
        "customer_id": columns.ascii_texts(columns.customer_ids(people.number[policies.customer])),
        "product_line": columns.words([item.line for item in table.products], product),
        "product": columns.words(table.codes, product),
        "issued_on": columns.dates(policies.issued),
        "cooling_off_until": columns.dates(np.where(table.long_term[product], cooling, NO_DAY)),
        "object_kind": columns.words(
            objects, object_of[policies.spell], has_object[policies.spell]
        ),
        "object_coefficient": columns.money(
            cents(coefficient)[policies.spell], has_object[policies.spell]
        ),
        "channel": columns.words(ground.proportions.channel.names, channel[policies.spell]),
    }


def party_columns(
    ground: Ground, people: People, holdings: Holdings, policies: Policies
) -> dict[str, pa.Array]:
    """Columns of `policy_parties`: whom a policy insures in place of the policyholder."""
    born = born_within(ground.dice(Topic.PARTIES), holdings.insured_age, ground.as_of)
    personal = np.flatnonzero(holdings.insured[policies.spell] != Insured.SELF)
    spell = policies.spell[personal]
    size = len(personal)
    return {
        "policy_no": columns.ascii_texts(policies.numbers(people, personal)),
        "party_no": columns.whole(np.ones(size, dtype=np.int64)),
        "role": columns.words(["insured"], np.zeros(size, dtype=np.int64)),
        "relation": columns.words(RELATIONS, holdings.insured[spell]),
        "birth_month": columns.dates(first_of_month(born)[spell]),
    }


def term_columns(
    ground: Ground, people: People, holdings: Holdings, terms: Terms, policies: Policies
) -> dict[str, pa.Array]:
    """Columns of `policy_terms`, ordered by policy and start."""
    dice, table, payment = ground.dice(Topic.PAYMENTS), ground.table, ground.proportions.payment
    modes = dice.pick(payment.modes, holdings.size)
    modes = np.where(table.long_term[holdings.product], modes, 0)[terms.spell]
    modes = np.where(terms.kind == PremiumKind.REGULAR, modes, _ONCE)
    modes = np.where(terms.kind == PremiumKind.PAID_UP, _NO_MODE, modes)
    late_payer = dice.chance(payment.late_payers, people.size)
    prepaid = np.array([item.line == "motor" for item in table.products])[holdings.product]
    due, paid = _payments(
        dice,
        payment,
        terms,
        late_payer[holdings.customer][terms.spell],
        prepaid[terms.spell] | (terms.started != Start.RENEWAL),
        ground.as_of,
    )
    order = np.lexsort((terms.kind, terms.start, policies.of_term))
    policy = policies.of_term[order]
    ended = (terms.ended_on != NO_DAY)[order]
    numbers = people.number[policies.customer[policy]]
    return {
        "policy_no": columns.ascii_texts(policies.numbers(people, policy)),
        "customer_id": columns.ascii_texts(columns.customer_ids(numbers)),
        "term_start": columns.dates(terms.start[order]),
        "premium_kind": columns.words(PREMIUM_KINDS, terms.kind[order]),
        "term_end": columns.dates(terms.end[order]),
        "premium": columns.money(cents(terms.premium)[order]),
        "pay_mode": columns.words(PAY_MODES, modes[order]),
        "started_as": columns.words(TERM_STARTS, terms.started[order]),
        "ended_on": columns.dates(terms.ended_on[order]),
        "ended_how": columns.words(TERM_ENDS, np.maximum(terms.ending[order], 0), ended),
        "voluntary": columns.flags(terms.voluntary[order]),
        "due_on": columns.dates(due[order]),
        "paid_on": columns.dates(paid[order]),
    }


def cents(amounts: Floats) -> Ints:
    """Minor units, rounded to the nearest."""
    return np.round(amounts * 100).astype(np.int64)


def _payments(
    dice: Dice, payment: Payment, terms: Terms, late_payer: Flags, at_start: Flags, as_of: int
) -> tuple[Ints, Ints]:
    """Days premiums fell due and were paid; NO_DAY where nothing is due or nothing paid yet."""
    size = terms.size
    due = np.where(terms.kind == PremiumKind.PAID_UP, NO_DAY, terms.start)
    likely = np.where(late_payer, payment.late_payers_late, payment.late)
    late = dice.chance(likely, size) & ~at_start
    delay = np.where(late, dice.between(*payment.late_days, size), 0)
    paid = np.where(due == NO_DAY, NO_DAY, due + delay)
    recent = ~at_start & (due > as_of - payment.unpaid_grace_days)
    unpaid = (recent & dice.chance(payment.unpaid, size)) | (paid > as_of)
    return due, np.where(unpaid, NO_DAY, paid)
