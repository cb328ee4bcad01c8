"""Random rule-set documents, and random customers for them.

A strategy is made once: Hypothesis looks each new one through before it draws from it, which took
longer than drawing. Only what depends on earlier draws is made while something is drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from hypothesis import strategies as st

from app.domain.facts.model import Fact, FactType
from app.domain.rules import DocumentError, Limits, compile_rule_set, parse_document
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.words import MANDATORY_OUTPUTS
from tests.domain.rules.samples import fact
from tests.parity import naive_rules

Raw = dict[str, Any]

CATALOGUE: Mapping[str, Fact] = {
    item.name: item
    for item in (
        fact("small", "int", minimum=-2, maximum=6, influenceable=True),
        fact("count", "int", minimum=0, maximum=40, nullable=False, influenceable=True),
        fact("ratio", "decimal", scale=2, minimum=-100, maximum=500, influenceable=True),
        fact("wide", "int", influenceable=True),
        fact("grade", "enum", values=("A", "B", "C", "true"), influenceable=True),
        fact("line", "enum", values=("motor", "life"), nullable=False),
        fact("flag", "bool", influenceable=True),
        fact("sure", "bool", nullable=False, influenceable=True),
        fact("text", "string"),
        fact("city", "string", nullable=False),
        fact("day", "date", minimum=730_000, maximum=740_000, influenceable=True),
        fact("ever", "date"),
    )
}
OUTPUTS = tuple(MANDATORY_OUTPUTS)
#: Few, so that rows often agree and often do not.
ANSWERS = {"care": ("a", "b", "c"), **{name: MANDATORY_OUTPUTS[name][:3] for name in OUTPUTS}}
WORDS = ("x", "y", "z w", "not")

_SOMETIMES = st.booleans()
_ITEMS = st.sampled_from(list(CATALOGUE.values()))
_POINTS = st.integers(-30, 100)
_DIMENSIONS = st.sampled_from(("value", "risk"))
_POLICIES = st.sampled_from(("unique", "any", "first", "priority", "collect"))
_FACTS = st.lists(st.sampled_from(list(CATALOGUE)), min_size=1, max_size=2, unique=True)
_FEW = st.integers(1, 5)
_UP_TO_FOUR = st.integers(1, 4)
_UP_TO_TWELVE = st.integers(1, 12)
_WEIGHTS = st.integers(0, 1000)
_ORDERS = st.permutations(("care", *OUTPUTS))
_THENS = {name: st.sampled_from(answers) for name, answers in ANSWERS.items()}


@dataclass(frozen=True)
class Case:
    """A raw document, compiled twice: with dense arrays and with bitmasks."""

    raw: Raw
    dense: CompiledRuleSet
    masked: CompiledRuleSet


@cache
def _number(item: Fact, *, above: int = 0) -> st.SearchStrategy[str]:
    """Return literals of an ordered fact, ``above`` its smallest value by so much."""
    low, high = (-50, 50) if item.minimum is None else (item.minimum, item.maximum or 0)
    if item.type is FactType.DATE:
        low, high = (730_000, 740_000) if item.minimum is None else (low, high)
        days = st.integers(low + above, high).map(date.fromordinal)
        return days.map(lambda day: f"date({day.isoformat()})")
    numbers = st.integers(low + above, high)
    if not item.scale:
        return numbers.map(str)
    return numbers.map(lambda number: f"{number / 100:.2f}")


@cache
def _word(item: Fact) -> st.SearchStrategy[str]:
    if item.type is FactType.BOOL:
        return st.sampled_from(("true", "false"))
    words = item.values or WORDS
    bare = [word for word in words if word not in ("true", "not", "z w")]
    return st.sampled_from([*(f'"{word}"' for word in words), *bare])


@cache
def terms(item: Fact) -> st.SearchStrategy[str]:
    """Return single terms of cells over a fact; some match nothing."""
    literal = _word(item)
    shapes = [literal]
    if item.type in (FactType.INT, FactType.DECIMAL, FactType.DATE):
        literal = _number(item)
        order = st.sampled_from(("<", "<=", ">", ">=", "< ", ">=  "))
        brackets = st.tuples(st.sampled_from("[("), literal, literal, st.sampled_from("])"))
        shapes = [
            literal,
            st.tuples(order, literal).map("".join),
            brackets.map(lambda b: f"{b[0]}{b[1]}..{b[2]}{b[3]}"),
        ]
    simple = st.one_of(*shapes, st.just("null"))
    return st.one_of(simple, simple, st.lists(simple, min_size=1, max_size=2).map(_negated))


def _negated(inner: list[str]) -> str:
    return f"not({', '.join(inner)})"


@cache
def cells(item: Fact) -> st.SearchStrategy[str]:
    """Return cells over a fact, as text; some match nothing, which reading refuses."""
    joined = st.lists(terms(item), min_size=1, max_size=3).map(", ".join)
    return st.one_of(joined, joined, joined, st.just("-"))


def _readable(raw: Raw) -> list[str]:
    """Return the paths of the document that cannot be read."""
    try:
        parse_document(raw, CATALOGUE)
    except DocumentError as error:
        return [finding.path for finding in error.findings]
    return []


@cache
def _before(end: int) -> st.SearchStrategy[int]:
    return st.integers(1, end - 1)


@cache
def _bins_of(item: Fact) -> st.SearchStrategy[list[Raw]]:
    return _bins(item)


@cache
def _one_of(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


@cache
def _some_of(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(_one_of(values), max_size=2, unique=True)


@cache
def _table_of(
    name: str, earlier: tuple[str, ...], dimensions: tuple[str, ...]
) -> st.SearchStrategy[Raw]:
    return _table(name, earlier, dimensions)


@cache
def _characteristic_at(at: int) -> st.SearchStrategy[Raw]:
    return _characteristic(at)


@st.composite
def _bins(draw: st.DrawFn, item: Fact) -> list[Raw]:
    """Cut the fact's domain into bins that cover it."""
    if item.type is FactType.STRING:
        whens = ["x, y", "not(x, y)"]
    elif item.type in (FactType.ENUM, FactType.BOOL):
        words = ["true", "false"] if item.type is FactType.BOOL else [f'"{v}"' for v in item.values]
        kept = draw(_before(len(words)))
        whens = [", ".join(words[:kept]), ", ".join(words[kept:])]
    else:
        cut = draw(_number(item, above=1))
        whens = [f"< {cut}", f">= {cut}"]
    if item.nullable and draw(_SOMETIMES):
        whens[0] += ", null"
    elif item.nullable:
        whens.append("null")
    return [{"when": when, "points": draw(_POINTS)} for when in whens]


@st.composite
def _characteristic(draw: st.DrawFn, at: int) -> Raw:
    item = draw(_ITEMS)
    bins = draw(_bins_of(item))
    if bins[-1]["when"] == "null" and draw(_SOMETIMES):
        bins[-1]["reason"] = {"code": f"N{at:02d}", "en": "n", "zh": "缺"}
    return {
        "id": f"c{at}",
        "dimension": draw(_DIMENSIONS),
        "input": item.name,
        "reason": {"code": f"C{at:02d}", "en": "c", "zh": "项"},
        "bins": bins,
    }


@st.composite
def _table(
    draw: st.DrawFn, name: str, earlier: tuple[str, ...], dimensions: tuple[str, ...]
) -> Raw:
    policy = draw(_POLICIES)
    mandatory = name in OUTPUTS
    if mandatory and policy == "collect":
        policy = "first"
    derived = ["score", *(f"dimension.{d}" for d in dimensions), *earlier]
    # Scores and earlier outputs are few among many facts, and most in need of being tried.
    inputs = draw(_FACTS) + draw(_some_of(tuple(derived)))
    rules = []
    for at in range(draw(_FEW)):
        used = [key for key in inputs if draw(_SOMETIMES)]
        when = {key: draw(_cell_of(key)) for key in used}
        rules.append({"id": f"R{at}", "when": when, "then": draw(_THENS[name])})
    if mandatory:
        rules.append({"id": "REST", "then": draw(_THENS[name])})
    return {
        "id": f"t_{name}",
        "output": {"name": name, "values": list(ANSWERS[name])},
        "hit_policy": policy,
        "complete": mandatory or draw(_SOMETIMES),
        "inputs": inputs,
        "rules": rules,
    }


@cache
def _cell_of(name: str) -> st.SearchStrategy[str]:
    if name in CATALOGUE:
        return cells(CATALOGUE[name])
    if name == "score" or name.startswith("dimension."):
        return cells(fact("score", "int", minimum=0, maximum=1000, nullable=False))
    return cells(fact("answer", "enum", values=ANSWERS[name], nullable=name not in OUTPUTS))


@cache
def readable_documents() -> st.SearchStrategy[Raw]:
    """Return documents that read well; whether their tables keep their claims is left open."""
    return _readable_documents()


@st.composite
def _readable_documents(draw: st.DrawFn) -> Raw:
    characteristics = [draw(_characteristic_at(at)) for at in range(draw(_UP_TO_FOUR))]
    dimensions = list(dict.fromkeys(item["dimension"] for item in characteristics))
    weight = draw(_WEIGHTS) if len(dimensions) > 1 else 1000
    weights = dict(zip(dimensions, (weight, 1000 - weight), strict=False))
    tables: list[Raw] = []
    earlier: list[str] = []
    for name in draw(_ORDERS):
        tables.append(draw(_table_of(name, tuple(earlier), tuple(dimensions))))
        if tables[-1]["hit_policy"] != "collect":
            earlier.append(name)
    raw: Raw = {
        "format": "tiering/1",
        "id": "random",
        "product_line": "all",
        "title": {"en": "Random", "zh": "随机"},
        "objective": "only",
        "objectives": {"only": weights},
        "scorecard": {
            "reasons": {"top": draw(_UP_TO_FOUR)},
            "characteristics": characteristics,
        },
        "tables": tables,
        "stability": {
            "downgrade_cooldown_days": 0,
            "downgrade_step": "any",
            "grace_days": 0,
            "min_dwell_days": 0,
        },
    }
    # A cell that matches nothing is refused; the rest of the document need not go with it.
    for path in _readable(raw):
        for at, table in enumerate(tables):
            for rule in table["rules"]:
                place = f"tables[{at}].rules[{rule['id']}].when."
                if path.startswith(place):
                    rule["when"].pop(path.removeprefix(place), None)
    return raw


@cache
def cases() -> st.SearchStrategy[Case]:
    """Return documents whose tables keep what they claim."""
    return _cases()


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    raw = draw(readable_documents())
    try:
        dense = _compiled(raw)
    except DocumentError as error:
        for finding in error.findings:
            table = raw["tables"][int(finding.path.removeprefix("tables[").split("]")[0])]
            if finding.code in ("gap", "null-unhandled"):
                table["complete"] = False
            else:
                table["hit_policy"] = "first"
        dense = _compiled(raw)
    # The proof looks at the rows and not at what is made of them, so that once is enough.
    return Case(raw, dense, compile_unproved(dense.document, CATALOGUE, Limits(dense_cells=0)))


def _compiled(raw: Raw) -> CompiledRuleSet:
    return compile_rule_set(parse_document(raw, CATALOGUE), CATALOGUE)


@st.composite
def customers(draw: st.DrawFn, raw: Raw, *, sound: bool = False) -> list[dict[str, Any]]:
    """Return rows with representatives of every atom, now and then with a value that is wrong."""
    wrong = {"small": 7, "count": None, "grade": "D", "line": None, "day": date(3000, 1, 1)}
    columns = {
        name: st.sampled_from(naive_rules.candidates(raw, CATALOGUE[name]))
        for name in naive_rules.used(raw, CATALOGUE)
    }
    rows = []
    for at in range(draw(_UP_TO_TWELVE)):
        row = {name: draw(values) for name, values in columns.items()}
        if not sound and at % 5 == 4:
            name = draw(_one_of(tuple(wrong)))
            row[name] = wrong[name]
        rows.append(row)
    return rows
