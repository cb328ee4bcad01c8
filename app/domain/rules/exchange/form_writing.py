"""A rule-set document as a workbook of forms, from which `form_reading` makes it again."""

import json
from collections.abc import Mapping

from app.domain.facts.model import Fact, FactValue
from app.domain.rules.cells import print_cell
from app.domain.rules.domains import Domain, Kind, range_text
from app.domain.rules.exchange import form
from app.domain.rules.exchange.plain_text import escaped
from app.domain.rules.exchange.workbook import (
    MAX_CHARACTERS,
    MAX_COLUMNS,
    MAX_TITLE,
    Choices,
    Sheet,
    SheetValue,
    Workbook,
    cell_name,
    column_name,
)
from app.domain.rules.findings import DocumentError, Finding
from app.domain.rules.literals import word_literal
from app.domain.rules.model import (
    FORMAT,
    Characteristic,
    DowngradeStep,
    Example,
    HitPolicy,
    ReasonText,
    RuleSetDocument,
    Table,
    Trend,
)
from app.domain.rules.values import value_text
from app.domain.words import RULE_SET_LINES

_SPARE_ROWS = 200
_LARGEST_NUMBER = 10**15
_Row = tuple[SheetValue, ...]


def form_of(document: RuleSetDocument, catalogue: Mapping[str, Fact]) -> Workbook:
    """Return the workbook of a document; notes tell what the catalogue says of its facts.

    Raises DocumentError with every text that is longer and every row that is wider than a sheet.
    """
    titles = _titles(document.tables)
    sheets = (
        _rule_set(document),
        _objectives(document),
        _scorecard(document, catalogue),
        *(_table(table, titles[table.id], catalogue) for table in document.tables),
        _tests(document),
    )
    findings = [finding for sheet in sheets for finding in _too_large(sheet)]
    if findings:
        raise DocumentError(findings)
    return sheets


def _titles(tables: tuple[Table, ...]) -> dict[str, str]:
    """Return a sheet's title for each table; spreadsheets allow few signs and no title twice."""
    taken = {title.lower() for title in form.RESERVED}
    titles: dict[str, str] = {}
    for table in tables:
        title, at = table.id[:MAX_TITLE], 1
        while title in taken:
            at += 1
            title = f"{table.id[: MAX_TITLE - len(str(at)) - 1]} {at}"
        taken.add(title)
        titles[table.id] = title
    return titles


def _too_large(sheet: Sheet) -> list[Finding]:
    findings: list[Finding] = []
    for row, values in enumerate(sheet.rows):
        if len(values) > MAX_COLUMNS:
            findings.append(
                Finding(
                    f"{sheet.title}.{row + 1}",
                    "not-carried",
                    f"A sheet has {MAX_COLUMNS:,} columns, this row takes {len(values):,}.",
                    "Use YAML or JSON.",
                )
            )
        findings += [
            Finding(
                f"{sheet.title}.{cell_name(row, column)}",
                "not-carried",
                f"A cell holds {MAX_CHARACTERS:,} characters, this text has {len(value):,}.",
                "Use YAML or JSON, or shorten it.",
            )
            for column, value in enumerate(values)
            if isinstance(value, str) and len(value) > MAX_CHARACTERS
        ]
    return findings


def _rule_set(document: RuleSetDocument) -> Sheet:
    stability = document.stability
    values: dict[str, SheetValue] = {
        "format": FORMAT,
        "id": document.id,
        "product_line": document.product_line,
        "title.en": document.title.en,
        "title.zh": document.title.zh,
        "objective": document.objective,
        "risk_model": document.risk_model,
        "reasons.top": document.top_reasons,
        "stability.downgrade_cooldown_days": stability.downgrade_cooldown_days,
        "stability.downgrade_step": stability.downgrade_step.value,
        "stability.grace_days": stability.grace_days,
        "stability.min_dwell_days": stability.min_dwell_days,
    }
    lists: dict[str, tuple[str, ...]] = {
        "product_line": RULE_SET_LINES,
        "objective": tuple(document.objectives),
        "stability.downgrade_step": tuple(step.value for step in DowngradeStep),
    }
    order = list(form.FIELDS)
    return Sheet(
        form.RULE_SET,
        (
            form.RULE_SET_COLUMNS,
            *((name, values[name], meaning) for name, meaning in form.FIELDS.items()),
        ),
        choices=tuple(
            Choices(1, (order.index(name) + 1, order.index(name) + 1), source)
            for name, source in lists.items()
        ),
    )


def _objectives(document: RuleSetDocument) -> Sheet:
    dimensions = document.dimensions
    rows: list[_Row] = [
        (name, *(profile[dimension] for dimension in dimensions))
        for name, profile in document.objectives.items()
    ]
    return Sheet(
        form.OBJECTIVES,
        ((form.OBJECTIVE, *dimensions), *rows),
        notes={(0, 0): "One row per objective: weights per mille, which sum to 1000."},
    )


def _scorecard(document: RuleSetDocument, catalogue: Mapping[str, Fact]) -> Sheet:
    rows: list[_Row] = [form.SCORECARD_COLUMNS]
    notes: dict[tuple[int, int], str] = {
        (0, 0): "One row per bin. What is said of a characteristic stands in its first row.",
        (0, form.SCORECARD_COLUMNS.index("when")): _HOW_CELLS_ARE_WRITTEN,
    }
    for item in document.characteristics:
        column = form.SCORECARD_COLUMNS.index("input")
        notes[len(rows), column] = _fact_note(item.input, document.domains[item.input], catalogue)
        rows += _characteristic(item, document.domains[item.input])
    trends = tuple(trend.value for trend in Trend)
    column = form.SCORECARD_COLUMNS.index("trend")
    choices = Choices(column, (1, len(rows) + _SPARE_ROWS), trends)
    return Sheet(form.SCORECARD, tuple(rows), notes, (choices,))


def _characteristic(item: Characteristic, domain: Domain) -> list[_Row]:
    said: _Row = (item.dimension, item.input, item.trend.value, *_reason(item.reason))
    rows: list[_Row] = []
    for bin_ in item.bins:
        when = escaped(print_cell(bin_.when, domain))
        own_reason = (None, None, None) if bin_.reason is None else _reason(bin_.reason)
        rows.append((item.id, *said, when, bin_.points, *own_reason))
        said = (None,) * len(said)
    return rows


def _reason(reason: ReasonText) -> _Row:
    return (reason.code, reason.text.en, reason.text.zh)


_HOW_CELLS_ARE_WRITTEN = (
    '- for anything, null for missing, > 3, [1..3], (1..3], not(A), date(2027-01-31), "a text"; '
    "several with commas."
)


def _fact_note(name: str, domain: Domain, catalogue: Mapping[str, Fact]) -> str:
    fact = catalogue.get(name)
    kind = domain.kind.value if fact is None else fact.type.value
    unit = "" if fact is None or fact.unit is None else f", {fact.unit}"
    null = ", or null" if domain.nullable else ", never null"
    meaning = "" if fact is None else f"\n{fact.meaning}\n{fact.meaning_zh}"
    return f"{name}: {kind}{unit}, {range_text(domain)}{null}.{meaning}"


def _table(table: Table, title: str, catalogue: Mapping[str, Fact]) -> Sheet:
    first = form.HEADER_ROW + 1
    rows: list[_Row] = [
        (form.TABLE, table.id),
        ("output", table.output.name),
        ("values", *table.output.values),
        ("hit_policy", table.hit_policy.value),
        ("complete", table.complete),
        (),
        (form.RULE, *table.inputs, form.THEN),
    ]
    for rule in table.rules:
        cells = [
            escaped(print_cell(rule.when[name], table.domains[name])) if name in rule.when else "-"
            for name in table.inputs
        ]
        rows.append((rule.id, *cells, rule.then))
    notes = {
        (form.VALUES_ROW, 0): "The possible answers, the best first, one to a cell.",
        (form.HEADER_ROW, 0): f"One row per rule. Conditions: {_HOW_CELLS_ARE_WRITTEN}",
    }
    reach = (first, len(rows) - 1 + _SPARE_ROWS)
    last = column_name(len(table.output.values))
    row = form.VALUES_ROW + 1
    choices = [
        Choices(1, (3, 3), tuple(policy.value for policy in HitPolicy)),
        Choices(1, (4, 4), ("TRUE", "FALSE")),
        Choices(len(table.inputs) + 1, reach, f"$B${row}:${last}${row}"),
    ]
    for column, name in enumerate(table.inputs, 1):
        domain = table.domains[name]
        notes[form.HEADER_ROW, column] = _fact_note(name, domain, catalogue)
        if domain.words:
            hints = ["-", *(word_literal(word, domain) for word in domain.words)]
            hints += ["null"] if domain.nullable else []
            choices.append(Choices(column, reach, tuple(hints), is_rule=False))
    headings = (*range(len(form.TABLE_FIELDS)), form.HEADER_ROW)
    return Sheet(title, tuple(rows), notes, tuple(choices), headings)


def _tests(document: RuleSetDocument) -> Sheet:
    facts = list(dict.fromkeys(name for test in document.tests for name in test.facts))
    expected = list(dict.fromkeys(name for test in document.tests for name in test.expect))
    rows: list[_Row] = [
        (*(form.IN + name for name in facts), *(form.EXPECT + name for name in expected))
    ]
    for test in document.tests:
        given = (_given(test.facts.get(name), document.domains[name]) for name in facts)
        rows.append((*given, *(_answer(test, name) for name in expected)))
    notes = {
        (0, 0): "One row per test: facts that are given (empty: null), and what is expected of "
        f"them (empty: anything; {form.NO_ANSWER}: no answer)."
    }
    return Sheet(form.TESTS, tuple(rows), notes if rows[0] else {})


def _given(value: FactValue, domain: Domain) -> SheetValue:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and not domain.scale and abs(value) < _LARGEST_NUMBER:
        return value
    written = value_text(domain, value)
    is_plain = written.isprintable() and written.strip() == written and written != ""
    if domain.kind is not Kind.TEXT or (is_plain and not written.startswith('"')):
        return written
    return escaped(json.dumps(written, ensure_ascii=False))


def _answer(test: Example, name: str) -> SheetValue:
    if name not in test.expect:
        return None
    answer = test.expect[name]
    if isinstance(answer, tuple):
        return ", ".join(answer) or form.NO_ANSWER
    return form.NO_ANSWER if answer is None else answer
