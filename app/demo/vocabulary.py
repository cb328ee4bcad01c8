"""The words and number ranges made-up people and companies are built from."""

from functools import cache

from app.demo.tables import Table, Weights, Words, load_table


class Identity(Table):
    """Number ranges that belong to nobody."""

    unassigned_provinces: Words
    unassigned_mobile: Words
    credit_code_authority: str
    mail_domain: str


class Names(Table):
    """Surnames by frequency and characters of given names."""

    surnames: str
    compound_surnames: Words
    male: str
    female: str


class Cities(Table):
    """Cities by weight."""

    names: Words
    weights: Weights


class Occupations(Table):
    """Occupation titles by class."""

    low: Words
    medium: Words
    high: Words
    student: str
    retired: str


class Companies(Table):
    """Parts of company names."""

    places: Words
    words: Words
    trades: Words
    forms: Words
    mark: str


class Vocabulary(Table):
    """Words the made-up people and companies are built from."""

    identity: Identity
    names: Names
    cities: Cities
    occupations: Occupations
    companies: Companies
    checks: dict[str, Words]
    topics: dict[str, Words]


@cache
def load_vocabulary() -> Vocabulary:
    """The vocabulary as shipped."""
    return load_table("vocabulary.toml", Vocabulary)
