"""Consents, third-party checks, merged duplicates and the growth model's answers."""

from datetime import date

import numpy as np
import pyarrow as pa

from app.demo import columns
from app.demo.days import NO_DAY, first_of_month, to_day
from app.demo.dice import Flags, running_number
from app.demo.ground import Ground, Topic
from app.demo.holdings import Holdings
from app.demo.people import People
from app.demo.relation import Relation
from app.demo.vocabulary import load_vocabulary
from app.domain.words import CHECK_KINDS, PURPOSES

_OF_PERSONAL_COVERS = ("health_data", "lifestyle_data")
_TEXT_VERSIONS = ("1.0", "2.0")
# The Personal Information Protection Law came into force.
_SECOND_TEXT_SINCE = to_day(date(2021, 11, 1))
_UPLIFT_BOUNDS = (-100, 300)
_GROWING = ("early", "rising")


def consent_columns(
    ground: Ground, people: People, holdings: Holdings, relation: Relation
) -> dict[str, pa.Array]:
    """Columns of `consents`: given with the first policy or soon after, sometimes withdrawn."""
    dice, numbers, size = ground.dice(Topic.CONSENTS), ground.proportions.consent, people.size
    personal = with_personal_cover(ground, people, holdings)
    shares = np.array([getattr(numbers, purpose) for purpose in PURPOSES])
    given = np.column_stack([dice.chance(share, size) for share in shares])
    given &= ~dice.chance(numbers.none, size)[:, None] & ~people.corporate[:, None]
    for purpose in _OF_PERSONAL_COVERS:
        given[:, PURPOSES.index(purpose)] &= personal
    customer, purpose_of = np.nonzero(given)
    rows = len(customer)
    given_on = np.minimum(relation.since[customer] + dice.between(0, 30, rows), ground.as_of)
    withdrawn = dice.chance(numbers.withdrawn, rows)
    withdrawn_on = dice.between(given_on, np.full(rows, ground.as_of), rows)
    return {
        "customer_id": columns.ascii_texts(columns.customer_ids(people.number[customer])),
        "purpose": columns.words(PURPOSES, purpose_of),
        "given_on": columns.dates(given_on),
        "basis": columns.words(["consent"], np.zeros(rows, dtype=np.int64)),
        "text_version": columns.words(
            _TEXT_VERSIONS, (given_on >= _SECOND_TEXT_SINCE).astype(np.int64)
        ),
        "withdrawn_on": columns.dates(np.where(withdrawn, withdrawn_on, NO_DAY)),
    }


def check_columns(
    ground: Ground, people: People, holdings: Holdings, relation: Relation
) -> dict[str, pa.Array]:
    """Columns of `external_checks`: what was declared against what a third party says."""
    dice, numbers, size = ground.dice(Topic.CHECKS), ground.proportions.checks, people.size
    personal = with_personal_cover(ground, people, holdings)
    person = ~people.corporate
    made = np.column_stack(
        [
            person & dice.chance(numbers.credit, size),
            personal & dice.chance(numbers.medical, size),
            person & dice.chance(numbers.occupation, size),
        ]
    )
    customer, kind = np.nonzero(made)
    rows = len(customer)
    oldest = np.maximum(relation.since[customer], ground.as_of - numbers.within_days)
    likely = np.where(people.suspected[customer], numbers.matches_under_suspicion, numbers.matches)
    matches = dice.chance(likely, rows)
    texts = load_vocabulary().checks
    lists = [texts[name] for name in CHECK_KINDS]
    lengths = np.array([len(found) for found in lists])
    offsets = (np.cumsum(lengths) - lengths)[kind]
    declared = dice.between(0, lengths[kind] - 1, rows)
    verified = np.where(matches, declared, (declared + 1) % lengths[kind])
    flat = [text for found in lists for text in found]
    checked_on = dice.between(oldest, np.full(rows, ground.as_of), rows)
    return {
        "check_no": columns.ascii_texts(
            columns.numbered("K", people.number[customer], running_number(customer) + 1)
        ),
        "customer_id": columns.ascii_texts(columns.customer_ids(people.number[customer])),
        "checked_on": columns.dates(checked_on),
        "kind": columns.words(CHECK_KINDS, kind),
        "matches": columns.flags(matches),
        "declared": columns.words(flat, offsets + declared),
        "verified": columns.words(flat, offsets + verified),
    }


def alias_columns(ground: Ground, people: People, relation: Relation) -> dict[str, pa.Array]:
    """Columns of `customer_aliases`: duplicates found and merged into the customer."""
    dice = ground.dice(Topic.ALIASES)
    merged = dice.chance(ground.proportions.people.merged_duplicates, people.size)
    customer = np.flatnonzero(merged)
    newest = np.full(len(customer), ground.as_of)
    return {
        "alias_id": columns.ascii_texts(columns.numbered("D", people.number[customer])),
        "customer_id": columns.ascii_texts(columns.customer_ids(people.number[customer])),
        "merged_on": columns.dates(dice.between(relation.since[customer], newest, len(customer))),
    }


def model_score_columns(ground: Ground, people: People) -> dict[str, pa.Array]:
    """Columns of `model_scores`: growth expected of some individuals; other models come later."""
    dice, numbers = ground.dice(Topic.MODELS), ground.proportions.uplift
    scored = np.flatnonzero(~people.corporate & dice.chance(numbers.scored, people.size))
    size = len(scored)
    growing = np.isin(
        people.career[scored], [ground.proportions.career.stages.index(s) for s in _GROWING]
    )
    expected = numbers.floor + dice.gamma(numbers.shape, numbers.mean, size)
    expected += np.where(growing, numbers.rising_bonus, 0.0)
    month = first_of_month(np.full(size, ground.as_of, dtype=np.int64))
    return {
        "customer_id": columns.ascii_texts(columns.customer_ids(people.number[scored])),
        "valid_from": columns.dates(month),
        "uplift_3y": columns.whole(np.clip(expected, *_UPLIFT_BOUNDS).astype(np.int64)),
        "clv": columns.nothing(size, columns.MONEY),
        "behaviour_cluster": columns.nothing(size, pa.string()),
    }


def with_personal_cover(ground: Ground, people: People, holdings: Holdings) -> Flags:
    """Customers with a policy on a person, held now or in the past."""
    personal = np.zeros(people.size, dtype=np.bool_)
    personal[holdings.customer[ground.table.persons[holdings.product]]] = True
    return personal
