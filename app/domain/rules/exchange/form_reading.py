"""The raw document of a workbook of forms, for `parse_document` to read.

What the form itself gets wrong is told with the name of the cell: a missing sheet or column, a day
where Excel has made one of ``1-3``, something where nothing is expected. What the values mean is
judged by `parse_document`, as of any document.
"""

from collections.abc import Mapping, Sequence

from app.domain.facts.model import Fact, FactType
from app.domain.rules.exchange import form
from app.domain.rules.exchange.form_tables import read_table, read_tests
from app.domain.rules.exchange.grid import Grid
from app.domain.rules.exchange.plain_text import escaped
from app.domain.rules.exchange.workbook import Sheet, Workbook
from app.domain.rules.findings import DocumentError, Finding

_REQUIRED = (form.RULE_SET, form.OBJECTIVES, form.SCORECARD)


def read_form(workbook: Workbook, catalogue: Mapping[str, Fact]) -> dict[str, object]:
    """Return the raw document that a workbook of forms means.

    Raises DocumentError with everything that is wrong with the form.
    """
    findings: list[Finding] = []
    days = frozenset(name for name, fact in catalogue.items() if fact.type is FactType.DATE)
    grids = {sheet.title: Grid(sheet, findings) for sheet in workbook}
    findings += [
        Finding(title, "sheet-missing", f"There is no sheet {title}.", "Add it.")
        for title in _REQUIRED
        if title not in grids
    ]
    tables = [
        read_table(grid, days)
        for title, grid in grids.items()
        if title not in form.RESERVED and _is_table(grid.sheet, findings)
    ]
    raw: dict[str, object] = {}
    if form.RULE_SET in grids:
        raw = _rule_set(grids[form.RULE_SET])
    scorecard = {"reasons": raw.pop("reasons", {})}
    if form.OBJECTIVES in grids:
        raw["objectives"] = _objectives(grids[form.OBJECTIVES])
    if form.SCORECARD in grids:
        raw["scorecard"] = {
            **scorecard,
            "characteristics": _scorecard(grids[form.SCORECARD], days),
        }
    raw["tables"] = tables
    if form.TESTS in grids and (tests := read_tests(grids[form.TESTS], tables, catalogue)):
        raw["tests"] = tests
    if findings:
        raise DocumentError(findings)
    return raw


def _is_table(sheet: Sheet, findings: list[Finding]) -> bool:
    """Say whether a sheet is a table's; any other is refused unless it is empty."""
    if sheet.rows and sheet.rows[0] and sheet.rows[0][0] == form.TABLE:
        return True
    if any(value is not None for row in sheet.rows for value in row):
        findings.append(
            Finding(
                escaped(sheet.title),
                "sheet-unknown",
                "This sheet is no part of a rule set.",
                f"Write {form.TABLE} into A1 if it is a table, or remove the sheet.",
            )
        )
    return False


def _rule_set(grid: Grid) -> dict[str, object]:
    grid.columns(0, form.RULE_SET_COLUMNS)
    raw: dict[str, object] = {}
    for row in grid.filled_rows(1):
        name = grid.text(row, 0).strip()
        if name not in form.FIELDS:
            grid.refuse(
                (row, 0),
                "sheet-field",
                f"The field {escaped(name[:60])} is not known.",
                f"Known are {', '.join(form.FIELDS)}.",
            )
            continue
        if grid.at(row, 1) is None and name in form.OPTIONAL_FIELDS:
            continue
        group, _, key = name.rpartition(".")
        part = raw.setdefault(group, {}) if group else raw
        if isinstance(part, dict) and key in part:
            grid.refuse((row, 0), "sheet-field", f"{name} occurs twice.", "Drop one of them.")
        elif isinstance(part, dict):
            part[key] = (grid.integer if name in form.INTEGER_FIELDS else grid.text)(row, 1)
        grid.nothing_right_of(row, len(form.RULE_SET_COLUMNS))
    return raw


def _objectives(grid: Grid) -> dict[str, object]:
    header = grid.header(0)
    if form.OBJECTIVE not in header:
        grid.refuse(
            (0, 0), "sheet-column", f"There is no column {form.OBJECTIVE}.", "Head a column so."
        )
        return {}
    objectives: dict[str, object] = {}
    for row in grid.filled_rows(1):
        name = grid.text(row, header[form.OBJECTIVE]).strip()
        if name in objectives:
            grid.refuse(
                (row, header[form.OBJECTIVE]),
                "sheet-field",
                "This objective occurs twice.",
                "Drop one of them.",
            )
        objectives[name] = {
            dimension: grid.integer(row, column)
            for dimension, column in header.items()
            if dimension != form.OBJECTIVE and grid.at(row, column) is not None
        }
    return objectives


def _scorecard(grid: Grid, days: frozenset[str]) -> list[dict[str, object]]:
    columns = grid.columns(0, form.SCORECARD_COLUMNS)
    if not columns.keys() >= set(form.SCORECARD_COLUMNS):
        return []
    groups: list[list[int]] = []
    last = ""
    for row in grid.filled_rows(1):
        grid.nothing_right_of(row, max(columns.values()) + 1)
        name = grid.text(row, columns["id"]).strip()
        if groups and name in ("", last):
            groups[-1].append(row)
        else:
            groups.append([row])
            last = name
    return [_characteristic(grid, columns, rows, days) for rows in groups]


def _characteristic(
    grid: Grid, columns: Mapping[str, int], rows: Sequence[int], days: frozenset[str]
) -> dict[str, object]:
    first = rows[0]
    for row in rows[1:]:
        for name in form.CHARACTERISTIC_COLUMNS:
            repeated = grid.at(row, columns[name])
            if repeated is not None and repeated != grid.at(first, columns[name]):
                grid.refuse(
                    (row, columns[name]),
                    "sheet-contradiction",
                    f"The first row of this characteristic says something else of its {name}.",
                    "Say it there, and leave it empty here.",
                )
    source = grid.text(first, columns["input"]).strip()
    raw: dict[str, object] = {
        "id": grid.text(first, columns["id"]).strip(),
        "dimension": grid.text(first, columns["dimension"]).strip(),
        "input": source,
        "reason": _reason(grid, first, [columns[n] for n in ("code", "reason_en", "reason_zh")]),
        "bins": [_bin(grid, columns, row, is_day=source in days) for row in rows],
    }
    if grid.at(first, columns["trend"]) is not None:
        raw["trend"] = grid.text(first, columns["trend"]).strip()
    return raw


def _bin(grid: Grid, columns: Mapping[str, int], row: int, *, is_day: bool) -> dict[str, object]:
    raw: dict[str, object] = {
        "when": grid.condition(row, columns["when"], is_day=is_day),
        "points": grid.integer(row, columns["points"]),
    }
    own_reason = [columns[name] for name in form.BIN_REASON_COLUMNS]
    if any(grid.at(row, column) is not None for column in own_reason):
        raw["reason"] = _reason(grid, row, own_reason)
    return raw


def _reason(grid: Grid, row: int, columns: Sequence[int]) -> dict[str, object]:
    code, english, chinese = (grid.text(row, column) for column in columns)
    return {"code": code.strip(), "en": english, "zh": chinese}
