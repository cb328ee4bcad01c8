"""The cell grammar: what each form means, how it prints, and what is refused."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.facts.model import FactType
from app.domain.rules.cell_sets import (
    OTHER_TEXT,
    Cell,
    complement,
    first_value,
    intersection,
    union,
)
from app.domain.rules.cells import parse_cell, print_cell, value_of
from app.domain.rules.domains import (
    INT64_HIGH,
    INT64_LOW,
    Domain,
    Kind,
    domain_of,
    output_domain,
    range_text,
)
from app.domain.rules.literals import CellError
from tests.domain.rules.samples import CATALOGUE, fact
from tests.parity import naive_rules
from tests.parity.rule_strategies import CATALOGUE as RANDOM_CATALOGUE
from tests.parity.rule_strategies import cells

RATIO = domain_of(CATALOGUE["ratio"])
GROWTH = domain_of(CATALOGUE["growth"])
POLICIES = domain_of(CATALOGUE["policies"])
DELTA = domain_of(CATALOGUE["delta"])
HEALTH = domain_of(CATALOGUE["health"])
SMOKER = domain_of(CATALOGUE["smoker"])
SINCE = domain_of(CATALOGUE["since"])
CLUSTER = domain_of(CATALOGUE["cluster"])
CITY = domain_of(CATALOGUE["city"])
ODD = domain_of(fact("odd", "enum", values=("true", "null", "high risk", "高", "a-b", 'q"')))


@pytest.mark.parametrize(
    ("text", "domain", "printed"),
    [
        ("-", RATIO, "-"),
        (" - ", POLICIES, "-"),
        ("null", RATIO, "null"),
        ("null,null", RATIO, "null"),
        ("3", RATIO, "3"),
        ("3.10", RATIO, "3.1"),
        ("0.0001", RATIO, "0.0001"),
        ("> 3", RATIO, "> 3"),
        (">3", GROWTH, ">= 4"),
        (">= 3", RATIO, ">= 3"),
        ("<1", RATIO, "< 1"),
        ("< 1", GROWTH, "0"),
        ("<= 1", GROWTH, "<= 1"),
        ("[1..3]", RATIO, "[1..3]"),
        ("(1..3)", RATIO, "(1..3)"),
        ("( 1 .. 3 ]", RATIO, "(1..3]"),
        ("[1..3)", RATIO, "[1..3)"),
        ("(1..3)", GROWTH, "2"),
        ("[1..2], [3..4]", GROWTH, "[1..4]"),
        ("5, [4..6], 1", GROWTH, "1, [4..6]"),
        ("[0..10]", GROWTH, "not(null)"),
        ("[0..50]", POLICIES, "-"),
        ("[0..10], null", GROWTH, "-"),
        ("not(5)", GROWTH, "<= 4, >= 6"),
        ("not(5)", RATIO, "< 5, > 5"),
        ("not(null)", RATIO, "not(null)"),
        ("not(null, 0)", GROWTH, ">= 1"),
        ("not(not(5))", GROWTH, "5"),
        ("not(not(5)), null", GROWTH, "5, null"),
        ("-5", DELTA, "-5"),
        ("[-5..-3)", DELTA, "[-5..-4]"),
        ("> -0.5", domain_of(fact("x", "decimal", scale=2, minimum=-100, maximum=0)), "> -0.5"),
        ("A", HEALTH, "A"),
        ("C, A,A", HEALTH, "A, C"),
        ('"A"', HEALTH, "A"),
        ("not(A)", HEALTH, "B, C, D, E"),
        ("A, not(A)", HEALTH, "not(null)"),
        ("A, not(A), null", HEALTH, "-"),
        ("true", SMOKER, "true"),
        ("not(true)", SMOKER, "false"),
        ("true, false", SMOKER, "not(null)"),
        ("> date(2027-01-01)", SINCE, ">= date(2027-01-02)"),
        ("date( 2027-01-01 )", SINCE, "date(2027-01-01)"),
        ("[date(2027-01-01)..date(2027-12-31)]", SINCE,
         "[date(2027-01-01)..date(2027-12-31)]"),
        ("b, a", CLUSTER, "a, b"),
        ("not(b, a)", CLUSTER, "not(a, b)"),
        ("not(a), null", CLUSTER, "not(a), null"),
        ("not(a, b), a", CLUSTER, "not(b)"),
        ("a, not(a, b)", CLUSTER, "not(b)"),
        ("not(a, b), not(b, c)", CLUSTER, "not(b)"),
        ("not(a), a", CLUSTER, "not(null)"),
        ("not(a), a", CITY, "-"),
        ('"true", "null"', ODD, '"true", "null"'),
        ('"high risk", 高, a-b', ODD, '"high risk", 高, a-b'),
        ('"q\\""', ODD, '"q\\""'),
        ('"a,b"', CLUSTER, '"a,b"'),
        ('"\\u00e9"', CLUSTER, "é"),
    ],
)  # fmt: skip
def test_a_cell_prints_canonically(text: str, domain: Domain, printed: str) -> None:
    cell = parse_cell(text, domain)
    assert print_cell(cell, domain) == printed
    assert parse_cell(printed, domain) == cell


@pytest.mark.parametrize(
    ("text", "domain", "code", "message"),
    [
        ("", RATIO, "cell-syntax", "the cell ends"),
        ("1,", RATIO, "cell-syntax", "the cell ends"),
        ("1 2", RATIO, "cell-syntax", "2 stands"),
        ("1..3", RATIO, "cell-syntax", ".. stands"),
        ("[1,3]", RATIO, "cell-syntax", ", stands"),
        ("[1..3", RATIO, "cell-syntax", "the cell ends"),
        ("not 5", RATIO, "cell-syntax", "5 stands"),
        ("not(5", RATIO, "cell-syntax", "the cell ends"),
        ("not()", RATIO, "cell-syntax", ") stands"),
        ("-, 1", RATIO, "cell-syntax", "- stands"),
        (">", RATIO, "cell-syntax", "the cell ends"),
        ("> null", HEALTH, "cell-type", "no"),
        ("≥ 3", RATIO, "cell-syntax", "≥ stands"),
        ("1，2", RATIO, "cell-syntax", "， stands"),
        ("> 1,000", RATIO, "cell-syntax", "000 is no number"),
        ("1.5x", RATIO, "cell-syntax", "x stands"),
        ("1 = 1", RATIO, "cell-syntax", "= stands"),
        ("date(2027-02-30)", SINCE, "cell-syntax", "2027-02-30 is no date"),
        ("date(20270131)", SINCE, "cell-syntax", "20270131 is no date"),
        ('"\\x"', CLUSTER, "cell-syntax", "no quoted text"),
        ('"\\ud800"', CLUSTER, "cell-syntax", "no quoted text"),
        ('"a', CLUSTER, "cell-syntax", '" stands'),
        ("not(" * 17 + "1" + ")" * 17, GROWTH, "cell-syntax", "nested too deeply"),
        ("1" * 4001, GROWTH, "cell-syntax", "4001 characters"),
        ("1.23456", RATIO, "cell-type", "1.23456 has 5 decimals, the fact has 4"),
        ("0.5", GROWTH, "cell-type", "0.5 has 1 decimal, the fact has none"),
        ('"3"', RATIO, "cell-type", "is not a number"),
        ("high", RATIO, "cell-type", "high is not a number"),
        ("date(2027-01-01)", RATIO, "cell-type", "is not a number"),
        ("2027", SINCE, "cell-type", "2027 is not a date"),
        ("> A", HEALTH, "cell-type", "values have none"),
        ("[A..B]", HEALTH, "cell-type", "values have none"),
        ("> true", SMOKER, "cell-type", "values have none"),
        ("1", SMOKER, "cell-type", "1 is not a bool"),
        ('"true"', SMOKER, "cell-type", "is not a bool"),
        ("yes", SMOKER, "cell-type", "yes is not a bool"),
        ("true", HEALTH, "cell-type", "true is not a text"),
        ("3", CLUSTER, "cell-type", "3 is not a text"),
        ("F", HEALTH, "cell-out-of-range", "F is not a value"),
        ("> 12", GROWTH, "cell-out-of-range", "12 is outside"),
        ("> -1", GROWTH, "cell-out-of-range", "-1 is outside"),
        ("[1..12]", GROWTH, "cell-out-of-range", "12 is outside"),
        ("9" * 30, DELTA, "cell-out-of-range", "…"),
        (str(INT64_HIGH + 1), DELTA, "cell-out-of-range", "is outside"),
        ("date(1800-01-01)", domain_of(CATALOGUE["opened"]), "cell-out-of-range", "1800-01-01"),
        ("> 10", GROWTH, "cell-empty", "> 10 matches no value"),
        ("< 0", GROWTH, "cell-empty", "< 0 matches no value"),
        ("5, (5..6)", GROWTH, "cell-empty", "( 5 .. 6 ) matches no value"),
        ("[6..5]", GROWTH, "cell-empty", "matches no value"),
        ("null", POLICIES, "cell-empty", "null matches no value"),
        ("5, null", POLICIES, "cell-empty", "null matches no value"),
        ("not(true, false)", SMOKER, "cell-empty", "matches no value"),
        ("not(not(null))", GROWTH, "cell-empty", "matches no value"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_refused_with_its_reason(
    text: str, domain: Domain, code: str, message: str
) -> None:
    with pytest.raises(CellError) as caught:
        parse_cell(text, domain)
    assert caught.value.code == code
    assert message in caught.value.message
    assert caught.value.remedy


def test_the_largest_and_smallest_integers_can_be_written() -> None:
    for number in (INT64_HIGH, INT64_LOW):
        assert print_cell(parse_cell(str(number), DELTA), DELTA) == str(number)


def test_a_range_is_told_in_the_words_of_the_input() -> None:
    assert range_text(RATIO) == "0 to 100"
    assert range_text(CLUSTER) == "any text"
    assert range_text(SMOKER) == "false, true"
    assert range_text(domain_of(CATALOGUE["opened"])) == "date(1917-07-15) to date(2191-04-29)"


def test_a_value_of_a_test_needs_no_quotes_and_no_date_word() -> None:
    assert value_of(" 3.2 ", RATIO) == 32_000
    assert value_of("high risk", ODD) == "high risk"
    assert value_of("2027-01-31", SINCE) == date(2027, 1, 31).toordinal()
    assert value_of("date(2027-01-31)", SINCE) == date(2027, 1, 31).toordinal()
    assert value_of("true", SMOKER) == "true"


@given(st.data())
def test_what_is_printed_reads_back_as_the_same_set(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(list(RANDOM_CATALOGUE.values())))
    domain = domain_of(item)
    try:
        cell = parse_cell(data.draw(cells(item)), domain)
    except CellError:
        return
    printed = print_cell(cell, domain)
    assert parse_cell(printed, domain) == cell
    assert print_cell(parse_cell(printed, domain), domain) == printed


LONG = output_domain(tuple(f"answer_{at}" + "x" * 50 for at in range(80)), complete=True)


@pytest.mark.parametrize(
    ("text", "domain", "printed"),
    [
        (f"not({','.join(f'{at / 4}' for at in range(1, 320))})", RATIO, 4_392),
        (",".join(f"w{at}" for at in range(720)), CLUSTER, 4_208),
        (f"not({LONG.words[0]})", LONG, 4_808),
    ],
)
def test_a_cell_whose_printed_form_would_be_too_long_to_read_is_refused(
    text: str, domain: Domain, printed: int
) -> None:
    assert len(text) < 4_000
    with pytest.raises(CellError) as caught:
        parse_cell(text, domain)
    assert caught.value.message == f"Written out the cell has {printed} characters."


def test_a_long_cell_whose_printed_form_can_be_read_is_taken() -> None:
    text = ", ".join(map(str, range(0, 1000, 2)))
    assert print_cell(parse_cell(text, DELTA), DELTA) == text


@given(st.data())
def test_a_cell_accepts_what_a_naive_reader_accepts(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(list(RANDOM_CATALOGUE.values())))
    domain = domain_of(item)
    text = data.draw(cells(item))
    try:
        cell = parse_cell(text, domain)
    except CellError:
        return
    raw = {"scorecard": {"characteristics": [{"input": item.name, "bins": [{"when": text}]}]},
           "tables": []}  # fmt: skip
    for value in naive_rules.candidates(raw, item):
        expected = naive_rules.matches(text, naive_rules.plain(item, value))
        assert holds(cell, domain, value) == expected, (text, value)


@given(st.text(max_size=30), st.sampled_from([RATIO, HEALTH, SMOKER, SINCE, CLUSTER]))
@example("not(", RATIO)
@example('"\\', CLUSTER)
@example("date(0000-00-00)", SINCE)
def test_any_text_is_a_cell_or_a_cell_error(text: str, domain: Domain) -> None:
    try:
        cell = parse_cell(text, domain)
    except CellError as error:
        code = error.code
    else:
        assert parse_cell(print_cell(cell, domain), domain) == cell
        code = "cell-none"
    assert code.startswith("cell-")


@given(st.data())
def test_sets_obey_the_laws_of_sets(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(list(RANDOM_CATALOGUE.values())))
    domain = domain_of(item)
    drawn = []
    for _ in range(2):
        try:
            drawn.append(parse_cell(data.draw(cells(item)), domain))
        except CellError:
            return
    left, right = drawn
    assert union(domain, left, right) == union(domain, right, left)
    assert intersection(domain, left, right) == intersection(domain, right, left)
    assert union(domain, left, intersection(domain, left, right)) == left
    without_null = Cell(has_null=False, spans=left.spans, words=left.words, others=left.others)
    assert complement(domain, complement(domain, left)) == without_null
    assert intersection(domain, left, complement(domain, left)).is_empty


def holds(cell: Cell, domain: Domain, value: object) -> bool:
    if value is None:
        return cell.has_null
    if domain.is_ordered:
        number = value.toordinal() if isinstance(value, date) else value
        assert isinstance(number, int)
        return any(low <= number <= high for low, high in cell.spans)
    word = str(value).lower() if isinstance(value, bool) else str(value)
    return (word in cell.words) != cell.others


def test_every_fact_type_has_a_domain() -> None:
    assert {domain_of(fact("f", kind.value)).kind for kind in FactType} == set(Kind)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (Cell(has_null=True), None),
        (Cell(has_null=True, spans=((3, 4), (7, 9))), 3),
        (Cell(has_null=False, words=("b", "a")), "b"),
        (Cell(has_null=False, words=("a",), others=True), OTHER_TEXT),
        (Cell(has_null=False, words=("a", OTHER_TEXT), others=True), f"{OTHER_TEXT}."),
    ],
)
def test_a_cell_is_shown_by_its_first_value(cell: Cell, value: int | str | None) -> None:
    assert first_value(cell) == value
