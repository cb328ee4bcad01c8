"""Cells as S-FEEL unary tests and back, and FEEL that is not taken."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.rules.cells import parse_cell
from app.domain.rules.domains import Domain, domain_of
from app.domain.rules.exchange.feel import (
    FeelError,
    print_unary_tests,
    read_text_literal,
    read_text_literals,
    read_unary_tests,
    text_literal,
)
from app.domain.rules.literals import CellError
from tests.domain.rules.samples import fact
from tests.parity.rule_strategies import CATALOGUE, cells

RATIO = domain_of(CATALOGUE["ratio"])
COUNT = domain_of(CATALOGUE["count"])
GRADE = domain_of(CATALOGUE["grade"])
LINE = domain_of(CATALOGUE["line"])
FLAG = domain_of(CATALOGUE["flag"])
TEXT = domain_of(CATALOGUE["text"])
CITY = domain_of(CATALOGUE["city"])
EVER = domain_of(CATALOGUE["ever"])
ODD = domain_of(
    fact("odd", "enum", values=('q"', "back\\slash", "high risk", "高", "tab\t", "\x85"))
)


@pytest.mark.parametrize(
    ("cell", "domain", "feel"),
    [
        ("-", RATIO, "-"),
        ("not(null)", RATIO, "not(null)"),
        ("null", RATIO, "null"),
        ("> 3", RATIO, "> 3"),
        ("> 3, null", RATIO, "> 3, null"),
        ("[-0.5..3.25]", RATIO, "[-0.5..3.25]"),
        ("<= 4, >= 6", COUNT, "<= 4, >= 6"),
        ("date(2027-01-31)", EVER, 'date("2027-01-31")'),
        (
            "[date(2027-01-01)..date(2027-12-31)], null",
            EVER,
            '[date("2027-01-01")..date("2027-12-31")], null',
        ),
        ("A, C", GRADE, '"A", "C"'),
        ('"true", null', GRADE, '"true", null'),
        ("not(null)", GRADE, "not(null)"),
        ("motor", LINE, '"motor"'),
        ("true, null", FLAG, "true, null"),
        ("not(null)", FLAG, "not(null)"),
        ("not(a, b)", TEXT, 'not("a", "b", null)'),
        ("not(a, b), null", TEXT, 'not("a", "b")'),
        ("not(null)", TEXT, "not(null)"),
        ("not(a)", CITY, 'not("a")'),
        ('"date(2027-01-01)"', TEXT, '"date(2027-01-01)"'),
        ('"q\\"", "back\\\\slash"', ODD, '"q\\"", "back\\\\slash"'),
        ('高, "high risk"', ODD, '"high risk", "高"'),
        ('"tab\\t", "\x85"', ODD, '"tab\\u0009", "\\u0085"'),
    ],
)
def test_a_cell_is_written_with_its_null_spelled_out(cell: str, domain: Domain, feel: str) -> None:
    parsed = parse_cell(cell, domain)
    assert print_unary_tests(parsed, domain) == feel
    back = read_unary_tests(feel, nullable=domain.nullable)
    assert parse_cell(back, domain) == parsed


@settings(max_examples=300)
@given(st.data())
def test_every_cell_comes_back_from_feel(data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(list(CATALOGUE.values())))
    domain = domain_of(item)
    try:
        cell = parse_cell(data.draw(cells(item)), domain)
    except CellError:
        return
    feel = print_unary_tests(cell, domain)
    assert feel.isprintable()
    assert parse_cell(read_unary_tests(feel, nullable=domain.nullable), domain) == cell


@given(st.text(max_size=20))
@example('🙂\x00\\"\u2028\ufffe')
@example("\U000e0001")
def test_every_text_comes_back_from_its_literal(word: str) -> None:
    literal = text_literal(word)
    assert literal.isprintable()
    assert read_text_literal(literal) == word


@pytest.mark.parametrize(
    ("feel", "nullable", "cell"),
    [
        ("", True, "-"),
        ("  - ", True, "-"),
        (".5", True, "0.5"),
        ("< -.5", True, "< -0.5"),
        ("]1..3[", True, "(1..3)"),
        ("]1..3]", True, "(1..3]"),
        ("[1 .. 3)", True, "[1..3)"),
        ('@"2027-01-31"', True, "date(2027-01-31)"),
        ('>= date ( "2027-01-31" )', True, ">= date(2027-01-31)"),
        ('not("a")', True, 'not("a"), null'),
        ('not("a")', False, 'not("a")'),
        ('not("a", null)', True, 'not("a", null)'),
        ('not("a", null)', False, 'not("a")'),
        ("not(null)", True, "not(null)"),
        ("not(null)", False, "-"),
        # What null compares with is unknown, and so is the negation of that.
        ("not(> 3)", True, "not(> 3)"),
        ("not(5, [7..9])", True, "not(5, [7..9])"),
        ('"\\u00e9\\uD83D\\uDE42\\U01F642"', True, '"é🙂🙂"'),
        ('"don\\\'t"', True, '"don\'t"'),
    ],
)
def test_feel_of_other_tools_is_read_by_the_standard(
    feel: str, cell: str, *, nullable: bool
) -> None:
    assert read_unary_tests(feel, nullable=nullable) == cell


@pytest.mark.parametrize(
    ("feel", "message"),
    [
        ('matches(?, "x")', "The function matches() is not taken"),
        ('date and time("2027-01-31T00:00:00")', "The function date and time() is not taken"),
        ("date", "The name date is not taken"),
        ("? > 3", "? is not taken"),
        ("> 1 + 2", "+ is not taken"),
        ("> limit", "The name limit is not taken"),
        ("in (1, 2)", "The function in() is not taken"),
        ("{a: 1}", "{ is not taken"),
        ("[1, 2]", ", is not taken"),
        ("[1..2", "The entry ends"),
        ("1,", "The entry ends"),
        ("1 2", "2 is not taken"),
        ("not(1", "The entry ends"),
        ("not 1", "1 is not taken"),
        ("not(not(1))", "The function not() is not taken"),
        ("1, not(2)", "The function not() is not taken"),
        ("1, -", "- is not taken"),
        ("'a'", "' is not taken"),
        ('"a', '" is not taken'),
        ("1e3", "The name e3 is not taken"),
        ("2027-01-31", "-01 is not taken"),
        ("date(2027)", "2027 is not taken"),
        ('date("2027-01-31T00:00:00")', "is not one day"),
        ('@"PT1H"', "PT1H is not one day"),
        ('date("2027-01-31"', "The entry ends"),
        ('"\\q"', "is no escape of FEEL"),
        ('"\\U110000"', "is no escape of FEEL"),
        ('"\\uD83D"', "half a character"),
        ("\x00", "\\u0000 is not taken"),
    ],
)
def test_feel_beyond_literals_is_refused_with_what_it_is(feel: str, message: str) -> None:
    with pytest.raises(FeelError) as caught:
        read_unary_tests(feel, nullable=True)
    assert message in caught.value.message
    assert caught.value.remedy


@given(st.text(alphabet='()[].,<>=-"null not date@1 a\\u', max_size=25), st.booleans())
def test_any_text_is_a_cell_or_refused(text: str, nullable: bool) -> None:  # noqa: FBT001 - drawn.
    try:
        cell = read_unary_tests(text, nullable=nullable)
    except FeelError as error:
        assert error.message  # noqa: PT017 - either way is right.
    else:
        assert cell


@pytest.mark.parametrize("feel", ["gold", '"a" + "b"', "", '"a", "b"', "3"])
def test_an_answer_is_one_text(feel: str) -> None:
    with pytest.raises(FeelError, match="is not one text"):
        read_text_literal(feel)


@pytest.mark.parametrize("feel", ["", '"a",', '"a" "b"', '"a", b', ',"a"', '"a";"b"'])
def test_output_values_are_texts_with_commas(feel: str) -> None:
    with pytest.raises(FeelError, match="no list of texts"):
        read_text_literals(feel)
    assert read_text_literals(' "a" , "b" ') == ["a", "b"]
