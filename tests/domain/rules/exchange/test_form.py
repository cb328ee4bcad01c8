"""Documents as workbooks of forms, back as they were, and what a form gets wrong."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.facts.catalogue import CATALOGUE as SHIPPED
from app.domain.facts.model import Fact
from app.domain.rules import DocumentError, RuleSetDocument, document_hash, parse_document
from app.domain.rules.exchange import form
from app.domain.rules.exchange.form_reading import read_form
from app.domain.rules.exchange.form_writing import form_of
from app.domain.rules.exchange.workbook import Sheet, SheetValue, Workbook, cell_name
from tests.domain.rules.samples import CATALOGUE, fact, sample
from tests.domain.templates.books import NAMES, template
from tests.parity.rule_strategies import CATALOGUE as RANDOM_CATALOGUE
from tests.parity.rule_strategies import readable_documents

BASE = parse_document(sample(), CATALOGUE)
Rows = list[list[SheetValue]]


def reread(document: RuleSetDocument, catalogue: Mapping[str, Fact]) -> RuleSetDocument:
    return parse_document(read_form(form_of(document, catalogue), catalogue), catalogue)


def changed(title: str, change: Callable[[Rows], object]) -> Workbook:
    """Return the sample's form with the rows of one sheet changed."""
    sheets = []
    for sheet in form_of(BASE, CATALOGUE):
        rows = [list(row) for row in sheet.rows]
        if sheet.title == title:
            change(rows)
        sheets.append(replace(sheet, rows=tuple(map(tuple, rows))))
    return tuple(sheets)


def put(row: int, column: int, value: SheetValue) -> Callable[[Rows], object]:
    def change(rows: Rows) -> None:
        rows[row] += [None] * (column + 1 - len(rows[row]))
        rows[row][column] = value

    return change


def read(title: str, change: Callable[[Rows], object]) -> dict[str, Any]:
    return read_form(changed(title, change), CATALOGUE)


def refusals(workbook: Workbook) -> list[tuple[str, str]]:
    with pytest.raises(DocumentError) as caught:
        read_form(workbook, CATALOGUE)
    assert all(finding.message and finding.remedy for finding in caught.value.findings)
    return [(finding.path, finding.code) for finding in caught.value.findings]


@pytest.mark.parametrize("name", NAMES)
def test_a_template_comes_back_with_its_hash(name: str) -> None:
    document = template(name).document
    assert reread(document, SHIPPED) == document


@settings(max_examples=12)
@given(readable_documents())
def test_any_document_comes_back_with_its_hash(raw: dict[str, Any]) -> None:
    document = parse_document(raw, RANDOM_CATALOGUE)
    assert document_hash(reread(document, RANDOM_CATALOGUE)) == document_hash(document)


@settings(max_examples=30)
@given(st.text(max_size=20), st.integers(), st.text(max_size=20))
def test_the_facts_of_tests_come_back_whatever_they_say(city: str, delta: int, word: str) -> None:
    raw = sample()
    low = -(2**63) + 1
    raw["tests"] = [
        {
            "in": {
                "city": city,
                "cluster": word,
                "delta": min(max(delta, low), -low),
                "ratio": "3.10",
                "since": "2020-02-29",
                "smoker": False,
                "health": "A",
            },
            "expect": {"labels": ["digital", "big"], "score": 0},
        },
        {"in": {}, "expect": {"labels": [], "tier": "gold"}},
        {"in": {"claims": None}, "expect": {"extra_risk_module": None, "dimension.value": 1000}},
    ]
    document = parse_document(raw, CATALOGUE)
    assert reread(document, CATALOGUE) == document


def test_sheets_have_titles_that_spreadsheets_allow_and_tell_apart() -> None:
    raw = sample()
    long = "a_table_with_a_name_of_more_than_thirty_one_signs"
    for table, name in zip(
        raw["tables"], ("tests", "scorecard", f"{long}_1", f"{long}_2"), strict=False
    ):
        table["id"] = name
    document = parse_document(raw, CATALOGUE)
    titles = [sheet.title for sheet in form_of(document, CATALOGUE)]
    assert titles[3:7] == ["tests 2", "scorecard 2", long[:31], f"{long[:29]} 2"]
    assert len({title.lower() for title in titles}) == len(titles)
    assert reread(document, CATALOGUE) == document


def test_a_table_is_offered_its_answers_and_told_its_facts() -> None:
    sheets = {sheet.title: sheet for sheet in form_of(template("motor").document, SHIPPED)}
    tier = sheets["tier"]
    header = tier.rows[form.HEADER_ROW]
    choices = {one.column: one for one in tier.choices}
    assert choices[len(header) - 1].source == "$B$3:$D$3"
    assert choices[len(header) - 1].is_rule
    assert choices[header.index("segment")].source[0] == "-"
    assert not choices[header.index("segment")].is_rule
    note = tier.notes[form.HEADER_ROW, header.index("annual_premium")]
    assert "decimal" in note
    assert "money" in note
    assert "or null" in note
    assert SHIPPED["annual_premium"].meaning_zh in note
    assert choices[1].rows == (3, 3) or choices[1].rows[0] >= form.HEADER_ROW


def test_what_a_sheet_cannot_hold_is_refused_by_cell() -> None:
    raw = sample()
    raw["tests"] = [{"in": {"city": "x" * 33_000}, "expect": {"score": 1}}]
    values = [f"v{at}" for at in range(16_384)]
    raw["tables"][4]["output"]["values"] = values
    raw["tables"][4]["output"]["name"] = "other"
    raw["tables"][4]["rules"] = [{"id": "T1", "then": "v1"}]
    raw["tables"].append(sample()["tables"][4] | {"id": "tier_again"})
    with pytest.raises(DocumentError) as caught:
        form_of(parse_document(raw, CATALOGUE), CATALOGUE)
    assert [(one.path, one.code) for one in caught.value.findings] == [
        ("tier.3", "not-carried"),
        ("Tests.A2", "not-carried"),
    ]


@pytest.mark.parametrize(
    ("title", "change", "meaning"),
    [
        # What Excel makes of what is typed means the same.
        ("Rule set", put(8, 1, Decimal(4)), None),
        ("Rule set", put(8, 1, " 4 "), None),
        ("risk", put(4, 1, "TRUE"), None),
        ("risk", put(7, 1, Decimal("0.0")), None),
        ("Scorecard", put(1, 7, " < 1.00"), None),
        ("Scorecard", put(2, 1, "value"), None),
        ("Scorecard", put(2, 0, None), None),
        ("Scorecard", put(5, 3, None), None),
        ("tier", put(7, 2, None), None),
        ("risk", lambda rows: rows.insert(9, [None, " "]), None),
        ("labels", lambda rows: rows.append([]), None),
        ("stage", put(8, 2, date(2020, 1, 1)), "since"),
        ("Rule set", put(4, 1, Decimal(2027)), "title"),
        ("Rule set", put(7, 1, None), "risk_model"),
    ],
)  # fmt: skip
def test_what_people_type_is_read_as_it_is_meant(
    title: str, change: Callable[[Rows], object], meaning: str | None
) -> None:
    document = parse_document(read_form(changed(title, change), CATALOGUE), CATALOGUE)
    assert (document == BASE) == (meaning in {None, "risk_model"})


def test_a_small_table_is_one_sheet_of_the_form() -> None:
    raw = read("stage", put(8, 2, date(2020, 1, 1)))
    assert raw["tables"][2]["rules"][1]["when"] == {"since": "date(2020-01-01)"}


@pytest.mark.parametrize(
    ("title", "change", "found"),
    [
        ("Rule set", lambda rows: rows[0].pop(), [("Rule set.A1", "sheet-column")]),
        ("Rule set", put(0, 3, "more"), [("Rule set.D1", "sheet-column")]),
        ("Rule set", put(0, 2, "value"),
         [("Rule set.C1", "sheet-column"), ("Rule set.A1", "sheet-column")]),
        ("Rule set", put(1, 0, "formats"), [("Rule set.A2", "sheet-field")]),
        ("Rule set", put(2, 0, "format"), [("Rule set.A3", "sheet-field")]),
        ("Rule set", put(3, 5, "stray"), [("Rule set.F4", "sheet-stray")]),
        ("Rule set", put(2, 1, date(2027, 1, 3)), [("Rule set.B3", "sheet-day")]),
        ("Rule set", put(9, 1, date(2027, 1, 3)), [("Rule set.B10", "sheet-day")]),
        ("Objectives", put(0, 0, "profile"), [("Objectives.A1", "sheet-column")]),
        ("Objectives", put(2, 0, "balanced"), [("Objectives.A3", "sheet-field")]),
        ("Scorecard", lambda rows: [row.pop(7) for row in rows],
         [("Scorecard.A1", "sheet-column")]),
        ("Scorecard", put(2, 1, "risk"), [("Scorecard.B3", "sheet-contradiction")]),
        ("Scorecard", put(2, 7, date(2027, 1, 3)), [("Scorecard.H3", "sheet-day")]),
        ("Scorecard", put(2, 12, 1), [("Scorecard.M3", "sheet-stray")]),
        ("tier", put(7, 1, date(2027, 3, 1)), [("tier.B8", "sheet-day")]),
        ("tier", put(1, 0, "result"), [("tier.A2", "sheet-field")]),
        ("tier", put(6, 0, "id"), [("tier.A7", "sheet-column")]),
        ("tier", put(6, 3, "than"), [("tier.A7", "sheet-column")]),
        ("tier", put(0, 2, "x"), [("tier.C1", "sheet-stray")]),
        ("tier", put(8, 9, "x"), [("tier.J9", "sheet-stray")]),
        ("tier", put(0, 0, "Table"), [("tier", "sheet-unknown")]),
        ("tier", put(5, 0, "x"), [("tier.A6", "sheet-stray")]),
        ("tier", put(6, 2, None), [(f"tier.C{row}", "sheet-stray") for row in range(8, 13)]),
        ("Objectives", put(1, 9, 5), [("Objectives.J2", "sheet-stray")]),
        ("Tests", put(0, 0, "ratio"),
         [("Tests.A1", "sheet-column"), ("Tests.A2", "sheet-stray")]),
        ("Tests", put(1, 0, date(2027, 3, 1)), [("Tests.A2", "sheet-day")]),
        ("Tests", put(1, 3, '"half'), [("Tests.D2", "sheet-quotes")]),
        ("Tests", put(1, 3, '"\\ud800"'), [("Tests.D2", "sheet-quotes")]),
        ("Tests", put(1, 20, "x"), [("Tests.U2", "sheet-stray")]),
    ],
)  # fmt: skip
def test_what_a_form_gets_wrong_is_named_by_its_cell(
    title: str, change: Callable[[Rows], object], found: list[tuple[str, str]]
) -> None:
    assert refusals(changed(title, change)) == found


def test_missing_sheets_are_named() -> None:
    sheets = form_of(BASE, CATALOGUE)
    assert refusals(sheets[3:]) == [
        ("Rule set", "sheet-missing"),
        ("Objectives", "sheet-missing"),
        ("Scorecard", "sheet-missing"),
    ]
    assert len(refusals(())) == 3
    without_tests = read_form(sheets[:-1], CATALOGUE)
    assert "tests" not in without_tests


def test_an_empty_sheet_is_no_matter_and_a_strange_one_is() -> None:
    sheets = form_of(BASE, CATALOGUE)
    blank = Sheet("Sheet1", ((), (None, None)))
    assert parse_document(read_form((*sheets, blank), CATALOGUE), CATALOGUE) == BASE
    strange = Sheet("no\x85tes", ((), ("call Ann",)))
    assert refusals((*sheets, strange)) == [("no\\u0085tes", "sheet-unknown")]


def test_a_table_whose_sheet_ends_early_is_read_as_far_as_it_goes() -> None:
    sheets = tuple(
        replace(sheet, rows=sheet.rows[:2]) if sheet.title == "tier" else sheet
        for sheet in form_of(BASE, CATALOGUE)
    )
    assert [path for path, _ in refusals(sheets)] == [
        "tier.A3", "tier.A4", "tier.A5", "tier.A7", "tier.A7",
    ]  # fmt: skip


def test_values_are_read_to_the_last_filled_cell_and_tests_take_any_known_fact() -> None:
    raw = read("tier", put(2, 9, "bronze"))
    assert raw["tables"][4]["output"]["values"] == ["diamond", "gold", "standard", "bronze"]
    raw = read("risk", put(4, 1, "perhaps"))
    assert raw["tables"][0]["complete"] == "perhaps"
    raw = read("Rule set", put(8, 1, "four"))
    assert raw["scorecard"]["reasons"]["top"] == "four"
    raw = read("Rule set", put(8, 1, value=True))
    assert raw["scorecard"]["reasons"]["top"] == "true"
    raw = read("risk", put(2, 1, value=True))
    assert raw["tables"][0]["output"]["values"][0] == "true"
    raw = read("Tests", put(0, 0, "in: nobody"))
    assert raw["tests"][0]["in"]["nobody"] == "3.2"
    raw = read("Tests", put(1, 0, Decimal("3.10")))
    assert raw["tests"][0]["in"]["ratio"] == "3.1"
    raw = read("Tests", put(1, 0, value=True))
    assert raw["tests"][0]["in"]["ratio"] is True


def test_a_day_is_a_day_of_a_fact_that_is_one() -> None:
    raw = sample()
    raw["tests"][0]["in"]["since"] = "2020-02-29"
    document = parse_document(raw, CATALOGUE)
    sheets = form_of(document, CATALOGUE)
    column = sheets[-1].rows[0].index("in: since")
    row = list(sheets[-1].rows[1])
    row[column] = date(2020, 2, 29)
    typed = (*sheets[:-1], replace(sheets[-1], rows=(sheets[-1].rows[0], tuple(row))))
    assert parse_document(read_form(typed, CATALOGUE), CATALOGUE) == document


def test_a_document_without_tests_or_catalogue_texts_has_its_form_too() -> None:
    raw = sample()
    del raw["tests"]
    ratio = fact("ratio", "decimal", scale=4, minimum=0, maximum=10**6, unit="x")
    catalogue = {**CATALOGUE, "ratio": ratio}
    document = parse_document(raw, catalogue)
    sheets = form_of(document, {})
    assert sheets[-1].rows == ((),)
    assert parse_document(read_form(sheets, catalogue), catalogue) == document
    with_unit = form_of(document, catalogue)[2]
    assert any(note.startswith("ratio: decimal, x, 0 to 100") for note in with_unit.notes.values())


@given(st.integers(0, 20_000), st.integers(0, 2_000))
def test_cells_are_named_as_spreadsheets_do(column: int, row: int) -> None:
    name = cell_name(row, column)
    letters = name.rstrip("0123456789")
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    assert (number - 1, int(name[len(letters) :]) - 1) == (column, row)
