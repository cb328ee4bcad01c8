"""What all draws of one chunk stand on: the proportions, the day, and a stream per topic."""

from dataclasses import dataclass
from enum import IntEnum

from app.demo.dice import Dice
from app.demo.products import ProductTable
from app.demo.proportions import Proportions


class Topic(IntEnum):
    """Streams of draws; a number, once used, keeps its meaning."""

    PEOPLE = 1
    STANDING = 2
    HOLDINGS = 3
    PAST = 4
    SILENCE = 5
    TERMS = 6
    TOP_UPS = 7
    POLICIES = 8
    PARTIES = 9
    PAYMENTS = 10
    CLAIMS = 11
    SETTLEMENTS = 12
    INTERACTIONS = 13
    SURVEYS = 14
    SERVICES = 15
    REFERRALS = 16
    CONSENTS = 17
    CHECKS = 18
    REGISTER = 19
    ALIASES = 20
    MODELS = 21
    ATTRIBUTES = 22
    CHANNELS = 23


@dataclass(frozen=True, slots=True)
class Ground:
    """One chunk of one book; ``as_of`` is a day number."""

    proportions: Proportions
    table: ProductTable
    seed: int
    chunk: int
    as_of: int

    def dice(self, topic: Topic) -> Dice:
        """The stream of a topic in this chunk, from its beginning."""
        return Dice(self.seed, self.chunk, topic)
