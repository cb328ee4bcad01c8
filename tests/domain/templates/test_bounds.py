"""Every bound that a template decides by is in its own tests: at it, just under and just over."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Final, cast

import pytest
from hypothesis import given, settings

from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import FactType, FactValue
from app.domain.rules.cells import parse_cell
from app.domain.rules.compile import compile_unproved
from app.domain.rules.document import parse_document
from app.domain.rules.domains import SCORE_DOMAIN, Domain, decimal_text, domain_of, ordered_text
from app.domain.rules.findings import DocumentError
from app.domain.rules.literals import read_number
from app.domain.rules.model import DIMENSION_PREFIX, SCORE, Example
from app.domain.rules.overlay import resolve_extends
from app.domain.rules.scalar import evaluate
from app.domain.rules.self_test import run_tests
from app.domain.rules.values import value_text
from tests.domain.templates.books import NAMES, chances, raw, template

NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
MOVED_BOUNDS: Final = 6


@dataclass(frozen=True, slots=True)
class Condition:
    """One cell as its author wrote it, the input it is of, and the answer it bears on."""

    place: str
    input: str
    text: str
    answer: str

    def domain(self, name: str) -> Domain:
        """The values of its input in a template."""
        if self.input in CATALOGUE:
            return domain_of(CATALOGUE[self.input])
        tables = (table for table in template(name).document.tables if self.input in table.domains)
        return next((table.domains[self.input] for table in tables), SCORE_DOMAIN)


@cache
def resolved(name: str) -> dict[str, Any]:
    """A template with everything it extends written out."""
    document, _ = resolve_extends(raw(name), lambda reference: raw(reference[:-2]))
    return cast("dict[str, Any]", document)


def own(name: str) -> list[Condition]:
    """The cells of every bin and row that are not the same in what the template extends."""
    characteristics, rows = parts(name)
    if "extends" in raw(name):
        inherited = parts(str(raw(name)["extends"])[:-2])
        characteristics = {k: v for k, v in characteristics.items() if inherited[0].get(k) != v}
        rows = {k: v for k, v in rows.items() if inherited[1].get(k) != v}
    return [
        *(
            Condition(
                f"scorecard.{id_}.bins",
                item["input"],
                bin_["when"],
                f"dimension.{item['dimension']}",
            )
            for id_, item in characteristics.items()
            for bin_ in item["bins"]
        ),
        *(
            Condition(f"{table}.{id_}", column, text, row["answers"])
            for (table, id_), row in rows.items()
            for column, text in row["when"].items()
        ),
    ]


def parts(name: str) -> tuple[dict[str, Any], dict[tuple[str, str], Any]]:
    """The characteristics of a template by id, and its rows by table and id."""
    document = resolved(name)
    decided = ("input", "dimension", "bins")
    return (
        {
            item["id"]: {key: item[key] for key in decided}
            for item in document["scorecard"]["characteristics"]
        },
        {
            (table["id"], rule["id"]): {
                "when": rule.get("when", {}),
                "then": rule["then"],
                "answers": table["output"]["name"],
            }
            for table in document["tables"]
            for rule in table["rules"]
        },
    )


def wanted(name: str, condition: Condition) -> set[FactValue]:
    """The values that tests must show for a cell.

    Of an ordered input each number that is written, and the last digit less and more, as far as the
    input can have them; of others each value that is meant; null where it is meant.
    """
    domain = condition.domain(name)
    cell = parse_cell(str(condition.text), domain)
    null: set[FactValue] = {None} if cell.has_null else set()
    if not domain.is_ordered:
        return null | set(cell.words)
    bounds = [read_number(text, domain) for text in NUMBER.findall(str(condition.text))]
    near = {bound + step for bound in bounds for step in (-1, 0, 1)}
    return null | {value for value in near if domain.low <= value <= domain.high}


def shown(name: str) -> Iterator[tuple[Mapping[str, FactValue], set[str]]]:
    """For each test of a template what every input is, in words of cells, and what is expected."""
    for example in template(name).document.tests:
        yield seen(name, example), set(example.expect)


def seen(name: str, example: Example) -> dict[str, FactValue]:
    """The facts, scores and answers of one test."""
    facts = dict.fromkeys(template(name).document.facts) | dict(example.facts)
    for fact in facts:
        if facts[fact] is None and not CATALOGUE[fact].nullable:
            facts[fact] = False if CATALOGUE[fact].type is FactType.BOOL else 0
    evaluation = evaluate(template(name), facts)
    inputs: dict[str, FactValue] = {
        **{DIMENSION_PREFIX + key: value for key, value in evaluation.dimensions.items()},
        SCORE: evaluation.score,
        **{key: a for key, a in evaluation.outcomes.items() if not isinstance(a, tuple)},
    }
    for fact, value in facts.items():
        is_word = isinstance(value, bool)
        inputs[fact] = value_text(domain_of(CATALOGUE[fact]), value) if is_word else value
    return inputs


@pytest.mark.parametrize("name", NAMES)
def test_its_tests_stand_at_just_under_and_just_over_every_bound(name: str) -> None:
    """For each cell some test has the value and expects the answer that the cell bears on.

    A template that extends another must show this for the bins and rows it writes itself, changed
    in any way; what it takes over as it is, the tests of the other one show. Scores count as values
    of their cells, and so do the answers of earlier tables.
    """
    tests = list(shown(name))
    conditions = own(name)
    missing = {
        f"{condition.place}: {condition.input} {text(condition.domain(name), value)}"
        for condition in conditions
        for value in wanted(name, condition)
        if not any(
            inputs.get(condition.input) == value and condition.answer in expected
            for inputs, expected in tests
        )
    }
    assert conditions
    assert sorted(missing) == []


def text(domain: Domain, value: FactValue) -> str:
    """A value as a person writes it into a test."""
    return ordered_text(domain, value) if isinstance(value, int) else str(value)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=MOVED_BOUNDS)
@given(chance=chances)
def test_its_tests_notice_a_bound_moved_by_the_last_digit(name: str, chance: Random) -> None:
    """Wherever the bound stands in a column, lest the rows next to it hide that one has moved."""
    place, column, bound = chance.choice(bounds(name))
    assert is_noticed(name, place, (column, bound), chance.choice((-1, 1)))


@cache
def bounds(name: str) -> list[tuple[str, str, int]]:
    """The tables and characteristics of a template with each number written in a column of them."""
    return sorted(
        {
            (condition.place.rpartition(".")[0], condition.input, read_number(written, domain))
            for condition in own(name)
            if (domain := condition.domain(name)).is_ordered
            for written in NUMBER.findall(condition.text)
        }
    )


def is_noticed(name: str, place: str, bound: tuple[str, int], step: int) -> bool:
    """Whether a template with a moved bound is refused, or fails its own tests."""
    column, value = bound
    document = copy.deepcopy(resolved(name))
    domain = Condition(place, column, "", "").domain(name)
    was, new = (decimal_text(number, domain.scale) for number in (value, value + step))

    def move(cells: dict[str, Any], key: str) -> None:
        cells[key] = NUMBER.sub(lambda n: new if n.group() == was else n.group(), cells[key])

    for item in document["scorecard"]["characteristics"]:
        for bin_ in item["bins"] if f"scorecard.{item['id']}" == place else ():
            move(bin_, "when")
    for table in document["tables"]:
        for rule in table["rules"] if table["id"] == place else ():
            if column in rule.get("when", {}):
                move(rule["when"], column)
    try:
        moved = parse_document(document, CATALOGUE)
    except DocumentError:
        return True
    return run_tests(compile_unproved(moved, CATALOGUE)) != ()
