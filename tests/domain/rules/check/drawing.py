"""Random rule sets for the checker, built as documents' own objects: thousands in a few seconds.

Two tables over facts of every kind, the second one reading scores and the first one's output as
well. Half of the tables are cut out of the whole space, so that they are nearly complete and
nearly free of overlaps; the other half are rows at random.
"""

from collections.abc import Mapping, Sequence
from random import Random

from app.domain.facts.model import Fact
from app.domain.rules.cell_sets import Cell, complement, everything, intersection, union
from app.domain.rules.domains import SCORE_DOMAIN, Domain, domain_of, output_domain
from app.domain.rules.model import (
    Bin,
    Characteristic,
    DowngradeStep,
    HitPolicy,
    Output,
    ReasonText,
    Rule,
    RuleSetDocument,
    Stability,
    Table,
    Text,
    Trend,
)
from tests.domain.rules.samples import fact

CATALOGUE: Mapping[str, Fact] = {
    item.name: item
    for item in (
        fact("small", "int", minimum=-2, maximum=4),
        fact("count", "int", minimum=0, maximum=6, nullable=False),
        fact("ratio", "decimal", scale=2, minimum=0, maximum=7),
        fact("day", "date", minimum=730_000, maximum=730_006),
        fact("since", "date", minimum=730_000, maximum=730_003, nullable=False),
        fact("grade", "enum", values=("A", "B", "C")),
        fact("line", "enum", values=("motor", "life"), nullable=False),
        fact("flag", "bool"),
        fact("sure", "bool", nullable=False),
        fact("text", "string"),
        fact("city", "string", nullable=False),
    )
}
WORDS = ("x", "y", "z w")
ANSWERS = ("a", "b", "c")
_NOTHING = Text("-", "-")


def document(chance: Random) -> RuleSetDocument:
    """Draw a rule set; whether its tables keep what they claim is left to chance."""
    characteristics = tuple(_characteristic(chance, at) for at in range(chance.randint(1, 3)))
    dimensions = list(dict.fromkeys(item.dimension for item in characteristics))
    weight = chance.randrange(0, 1001, 50) if len(dimensions) > 1 else 1000
    weights = dict(zip(dimensions, (weight, 1000 - weight), strict=False))
    known = {name: domain_of(item) for name, item in CATALOGUE.items()}
    first = _table(chance, "first", dict(chance.sample(sorted(known.items(), key=_name), 2)))
    derived = {"score": SCORE_DOMAIN}
    derived |= {f"dimension.{name}": SCORE_DOMAIN for name in dimensions}
    if first.hit_policy is not HitPolicy.COLLECT:
        derived["first"] = output_domain(first.output.values, complete=first.complete)
    inputs = dict(chance.sample(sorted(known.items(), key=_name), chance.randint(0, 2)))
    inputs |= dict(chance.sample(sorted(derived.items(), key=_name), chance.randint(1, 2)))
    tables = first, _table(chance, "second", inputs)
    return RuleSetDocument(
        id="random",
        product_line="all",
        title=_NOTHING,
        objective="only",
        objectives={"only": weights},
        top_reasons=1,
        characteristics=characteristics,
        tables=tables,
        stability=Stability(0, DowngradeStep.ANY, 0, 0),
        tests=(),
        domains=known,
    )


def _name(item: tuple[str, Domain]) -> str:
    return item[0]


def cell(chance: Random, domain: Domain, literals: Sequence[int] = ()) -> Cell:
    """Draw a cell that holds something."""
    drawn = Cell(has_null=False)
    while drawn.is_empty:
        drawn = _terms(chance, domain, literals)
        if chance.random() < 0.2:
            drawn = complement(domain, drawn)
        if domain.nullable and chance.random() < 0.3:
            drawn = union(domain, drawn, Cell(has_null=True))
    return drawn


def _terms(chance: Random, domain: Domain, literals: Sequence[int]) -> Cell:
    if not domain.is_ordered:
        words = domain.words or WORDS
        found = Cell(has_null=False, words=tuple(w for w in words if chance.random() < 0.5))
        negated = domain.is_open and chance.random() < 0.3
        return complement(domain, found) if negated else found
    found = Cell(has_null=False)
    for _ in range(chance.choice((1, 1, 2))):
        ends = [_value(chance, domain, literals), _value(chance, domain, literals)]
        low, high = sorted(ends)
        low, high = chance.choice(((low, high), (domain.low, high), (low, domain.high)))
        found = union(domain, found, Cell(has_null=False, spans=((low, high),)))
    return found


def _value(chance: Random, domain: Domain, literals: Sequence[int]) -> int:
    return chance.choice(literals) if literals else chance.randint(domain.low, domain.high)


def _characteristic(chance: Random, at: int) -> Characteristic:
    # Few facts, so that several characteristics often read the same one.
    name = chance.choice(("small", "grade", "flag", "text"))
    domain = domain_of(CATALOGUE[name])
    rest = everything(domain)
    # Sums over a thousand are scaled down, those under it up.
    unit = chance.choice((1, 1, 37))
    bins = []
    for _ in range(chance.randint(0, 2)):
        taken = _shared(domain, rest, cell(chance, domain))
        if not taken.is_empty:
            bins.append(Bin(taken, unit * chance.randrange(-20, 100)))
            rest = _left(domain, rest, taken)
    if not rest.is_empty:
        bins.append(Bin(rest, unit * chance.randrange(-20, 100)))
    trend = chance.choice(list(Trend))
    reason = ReasonText(f"C{at:02d}", _NOTHING)
    return Characteristic(
        f"c{at}", chance.choice(("value", "risk")), name, trend, reason, tuple(bins)
    )


def _shared(domain: Domain, left: Cell, right: Cell) -> Cell:
    return intersection(domain, left, right)


def _left(domain: Domain, whole: Cell, taken: Cell) -> Cell:
    """Return the whole without what is taken, null included."""
    values = intersection(domain, whole, complement(domain, taken))
    null = whole.has_null and not taken.has_null
    return Cell(null, values.spans, values.words, values.others)


def _table(chance: Random, name: str, domains: Mapping[str, Domain]) -> Table:
    policy = chance.choice(list(HitPolicy))
    cut = chance.random() < 0.5
    whens = _pieces(chance, domains) if cut else _rows(chance, domains)
    rules = tuple(
        Rule(f"R{at}", _written(when, domains), chance.choice(ANSWERS))
        for at, when in enumerate(whens)
    )
    return Table(
        id=name,
        output=Output(name, ANSWERS),
        hit_policy=policy,
        complete=chance.random() < 0.5,
        inputs=tuple(domains),
        domains=dict(domains),
        rules=rules,
    )


def _written(when: Mapping[str, Cell], domains: Mapping[str, Domain]) -> dict[str, Cell]:
    return {name: cell_ for name, cell_ in when.items() if cell_ != everything(domains[name])}


def _rows(chance: Random, domains: Mapping[str, Domain]) -> list[dict[str, Cell]]:
    return [
        {
            name: cell(chance, domain, _literals(domain))
            for name, domain in domains.items()
            if chance.random() < 0.6
        }
        for _ in range(chance.randint(1, 6))
    ]


def _literals(domain: Domain) -> Sequence[int]:
    """Return few scores: those that few bins reach are otherwise never hit."""
    return (0, 1, 250, 499, 500, 501, 750, 999, 1000) if domain is SCORE_DOMAIN else ()


def _pieces(chance: Random, domains: Mapping[str, Domain]) -> list[dict[str, Cell]]:
    """Cut the space into pieces, and now and then lose or widen one of them."""
    pieces = [{name: everything(domain) for name, domain in domains.items()}]
    for _ in range(chance.randint(1, 6)):
        piece = pieces.pop(chance.randrange(len(pieces)))
        name = chance.choice(list(domains))
        inside = _shared(domains[name], piece[name], cell(chance, domains[name]))
        outside = _left(domains[name], piece[name], inside)
        halves = [half for half in (inside, outside) if not half.is_empty]
        pieces += [{**piece, name: half} for half in halves]
    chance.shuffle(pieces)
    if len(pieces) > 1 and chance.random() < 0.3:
        pieces.pop()
    if chance.random() < 0.2:
        pieces[0].pop(chance.choice(list(domains)))
    return pieces
