"""A mapping document is read whole, and everything wrong with it is said with its place."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.records.casting.reading import Reading
from app.domain.records.findings import Finding, MappingError
from app.domain.records.mapping.document import (
    Distinct,
    Group,
    OnDuplicate,
    RecordsMapping,
    Source,
    SourceFormat,
    parse_mapping,
)
from app.domain.records.mapping.expressions import (
    Absent,
    As,
    Beside,
    Branch,
    Case,
    Choice,
    Chosen,
    Compared,
    Comparison,
    Condition,
    Constant,
    Default,
    Every,
    Expression,
    From,
    Neighbour,
    Not,
    OneOf,
    Some,
    Template,
    Translated,
)
from app.domain.records.mapping.own_layout import own_layout
from app.domain.records.specs import RECORDS, ColumnType


def document(**changes: object) -> dict[str, object]:
    """A mapping that can be read, with changes."""
    return {
        "format": "tiering-mapping/1",
        "source": {"format": "csv"},
        "records": [
            {"record": "product_services", "columns": {"product": "P", "service_code": "S"}}
        ],
        **changes,
    }


def with_value(raw: object) -> dict[str, object]:
    """A mapping in which one column is made of a value."""
    return document(
        records=[{"record": "product_services", "columns": {"product": raw, "service_code": "S"}}]
    )


def value_of(raw: object) -> Expression:
    """How a value is read."""
    return parse_mapping(with_value(raw)).records[0].columns["product"]


def condition_of(raw: object) -> Condition:
    """How a condition is read."""
    filters = [{"name": "n", "reason": "r", "when": raw}]
    return parse_mapping(document(filters=filters)).filters[0].when


def findings(raw: dict[str, object]) -> list[str]:
    """What is wrong with a document."""
    with pytest.raises(MappingError) as caught:
        parse_mapping(raw)
    assert caught.value.detail == "\n".join(map(str, caught.value.findings))
    return [str(finding) for finding in caught.value.findings]


PATH = "records[0].columns.product"
NO_MAPPING = ": a mapping of names to values is needed; examples/README.md shows the form"
ONE_SOURCE = (
    ": a value needs exactly one source; give one of from, constant, template, coalesce, least,"
    " greatest, next, previous, first, last, case"
)


def test_a_whole_document() -> None:
    mapping = parse_mapping(
        document(
            title="x",
            currency="EUR",
            source={
                "format": "csv",
                "encoding": "GB18030",
                "delimiter": ";",
                "decimal_mark": ",",
                "nulls": ["NA", 0],
                "group": {"by": ["ID"], "order": ["Year", {"from": "Day", "as": "date"}]},
            },
            records=[
                {
                    "record": "product_services",
                    "when": {"value": "A", "is_absent": False},
                    "distinct": "last",
                    "on_duplicate": "last",
                    "columns": {"product": "P", "service_code": {"constant": 7}},
                }
            ],
        )
    )
    source = mapping.source
    assert (source.format, source.encoding, source.delimiter) == (SourceFormat.CSV, "gb18030", ";")
    assert (source.decimal_mark, source.nulls) == (",", ("NA", "0"))
    date_reading = Reading(ColumnType.DATE, decimal_mark=".", rounds=True)
    day = "source.group.order[1]"
    assert source.group == Group(
        ("ID",), (From("source.group.order[0]", "Year"), As(day, From(day, "Day"), date_reading))
    )
    (record,) = mapping.records
    assert mapping.currency == "EUR"
    assert record.record is RECORDS["product_services"]
    assert record.when == Absent(
        "records[0].when", From("records[0].when.value", "A"), is_absent=False
    )
    assert (record.distinct, record.on_duplicate) == (Distinct.LAST, OnDuplicate.LAST)
    assert record.columns["service_code"] == Constant("records[0].columns.service_code", 7)


def test_what_is_left_out_has_its_default() -> None:
    mapping = parse_mapping(document())
    assert mapping == RecordsMapping(Source(SourceFormat.CSV), mapping.records)
    assert mapping.records[0].distinct is None
    assert mapping.records[0].on_duplicate is OnDuplicate.REJECT
    assert parse_mapping(document(source={"format": "parquet"})).source.format == "parquet"
    assert parse_mapping(
        document(source={"format": "csv", "group": {"by": ["A"]}})
    ).source.group == (Group(("A",), ()))


def test_values() -> None:
    assert value_of("A") == From(PATH, "A")
    assert value_of({"from": "A"}) == From(PATH, "A")
    assert value_of({"constant": "x"}) == Constant(PATH, "x")
    assert value_of({"template": "p-{A}.{B}"}) == Template(
        f"{PATH}.template", ("p-", "A", ".", "B", "")
    )
    assert value_of({"least": ["A", {"constant": 1}]}) == Chosen(
        PATH, Choice.LEAST, (From(f"{PATH}.least[0]", "A"), Constant(f"{PATH}.least[1]", 1))
    )
    assert value_of({"next": "A"}) == Beside(PATH, Neighbour.NEXT, "A")
    case = {"case": [{"when": {"value": "A", "is_absent": True}, "then": "B"}], "else": "C"}
    place = f"{PATH}.case[0]"
    branch = Branch(
        Absent(f"{place}.when", From(f"{place}.when.value", "A"), is_absent=True),
        From(f"{place}.then", "B"),
    )
    assert value_of(case) == Case(PATH, (branch,), From(f"{PATH}.else", "C"))
    assert value_of({"case": case["case"]}) == Case(PATH, (branch,), None)


def test_modifiers_apply_one_after_the_other() -> None:
    raw = {
        "from": "A",
        "map": {"0": "n", "1": None},
        "otherwise": "?",
        "as": "bool",
        "true": ["j"],
        "false": ["n"],
        "default": False,
    }
    words = Translated(
        PATH, From(PATH, "A"), {"0": "n", "1": None}, Constant(f"{PATH}.otherwise", "?")
    )
    reading = Reading(ColumnType.BOOL, true_words=("j",), false_words=("n",), rounds=True)
    assert value_of(raw) == Default(
        PATH, As(PATH, words, reading), Constant(f"{PATH}.default", value=False)
    )
    assert value_of({"from": "A", "as": "decimal", "scale": 2}) == As(
        PATH, From(PATH, "A"), Reading(ColumnType.DECIMAL, scale=2, rounds=True)
    )


def test_conditions() -> None:
    path = "filters[0].when"
    left = From(f"{path}.value", "A")
    assert condition_of({"value": "A", "at_least": 3}) == Compared(
        path, left, Comparison.AT_LEAST, Constant(f"{path}.at_least", 3)
    )
    assert condition_of({"value": "A", "equals": {"from": "B"}}) == Compared(
        path, left, Comparison.EQUALS, From(f"{path}.equals", "B")
    )
    assert condition_of({"value": "A", "is_one_of": ["x", 1]}) == OneOf(path, left, ("x", "1"))
    nothing = {"value": "A", "is_absent": True}
    inner = f"{path}.all[0]"
    absent = Absent(inner, From(f"{inner}.value", "A"), is_absent=True)
    assert condition_of({"all": [nothing]}) == Every(path, (absent,))
    inner = f"{path}.any[0]"
    absent = Absent(inner, From(f"{inner}.value", "A"), is_absent=True)
    assert condition_of({"any": [nothing]}) == Some(path, (absent,))
    inner = f"{path}.not"
    absent = Absent(inner, From(f"{inner}.value", "A"), is_absent=True)
    assert condition_of({"not": nothing}) == Not(path, absent)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            {"format": "x"},
            "format: this is no mapping that can be read here; write tiering-mapping/1",
        ),
        ({"sorce": 1}, "unknown key 'sorce'; did you mean 'source'?"),
        (
            {"source": "csv"},
            "source: a mapping of names to values is needed; examples/README.md shows the form",
        ),
        (
            {"source": {}},
            "source.format: the format is missing or unknown; write csv, parquet or xlsx",
        ),
        (
            {"source": {"format": "parquet", "delimiter": ","}},
            "source.delimiter: a file of format parquet has none; drop it",
        ),
        (
            {"source": {"format": "csv", "encoding": "klingon"}},
            "source.encoding: unknown encoding; write one such as utf-8 or gb18030",
        ),
        *(
            (
                {"source": {"format": "csv", "encoding": name}},
                "source.encoding: unknown encoding; write one such as utf-8 or gb18030",
            )
            for name in ("hex", "rot13", "base64", "undefined", "a\0b")
        ),
        (
            {"source": {"format": "csv", "group": {"by": ["A", "A"]}}},
            "source.group.by: a column is named twice; name each once",
        ),
        (
            {"source": {"format": "csv", "delimiter": "::"}},
            "source.delimiter: this mark is not known; write one of ',' ';' '\\t' '|'",
        ),
        (
            {"source": {"format": "csv", "nulls": []}},
            "source.nulls: a list with at least one entry is needed; write it as - entry",
        ),
        (
            {"source": {"format": "csv", "nulls": [""]}},
            "source.nulls[0]: a text is needed; write one, in quotes if it looks like a number",
        ),
        ({"currency": "euro"}, "currency: no currency; write its ISO 4217 code, as EUR"),
        ({"records": []}, "records: a list with at least one entry is needed; write it as - entry"),
        (
            {"records": [{"record": "policy"}]},
            "records[0].record: unknown record 'policy'; did you mean 'policies'?",
        ),
        (
            {
                "filters": [
                    {
                        "name": "a",
                        "reason": "",
                        "when": {"any": [{"value": "A", "is_absent": True}]},
                    }
                ]
            },
            "filters[0].reason: a text is needed; write one, in quotes if it looks like a number",
        ),
    ],
)
def test_what_is_wrong_with_a_document(changes: dict[str, Any], found: str) -> None:
    assert found in findings(document(**changes))


def test_what_is_wrong_with_a_record() -> None:
    record = {"record": "product_services", "columns": {"product": "P", "service_code": "S"}}

    def said(**changes: object) -> list[str]:
        return findings(document(records=[{**record, **changes}]))

    assert said(distinct="first") == [
        "records[0].distinct: there is no group to take a row of; add source.group"
    ]
    assert said(distinct="some") == [
        "records[0].distinct: unknown word 'some'; write first or last"
    ]
    assert said(columns={"product": "P"}) == [
        "records[0].columns: service_code is missing; every record needs it; map or set it"
    ]
    assert said(columns={"product": "P", "service_code": {"constant": None}}) == [
        "records[0].columns.service_code: service_code may not be absent; give it a value"
    ]
    assert said(columns={"product": "P", "service_code": "S", "premium": "X"}) == [
        "records[0].columns: unknown key 'premium'; known here: product, service_code"
    ]
    assert said(columns="x") == [f"records[0].columns{NO_MAPPING}"]
    assert said(record="x", columns={"a": "B"}) == [
        f"records[0].record: unknown record 'x'; known here: {', '.join(RECORDS)}"
    ]


def test_filters_have_names_of_their_own() -> None:
    one = {"name": "a", "reason": "r", "when": {"value": "A", "is_absent": True}}
    assert findings(document(filters=[one, one])) == [
        "filters[1].name: this name is taken; name each filter"
    ]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (
            7,
            [
                NO_MAPPING,
                ONE_SOURCE,
            ],
        ),
        (
            {"from": "A", "constant": 1},
            [
                (
                    ": a value needs exactly one source; give one of from, constant,"
                    " template, coalesce, least, greatest, next, previous, first, last, case"
                )
            ],
        ),
        ({"from": "A", "else": "B"}, [": `else` belongs to `case`; use `otherwise` for a map"]),
        (
            {"from": "A", "otherwise": "B"},
            [": `otherwise` without `map`; drop it, or use `default`"],
        ),
        ({"from": "A", "format": "x"}, [": `format` without `as`; say as: date, decimal or bool"]),
        (
            {"from": "A", "as": "money"},
            [".as: unknown type 'money'; use text, int, decimal, bool, date"],
        ),
        (
            {"from": "A", "as": "decimal", "scale": 3},
            [".scale: the scale is no number of decimal digits; use 0 to 2"],
        ),
        (
            {"from": "A", "as": "decimal", "scale": True},
            [".scale: the scale is no number of decimal digits; use 0 to 2"],
        ),
        (
            {"from": "A", "as": "date", "format": "DD/MM/YY"},
            [".format: no date format; build one of YYYY, MM or M, DD or D, as DD/MM/YYYY"],
        ),
        (
            {"from": "A", "map": {}},
            ['.map: a mapping of words to words is needed; write "0": agent'],
        ),
        (
            {"constant": [1]},
            [
                ".constant: a plain value is needed; write a text, a number, true, false or null",
                ": product may not be absent; give it a value",
            ],
        ),
        (
            {"template": "a}{B}"},
            [".template: a brace without its partner; write {column}, and no other braces"],
        ),
        (
            {"case": [{"when": {"value": "A", "is_absent": True}}]},
            [".case[0]: a branch needs `when` and `then`; give both"],
        ),
        (
            {"case": [7]},
            [".case[0]: a mapping of names to values is needed; examples/README.md shows the form"],
        ),
    ],
)
def test_what_is_wrong_with_a_value(raw: object, found: list[str]) -> None:
    assert findings(with_value(raw)) == [f"{PATH}{item}" for item in found]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (
            {"value": "A", "all": []},
            ": a condition needs exactly one beginning; give one of value, all, any, not",
        ),
        (
            {"value": "A"},
            (
                ": a condition on a value needs exactly one test; give one of equals, differs,"
                " below, at_most, above, at_least, is_one_of, is_absent"
            ),
        ),
        (
            {"value": "A", "is_absent": "yes"},
            ".is_absent: true or false is needed; write true or false",
        ),
        (
            {"value": "A", "like": "x"},
            (
                ": unknown key 'like'; known here: value, all, any, not, equals, differs,"
                " below, at_most, above, at_least, is_one_of, is_absent"
            ),
        ),
        ("x", NO_MAPPING),
    ],
)
def test_what_is_wrong_with_a_condition(raw: object, found: str) -> None:
    filters = [{"name": "n", "reason": "r", "when": raw}]
    assert findings(document(filters=filters)) == [f"filters[0].when{found}"]


def test_our_own_layout_maps_every_column_to_itself() -> None:
    mapping = own_layout(
        RECORDS["claims"],
        ["claim_no", "policy_no", "customer_id", "occurred_on", "reported_on", "currency"],
    )
    assert mapping.records[0].columns["currency"] == From("header.currency", "currency")
    with pytest.raises(MappingError) as caught:
        own_layout(RECORDS["surveys"], ["survey_no", "customer_id", "nsp", "answered_on"])
    assert caught.value.findings == (
        Finding(
            "header.nsp",
            "surveys has no column 'nsp'",
            "did you mean 'nps'?",
        ),
        Finding("header.nps", "the column 'nps' is missing", "add it, or give a mapping"),
    )
