"""Interactions, surveys, uses of add-on services and referrals."""

import numpy as np
import pyarrow as pa

from app.demo import columns
from app.demo.days import YEAR_DAYS
from app.demo.dice import Dice, Flags, Floats, Ints, running_number
from app.demo.ground import Ground, Topic
from app.demo.holdings import Holdings, running_premium
from app.demo.people import People
from app.demo.policies import cents
from app.demo.proportions import Contacts
from app.demo.relation import Relation
from app.demo.vocabulary import load_vocabulary
from app.domain.words import INITIATORS

_LEAD_DAYS = 3
_FADED_DAYS = 90
_SPOKEN_WITHIN = 330
_REFERRAL_YEARS = 3
_SILENT_SINCE = YEAR_DAYS + 5


def interaction_columns(ground: Ground, people: People, relation: Relation) -> dict[str, pa.Array]:
    """Columns of `interactions` within the window, ordered by customer and day."""
    dice, numbers = ground.dice(Topic.INTERACTIONS), ground.proportions.contacts
    customer, day, kind = _own(dice, numbers, relation, ground.as_of)
    touched = dice.counts(np.full(people.size, numbers.campaign_touch) * ~relation.lapsed)
    target = np.repeat(np.arange(people.size), touched)
    sent = ground.as_of - dice.between(0, numbers.window_days, len(target))
    merging = np.flatnonzero(
        people.corporate
        & ~relation.lapsed
        & dice.chance(ground.proportions.people.merger_pending, people.size)
    )
    notified = ground.as_of - dice.between(0, numbers.merger_notified_days, len(merging))
    customer = np.concatenate([customer, target, merging])
    day = np.concatenate([day, sent, notified])
    campaign, enquiry = len(numbers.kinds), numbers.kinds.index("enquiry")
    kind = np.concatenate([kind, np.full(len(target), campaign), np.full(len(merging), enquiry)])
    pending = np.arange(len(customer)) >= len(customer) - len(merging)
    order = np.flatnonzero(day >= relation.since[customer] - _LEAD_DAYS)
    order = order[np.lexsort((kind[order], day[order], customer[order]))]
    customer, kind, pending = customer[order], kind[order], pending[order]
    channel = dice.pick_by(numbers.channel_mix, kind)
    return {
        "interaction_no": columns.ascii_texts(
            columns.numbered("I", people.number[customer], running_number(customer) + 1, 4)
        ),
        "customer_id": columns.ascii_texts(columns.customer_ids(people.number[customer])),
        "occurred_on": columns.dates(day[order]),
        "channel": columns.words(numbers.channels, channel),
        "kind": columns.words([*numbers.kinds, "campaign_touch"], kind),
        "topic": _topics(dice, numbers, kind, pending),
        "initiated_by": columns.words(INITIATORS, (kind == campaign).astype(np.int64)),
    }


def _own(dice: Dice, numbers: Contacts, relation: Relation, as_of: int) -> tuple[Ints, Ints, Ints]:
    """Customer, day and kind of the contacts customers began: few make most of them."""
    size, active = relation.size, len(numbers.mix) - 1
    liveliness = dice.pick(numbers.mix, size)
    means = np.asarray(numbers.means)[liveliness]
    tail = dice.gamma(numbers.heavy_tail_shape, 1.0, size)
    counts = dice.counts(np.where(liveliness == active, means * tail, means))
    counts = np.minimum(counts, numbers.most)
    must = relation.must_be_heard
    counts = np.maximum(counts, must)
    customer = np.repeat(np.arange(size), counts)
    faded = dice.chance(numbers.faded / numbers.mix[active], size) & (liveliness == active) & ~must
    first = np.where(faded, _FADED_DAYS, np.where(relation.silent, _SILENT_SINCE, 0))
    last = np.where(must, _SPOKEN_WITHIN, numbers.window_days)
    newest = np.minimum(as_of - first, relation.until)[customer]
    oldest = np.maximum(as_of - last[customer], relation.since[customer] - _LEAD_DAYS)
    room = newest >= oldest
    customer, oldest, newest = customer[room], oldest[room], newest[room]
    day = dice.between(oldest, newest, len(customer))
    kind = dice.pick(numbers.kind_mix, len(customer))
    complaint, enquiry = numbers.kinds.index("complaint"), numbers.kinds.index("enquiry")
    return customer, day, np.where(must[customer] & (kind == complaint), enquiry, kind)


def _topics(dice: Dice, numbers: Contacts, kind: Ints, pending: Flags) -> pa.Array:
    """A topic for each contact that has one; corporates that merge say so."""
    topics = load_vocabulary().topics
    texts = ["merger_pending"]
    chosen = np.zeros(len(kind), dtype=np.int64)
    present = pending.copy()
    for place, name in enumerate((*numbers.kinds, "campaign_touch")):
        if name not in topics:
            continue
        mine = (kind == place) & ~pending
        picked = dice.between(0, len(topics[name]) - 1, len(kind))
        chosen = np.where(mine, len(texts) + picked, chosen)
        present |= mine
        texts += topics[name]
    return columns.words(texts, chosen, present)


def survey_columns(ground: Ground, people: People, relation: Relation) -> dict[str, pa.Array]:
    """Columns of `surveys`: some customers answered once in the window."""
    dice, numbers = ground.dice(Topic.SURVEYS), ground.proportions.contacts
    answers = dice.chance(numbers.survey_answered, people.size) & ~relation.silent
    customer = np.flatnonzero(answers)
    oldest = np.maximum(ground.as_of - numbers.window_days, relation.since[customer])
    newest = np.maximum(relation.until[customer], oldest)
    day = dice.between(oldest, newest, len(customer))
    seen = day <= ground.as_of
    customer = customer[seen]
    return {
        "survey_no": columns.ascii_texts(columns.numbered("S", people.number[customer])),
        "customer_id": columns.ascii_texts(columns.customer_ids(people.number[customer])),
        "answered_on": columns.dates(day[seen]),
        "nps": columns.whole(dice.pick(numbers.nps, len(customer))),
    }


def service_use_columns(
    ground: Ground, people: People, holdings: Holdings, relation: Relation
) -> dict[str, pa.Array]:
    """Columns of `service_uses`: add-on services used by those entitled to them."""
    dice, numbers = ground.dice(Topic.SERVICES), ground.proportions.contacts
    table = ground.proportions.services.by_product
    services = sorted({code for codes in table.values() for code in codes})
    user = dice.chance(numbers.service_user, people.size) & ~relation.silent & ~relation.lapsed
    spells = np.flatnonzero(holdings.in_force & user[holdings.customer])
    per_spell: Floats = numbers.service_uses / np.maximum(
        np.bincount(holdings.customer[spells], minlength=people.size), 1
    )
    uses = dice.counts(per_spell[holdings.customer[spells]])
    spell = np.repeat(spells, uses)
    entitled = [[services.index(code) for code in table[name]] for name in ground.table.codes]
    offered = np.array([len(codes) for codes in entitled])[holdings.product[spell]]
    widest = max(map(len, entitled))
    grid = np.array([codes + [0] * (widest - len(codes)) for codes in entitled])
    service = grid[holdings.product[spell], dice.between(0, offered - 1, len(spell))]
    oldest = np.maximum(ground.as_of - numbers.window_days, holdings.start[spell])
    day = dice.between(oldest, np.full(len(spell), ground.as_of), len(spell))
    customer = holdings.customer[spell]
    order = np.lexsort((day, customer))
    customer = customer[order]
    return {
        "use_no": columns.ascii_texts(
            columns.numbered("U", people.number[customer], running_number(customer) + 1, 3)
        ),
        "customer_id": columns.ascii_texts(columns.customer_ids(people.number[customer])),
        "service_code": columns.words(services, service[order]),
        "used_on": columns.dates(day[order]),
    }


def referral_columns(
    ground: Ground, people: People, holdings: Holdings, relation: Relation
) -> dict[str, pa.Array]:
    """Columns of `referrals`: who brought a later customer, and what that one pays a year."""
    dice, numbers = ground.dice(Topic.REFERRALS), ground.proportions.contacts
    newest = ground.as_of - _REFERRAL_YEARS * YEAR_DAYS
    refers = dice.chance(numbers.referrer, people.size) & ~relation.silent & ~relation.lapsed
    counts = np.where(refers, 1 + dice.counts(np.full(people.size, numbers.referrals - 1)), 0)
    newcomers = np.flatnonzero((relation.since > newest) & ~people.corporate)
    brought = newcomers[np.argsort(dice.uniform(0.0, 1.0, len(newcomers)))][: int(counts.sum())]
    customer = np.repeat(np.arange(people.size), counts)[: len(brought)]
    fits = relation.since[customer] < relation.since[brought]
    customer, brought = customer[fits], brought[fits]
    premium = running_premium(holdings, people.size)
    return {
        "referral_no": columns.ascii_texts(
            columns.numbered("R", people.number[customer], running_number(customer) + 1)
        ),
        "customer_id": columns.ascii_texts(columns.customer_ids(people.number[customer])),
        "referred_customer_id": columns.ascii_texts(
            columns.customer_ids(people.number[brought]),
            dice.chance(numbers.referred_known, len(brought)),
        ),
        "succeeded_on": columns.dates(relation.since[brought]),
        "annual_premium": columns.money(cents(premium[brought])),
    }
