"""The customer register: identities and contact data of people and companies made up."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.demo import columns, identity
from app.demo.attributes import attribute_columns
from app.demo.days import NO_DAY
from app.demo.dice import Dice, Flags, Ints
from app.demo.ground import Ground, Topic
from app.demo.holdings import Holdings, running_premium
from app.demo.people import People
from app.demo.relation import Relation
from app.demo.vocabulary import load_vocabulary
from app.domain.words import CUSTOMER_KINDS

_GENDERS = ("female", "male")
_ID_TYPES = ("resident_id", "passport", "permit")
_FLATTENING = 5.0  # without it the first surnames of the list would be more frequent than they are


def draw_channels(ground: Ground, holdings: Holdings) -> Ints:
    """The channel each spell was sold through, by product."""
    mixes = [item.channels for item in ground.table.products]
    return ground.dice(Topic.CHANNELS).pick_by(mixes, holdings.product)


def customer_columns(
    ground: Ground, people: People, holdings: Holdings, relation: Relation, channel: Ints
) -> dict[str, pa.Array]:
    """Columns of `customers`; ``channel`` per spell, the customer came through the first one's."""
    size, person = people.size, ~people.corporate
    dice, numbers = ground.dice(Topic.REGISTER), ground.proportions.people
    vocabulary = load_vocabulary()
    through = np.zeros(size, dtype=np.int64)
    through[holdings.customer[holdings.first]] = channel[holdings.first]
    telephone = identity.mobile_numbers(vocabulary.identity, people.number - people.shares_phone)
    credit_code = identity.credit_codes(vocabulary.identity, people.number)
    has_mail = dice.chance(numbers.email, size) | people.corporate
    income_known = person & dice.chance(numbers.income_known, size)
    assets_known = person & dice.chance(numbers.assets_known, size)
    return {
        "customer_id": columns.ascii_texts(columns.customer_ids(people.number)),
        "kind": columns.words(CUSTOMER_KINDS, people.corporate.astype(np.int64)),
        "name": _names(dice, ground, people),
        "phone": columns.ascii_texts(telephone),
        "email": _emails(people, has_mail),
        **_documents(dice, ground, people),
        "birth_date": columns.dates(np.where(person, people.birth, NO_DAY)),
        "gender": columns.words(_GENDERS, people.male.astype(np.int64), person),
        "city": columns.words(vocabulary.cities.names, people.city),
        "credit_code": columns.ascii_texts(credit_code, people.corporate),
        "account_manager": _account_managers(dice, ground, people, holdings),
        "income": columns.money(people.income, income_known),
        "assets": columns.money(people.assets, assets_known),
        "channel": columns.words(ground.proportions.channel.names, through),
        **attribute_columns(ground, people, holdings),
        "valid_from": columns.dates(relation.since),
    }


def _names(dice: Dice, ground: Ground, people: People) -> pa.Array:
    """Chinese names of people, names with the demonstration mark of companies."""
    size, words, parts = people.size, load_vocabulary().names, load_vocabulary().companies
    numbers = ground.proportions.people
    ranks = np.arange(len(words.surnames), dtype=np.float64)
    common = columns.words(list(words.surnames), dice.pick(1 / (ranks + _FLATTENING), size))
    compound = columns.words(
        words.compound_surnames, dice.between(0, len(words.compound_surnames) - 1, size)
    )
    surname = pc.if_else(pa.array(dice.chance(numbers.compound_surname, size)), compound, common)
    given = [_given(dice, words.male, words.female, people.male) for _ in range(2)]
    double = pa.array(dice.chance(numbers.two_character_given_name, size))
    second = pc.if_else(double, given[1], pa.scalar(""))
    person = pc.binary_join_element_wise(surname, given[0], second, "")
    named = [
        columns.words(texts, dice.between(0, len(texts) - 1, size))
        for texts in (parts.places, parts.words, parts.trades, parts.forms)
    ]
    company = pc.binary_join_element_wise(*named, pa.scalar(parts.mark), "")
    return pc.if_else(pa.array(people.corporate), company, person)


def _given(dice: Dice, male_characters: str, female_characters: str, male: Flags) -> pa.Array:
    his = columns.words(list(male_characters), dice.between(0, len(male_characters) - 1, len(male)))
    hers = columns.words(
        list(female_characters), dice.between(0, len(female_characters) - 1, len(male))
    )
    return pc.if_else(pa.array(male), his, hers)


def _emails(people: People, present: Flags) -> pa.Array:
    """Addresses at the domain reserved for examples."""
    domain = load_vocabulary().identity.mail_domain
    local = np.hstack(
        [columns.numbered("c", people.number), columns.constant(f"@{domain}", people.size)]
    )
    return columns.ascii_texts(local, present)


def _documents(dice: Dice, ground: Ground, people: People) -> dict[str, pa.Array]:
    """Which document a person showed, and its number."""
    size, person = people.size, ~people.corporate
    resident = dice.chance(ground.proportions.people.resident_id, size)
    kind = np.where(resident, 0, dice.between(1, 2, size))
    vocabulary = load_vocabulary().identity
    numbers = identity.resident_ids(vocabulary, people.birth, people.male, people.number)
    travel = identity.travel_documents(people.number)
    return {
        "id_type": columns.words(_ID_TYPES, kind, person),
        "id_no": pc.if_else(
            pa.array(resident),
            columns.ascii_texts(numbers, person),
            columns.ascii_texts(travel, person),
        ),
    }


def _account_managers(dice: Dice, ground: Ground, people: People, holdings: Holdings) -> pa.Array:
    """Account managers, of corporates and the individuals who pay most; each chunk has its own."""
    numbers, size = ground.proportions.people, people.size
    premium = running_premium(holdings, size)
    enough = np.quantile(premium, 1 - numbers.account_manager) if size else 0.0
    managers = max(1, size * numbers.account_managers_per_thousand // 1000)
    which = ground.chunk * managers + dice.between(0, managers - 1, size)
    names = np.hstack([columns.constant("am-", size), columns.digits(which, 5)])
    return columns.ascii_texts(names, people.corporate | (premium >= enough))
