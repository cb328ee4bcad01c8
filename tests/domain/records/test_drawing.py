"""Rows of a file become records: values, conditions, groups, filters, and what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import polars as pl
import pytest

from app.domain.records.findings import MappingError
from app.domain.records.mapping.document import parse_mapping
from app.domain.records.mapping.frame import (
    DATED,
    FINDINGS,
    ROW,
    Drawn,
    Plan,
    Setting,
    compile_mapping,
    draw,
    list_findings,
    no_findings,
)

DAY = date(2020, 2, 29)
SETTING = Setting("Asia/Shanghai", date(2026, 11, 22))

Rows = Mapping[str, Sequence[object]]


def planned(rows: Rows, /, **document: object) -> tuple[Plan, pl.DataFrame]:
    """A mapping compiled for some rows."""
    frame = pl.DataFrame(dict(rows))
    raw = {"format": "tiering-mapping/1", "source": {"format": "parquet"}, **document}
    plan = compile_mapping(parse_mapping(raw), frame.schema, SETTING)
    return plan, frame.with_row_index(ROW, 1).cast({ROW: pl.Int64})


def drawn(rows: Rows, /, **document: object) -> Drawn:
    """What a mapping makes of some rows."""
    return draw(*planned(rows, **document))


def texts(rows: Rows, value: object, /, **document: object) -> list[object]:
    """What a value is in each row, as a text column of a record."""
    result = made(rows, value, **document)
    assert result.findings.is_empty()
    return result.records[0][1]["product"].to_list()


def made(rows: Rows, value: object, /, **document: object) -> Drawn:
    """What comes of a value as a text column of a record."""
    columns = {"product": value, "service_code": {"constant": "s"}}
    records = [{"record": "product_services", "columns": columns}]
    return drawn(rows, records=records, **document)


def kept(rows: Rows, condition: object) -> list[object]:
    """The rows for which a condition holds."""
    columns = {"product": {"constant": "p"}, "service_code": {"constant": "s"}}
    record = {"record": "product_services", "when": condition, "columns": columns}
    return list(drawn(rows, records=[record]).records[0][1][ROW])


def refused(rows: Rows, value: object) -> str:
    """Why a value cannot be made of a file."""
    with pytest.raises(MappingError) as caught:
        made(rows, value)
    return caught.value.detail.removeprefix("records[0].columns.product")


def test_columns_constants_and_templates() -> None:
    source: Rows = {"A": ["x", None], "N": [1, 2], "D": [DAY, DAY]}
    assert texts(source, "A") == ["x", None]
    assert texts(source, {"constant": 7}) == ["7", "7"]
    assert texts(source, {"constant": True}) == ["true", "true"]
    assert texts(source, {"constant": None, "default": "-"}) == ["-", "-"]
    assert texts(source, {"template": "{A}-{N}/{D}"}) == ["x-1/2020-02-29", None]


def test_choices_pass_over_what_is_absent() -> None:
    source: Rows = {"A": [1, None, None], "B": [2, 5, None]}
    assert texts(source, {"coalesce": ["A", "B"]}) == ["1", "5", None]
    assert texts(source, {"coalesce": ["A", {"constant": 9}]}) == ["1", "9", "9"]
    assert texts(source, {"least": ["A", "B"]}) == ["1", "5", None]
    assert texts(source, {"greatest": ["A", "B"]}) == ["2", "5", None]
    day = {"from": "A", "as": "date"}
    dated = {"A": ["2020-02-29", "2020-03-01"]}
    assert texts(dated, {"least": [day, {"constant": "2020-03-01"}]}) == [
        "2020-02-29",
        "2020-03-01",
    ]
    assert texts({"A": [True]}, {"coalesce": ["A", {"constant": False}]}) == ["true"]


def test_words_are_looked_up() -> None:
    source: Rows = {"A": [0, 1, None]}
    assert texts(source, {"from": "A", "map": {"0": "zero", "1": None}}) == ["zero", None, None]
    assert texts(source, {"from": "A", "map": {"0": "zero"}, "otherwise": "?"}) == [
        "zero",
        "?",
        None,
    ]
    assert texts(source, {"from": "A", "map": {"0": "z"}, "otherwise": None}) == ["z", None, None]
    assert texts(source, {"from": "A", "map": {"0": "z", "1": "o"}, "default": "-"}) == [
        "z",
        "o",
        "-",
    ]


def test_the_first_branch_that_holds_decides() -> None:
    value = {
        "case": [
            {"when": {"value": "A", "below": 2}, "then": {"constant": "low"}},
            {"when": {"value": "A", "below": 3}, "then": {"constant": "mid"}},
        ],
        "else": {"constant": "high"},
    }
    assert texts({"A": [1, 2, 3, None]}, value) == ["low", "mid", "high", "high"]
    del value["else"]
    assert texts({"A": [1, 3]}, value) == ["low", None]


def test_values_are_read_as_types_on_the_way() -> None:
    assert texts({"A": [1.005]}, {"from": "A", "as": "decimal", "scale": 2}) == ["1.01"]
    assert texts({"A": ["7.0"]}, {"from": "A", "as": "text"}) == ["7.0"]
    assert texts({"A": ["yes"]}, {"from": "A", "as": "bool"}) == ["true"]


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ({"value": "A", "equals": 2}, [2]),
        ({"value": "A", "differs": 2}, [1, 3]),
        ({"value": "A", "below": 2}, [1]),
        ({"value": "A", "at_most": 2}, [1, 2]),
        ({"value": "A", "above": 2}, [3]),
        ({"value": "A", "at_least": {"from": "B"}}, [2, 3]),
        ({"value": "A", "is_one_of": [1, 3]}, [1, 3]),
        ({"value": "A", "is_absent": True}, [4]),
        ({"value": "A", "is_absent": False}, [1, 2, 3]),
        ({"all": [{"value": "A", "above": 1}, {"value": "A", "below": 3}]}, [2]),
        ({"any": [{"value": "A", "above": 2}, {"value": "A", "is_absent": True}]}, [3, 4]),
        # A comparison with an absent value does not hold, so its opposite does.
        ({"not": {"value": "A", "equals": 2}}, [1, 3, 4]),
    ],
)
def test_conditions(condition: object, rows: list[int]) -> None:
    assert kept({"A": [1, 2, 3, None], "B": [2.0, 2.0, 2.0, 2.0]}, condition) == rows


def test_constants_take_the_type_of_what_they_are_compared_with() -> None:
    source: Rows = {"D": [DAY, date(2021, 1, 1)], "T": ["1", "2"], "F": [True, False]}
    assert kept(source, {"value": "D", "below": "2020-12-31"}) == [1]
    assert kept(source, {"value": "T", "equals": 1}) == [1]
    assert kept(source, {"value": "F", "equals": True}) == [1]
    assert kept({"A": [1.5, 2.5]}, {"value": "A", "above": 2}) == [2]
    amounts: Rows = {"A": [Decimal("1.50"), Decimal("2.50")]}
    assert kept(amounts, {"value": "A", "above": "1.5"}) == [2]
    assert kept(source, {"value": {"constant": "a"}, "equals": "a"}) == [1, 2]
    assert kept(source, {"value": {"constant": None}, "equals": None}) == []


def test_what_cannot_be_compared_is_refused() -> None:
    texts_of: Rows = {"A": ["1"], "B": ["2"], "N": [1], "D": [DAY], "L": [["x"]]}
    assert refused(texts_of, {"least": ["A", "B"]}) == (
        ": texts have no order; read both sides `as: date` or `as: int`"
    )
    below = {"case": [{"when": {"value": "A", "below": "2"}, "then": "A"}]}
    assert refused(texts_of, below).endswith(
        "texts have no order; read both sides `as: date` or `as: int`"
    )
    assert refused(texts_of, {"coalesce": ["N", "D"]}) == (
        ": Int64 and Date do not compare; read both sides as one type with `as`"
    )
    assert refused(texts_of, {"coalesce": ["D", {"constant": "soon"}]}) == (
        ".coalesce[1]: 'soon' is no Date; write the constant in that type"
    )
    assert refused(texts_of, {"coalesce": ["N", {"constant": "one"}]}) == (
        ".coalesce[1]: 'one' is no Int64; write the constant in that type"
    )
    assert refused(texts_of, {"template": "{L}"}) == (
        ".template: a column of type List(String) is no text; map another column"
    )
    assert refused(texts_of, {"from": "L", "as": "int"}) == (
        ": a column of type List(String) cannot be read as int; "
        "map another column, or convert the file\n"
        "records[0].columns.product: a column of type List(String) cannot become text; "
        "map another column, or convert the file"
    )
    assert (
        refused(texts_of, {"next": "N"}) == ": there are no groups of rows here; add source.group"
    )
    assert refused(texts_of, "Q") == ": the file has no column 'Q'; known here: A, B, N, D, L"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"from": "P"}, "a column of type Duration(time_unit='us') cannot become text"),
        ({"template": "{P}"}, "a column of type Duration(time_unit='us') is no text"),
        ({"from": "T", "default": 5}, "5 is no Datetime"),
        ({"from": "C", "default": 5}, "5 is no Time"),
        ({"from": "L", "default": 5}, "5 is no List(String)"),
        ({"greatest": ["S", "S"]}, "a column of type Struct({'a': Int64}) has no order"),
    ],
)
def test_types_that_only_parquet_has_are_refused_where_they_cannot_be_used(
    value: object, said: str
) -> None:
    odd: Rows = {
        "P": [timedelta(1)],
        "T": [datetime(2020, 2, 29)],  # noqa: DTZ001 - a column without a zone.
        "C": [time(1)],
        "L": [["x"]],
        "S": [{"a": 1}],
    }
    assert said in refused(odd, value)


GROUP = {"format": "parquet", "group": {"by": ["G"], "order": ["N"]}}


def test_neighbours_stand_in_the_same_group() -> None:
    source: Rows = {"G": ["a", "a", "a", "b", None, None], "N": [1, 2, 3, 1, 1, 2]}
    assert texts(source, {"next": "N"}, source=GROUP) == ["2", "3", None, None, "2", None]
    assert texts(source, {"previous": "N"}, source=GROUP) == [None, "1", "2", None, None, "1"]
    assert texts(source, {"first": "N"}, source=GROUP) == ["1", "1", "1", "1", "1", "1"]
    assert texts(source, {"last": "N"}, source=GROUP) == ["3", "3", "3", "1", "2", "2"]


@pytest.mark.parametrize(
    ("distinct", "when", "rows"),
    [
        ("first", None, [1, 4]),
        ("last", None, [3, 4]),
        ("first", {"value": "N", "above": 1}, [2]),
        ("last", {"value": "N", "below": 3}, [2, 4]),
    ],
)
def test_one_row_stands_for_a_group(distinct: str, when: object, rows: list[int]) -> None:
    source: Rows = {"G": ["a", "a", "a", "b"], "N": [1, 2, 3, 1]}
    record: dict[str, object] = {
        "record": "product_services",
        "distinct": distinct,
        "columns": {"product": "G", "service_code": "N"},
    }
    if when:
        record["when"] = when
    result = drawn(source, records=[record], source=GROUP)
    assert result.records[0][1][ROW].to_list() == rows
    assert result.unused == 4 - len(rows)


def test_groups_need_columns_that_the_file_has() -> None:
    with pytest.raises(MappingError, match=r"source\.group\.by: the file has no column 'G'"):
        made({"N": [1]}, {"constant": "x"}, source=GROUP)


def test_only_the_columns_in_use_are_asked_for() -> None:
    columns = {"product": "A", "service_code": {"constant": "s"}}
    records = [{"record": "product_services", "columns": columns}]
    plan, _ = planned({"A": ["x"], "B": ["y"], "G": [1], "N": [1]}, records=records, source=GROUP)
    assert plan.columns == ("A", "G", "N")
    assert plan.by == ("G",)
    assert len(plan.order) == 1


def test_each_filtered_row_counts_for_the_first_filter_that_takes_it() -> None:
    filters = [
        {"name": "small", "reason": "r", "when": {"value": "A", "below": 3}},
        {"name": "odd", "reason": "r", "when": {"value": "A", "is_one_of": [1, 3]}},
    ]
    result = made({"A": [1, 2, 3, 4]}, "A", filters=filters)
    assert result.filtered == {"small": 2, "odd": 1}
    assert result.records[0][1].to_dicts() == [{ROW: 4, "product": "4", "service_code": "s"}]
    assert (result.rows, result.unused) == (4, 0)


def test_what_cannot_be_read_is_found_with_row_and_code() -> None:
    columns = {
        "survey_no": "S",
        "customer_id": "S",
        "answered_on": {"from": "D", "as": "date", "format": "D/M/YYYY"},
        "nps": {"from": "N", "map": {"good": 9}},
    }
    source: Rows = {"S": ["1", "2"], "D": ["1/2/2020", "2020"], "N": ["good", "bad"]}
    result = drawn(source, records=[{"record": "surveys", "columns": columns}])
    assert result.findings.schema == FINDINGS
    assert result.findings.rows() == [
        (2, "surveys", "answered_on", "bad-date", None),
        (2, "surveys", "nps", "unmapped-value", None),
    ]
    assert result.records[0][1].rows() == [
        (1, "1", "1", date(2020, 2, 1), 9),
        (2, "2", "2", None, None),
    ]


def test_values_are_shown_only_where_they_are_not_personal() -> None:
    columns = {
        "customer_id": "A",
        "kind": {"constant": "individual"},
        "income": "A",
        "valid_from": "A",
    }
    result = drawn({"A": ["x" * 100]}, records=[{"record": "customers", "columns": columns}])
    assert result.findings.rows() == [
        (1, "customers", "income", "bad-decimal", None),
        (1, "customers", "valid_from", "bad-date", "x" * 80),
    ]


def test_a_value_is_a_fault_only_where_its_branch_is_taken() -> None:
    day = {"from": "A", "as": "date"}
    value = {
        "case": [{"when": {"value": "K", "equals": "d"}, "then": day}],
        "else": {"from": "B", "as": "date"},
    }
    source: Rows = {
        "K": ["d", "x", "d"],
        "A": ["2020-01-01", "no", "no"],
        "B": ["no", "2020-01-02", "no"],
    }
    columns = {"survey_no": "K", "customer_id": "K", "answered_on": value, "nps": {"constant": 1}}
    result = drawn(source, records=[{"record": "surveys", "columns": columns}])
    assert result.findings["row"].to_list() == [3]
    assert result.findings["code"].to_list() == ["bad-date"]


def test_attributes_without_a_day_hold_from_the_import() -> None:
    columns: dict[str, object] = {"customer_id": "A", "kind": {"constant": "individual"}}
    ((_, frame),) = drawn(
        {"A": ["C"]}, records=[{"record": "customers", "columns": columns}]
    ).records
    assert frame.row(0, named=True) == {
        ROW: 1,
        "customer_id": "C",
        "kind": "individual",
        "valid_from": SETTING.valid_from,
        DATED: False,
    }
    columns["valid_from"] = "D"
    source: Rows = {"A": ["C", "E"], "D": [DAY, None]}
    ((_, frame),) = drawn(source, records=[{"record": "customers", "columns": columns}]).records
    assert frame["valid_from"].to_list() == [DAY, SETTING.valid_from]
    assert frame[DATED].to_list() == [True, False]


def test_an_absent_value_takes_the_default_of_its_column() -> None:
    columns = {
        "claim_no": "A",
        "policy_no": "A",
        "customer_id": "A",
        "occurred_on": "D",
        "reported_on": "D",
        "claim_count": "N",
    }
    result = drawn(
        {"A": ["1", "2"], "D": [DAY, DAY], "N": [None, 3]},
        records=[{"record": "claims", "columns": columns}],
    )
    assert result.records[0][1]["claim_count"].to_list() == [1, 3]


def test_no_place_to_look_at_is_no_finding() -> None:
    frame = pl.DataFrame({ROW: [1]})
    assert list_findings(frame, pl.DataFrame(), []).equals(no_findings())
