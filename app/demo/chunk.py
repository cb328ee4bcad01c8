"""All records of one chunk of customers."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from app.demo.claims import claim_columns, draw_claims
from app.demo.contacts import (
    interaction_columns,
    referral_columns,
    service_use_columns,
    survey_columns,
)
from app.demo.declarations import (
    alias_columns,
    check_columns,
    consent_columns,
    model_score_columns,
)
from app.demo.ground import Ground
from app.demo.holdings import draw_holdings, join
from app.demo.past import draw_past
from app.demo.people import draw_people
from app.demo.policies import (
    gather,
    party_columns,
    policy_columns,
    term_columns,
    with_top_ups,
)
from app.demo.register import customer_columns, draw_channels
from app.demo.relation import draw_silence, relate
from app.demo.standing import draw_standing
from app.demo.terms import unroll


def chunk_columns(ground: Ground, first: int, size: int) -> Mapping[str, dict[str, pa.Array]]:
    """Columns by record type for the customers numbered from ``first`` on."""
    people = draw_people(ground, np.arange(first, first + size, dtype=np.int64))
    standing = draw_standing(ground, people)
    held = draw_holdings(ground, people, standing)
    silent = draw_silence(ground, people, standing, held)
    spells = join([held, draw_past(ground, people, standing, held)])
    quiet = silent[spells.customer]
    unrolled = unroll(ground, spells, quiet, people.of_age[spells.customer])
    terms = with_top_ups(ground, spells, unrolled, quiet)
    policies = gather(spells, terms)
    relation = relate(ground, standing, spells, terms, silent)
    channel = draw_channels(ground, spells)
    claims = draw_claims(ground, people, spells, terms, silent)
    return {
        "customers": customer_columns(ground, people, spells, relation, channel),
        "customer_aliases": alias_columns(ground, people, relation),
        "consents": consent_columns(ground, people, spells, relation),
        "policies": policy_columns(ground, people, spells, policies, channel),
        "policy_parties": party_columns(ground, people, spells, policies),
        "policy_terms": term_columns(ground, people, spells, terms, policies),
        "claims": claim_columns(ground, people, spells, terms, policies, claims),
        "service_uses": service_use_columns(ground, people, spells, relation),
        "referrals": referral_columns(ground, people, spells, relation),
        "interactions": interaction_columns(ground, people, relation),
        "surveys": survey_columns(ground, people, relation),
        "external_checks": check_columns(ground, people, spells, relation),
        "model_scores": model_score_columns(ground, people),
    }
