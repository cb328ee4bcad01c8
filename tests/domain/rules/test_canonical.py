"""RFC 8785 against its reference package, and hashes that follow meaning."""

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.rules import (
    canonical_json,
    document_hash,
    document_json,
    parse_document,
)
from app.domain.rules.canonical import MAX_EXACT_INTEGER, JsonValue, rfc8785_json
from tests.domain.rules.samples import CATALOGUE, sample
from tests.parity.rule_strategies import CATALOGUE as RANDOM_CATALOGUE
from tests.parity.rule_strategies import Case, cases

plain_text = st.text(st.characters(exclude_categories=["Cs"]))
json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_EXACT_INTEGER, MAX_EXACT_INTEGER) | plain_text,
    lambda inner: st.lists(inner) | st.dictionaries(plain_text, inner),
    max_leaves=20,
)


@given(json_values)
def test_canonical_json_is_that_of_the_reference(value: JsonValue) -> None:
    assert rfc8785_json(value) == rfc8785.dumps(value)


def test_keys_sort_by_utf16_and_not_by_code_point() -> None:
    assert rfc8785_json({"\U00010000": 1, "\uffff": 2}).decode() == '{"\U00010000":1,"\uffff":2}'


def test_an_integer_that_json_cannot_carry_exactly_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond the integers"):
        rfc8785_json([MAX_EXACT_INTEGER + 1])


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        rfc8785_json("\ud800")


@settings(max_examples=30)
@given(cases())
def test_a_written_document_reads_back_equal_and_hashes_alike(case: Case) -> None:
    document = case.dense.document
    again = parse_document(document_json(document), RANDOM_CATALOGUE)
    assert again == document
    assert document_hash(again) == document_hash(document)
    assert canonical_json(again) == canonical_json(document)


def test_documents_that_mean_the_same_hash_alike() -> None:
    plain = parse_document(sample(), CATALOGUE)
    raw = sample()
    characteristics = raw["scorecard"]["characteristics"]
    characteristics[0]["bins"][1]["when"] = "[1.00..3], 2"
    characteristics[0]["trend"] = "increasing"
    characteristics[1]["bins"][0]["when"] = "null, 0, 1"
    raw["tables"][1]["rules"][0]["when"] = {"growth": "[2..10]", "ratio": ">3"}
    raw["tables"][1]["hit_policy"] = "unique"
    raw["tables"][2]["rules"][2]["when"] = {"since": "-"}
    raw["tests"][0]["in"]["claims"] = None
    raw = dict(reversed(raw.items()))
    spelled = parse_document(raw, CATALOGUE)
    assert spelled == plain
    assert document_hash(spelled) == document_hash(plain)


def test_documents_that_mean_something_else_hash_differently() -> None:
    raw = sample()
    raw["tables"][1]["rules"][0]["when"]["ratio"] = "> 3.0001"
    changed = parse_document(raw, CATALOGUE)
    assert document_hash(changed) != document_hash(parse_document(sample(), CATALOGUE))


def test_a_hash_is_the_sha_256_in_hexadecimal_digits() -> None:
    digits = document_hash(parse_document(sample(), CATALOGUE))
    assert len(digits) == 64
    assert int(digits, 16)


def test_a_written_test_has_its_values_as_people_write_them() -> None:
    raw = sample()
    raw["tests"][0]["in"] |= {"since": "2020-01-31", "smoker": True, "premium": "12.50"}
    written = document_json(parse_document(raw, CATALOGUE))
    assert written["tests"] == [
        {
            "in": {
                "ratio": "3.2",
                "growth": "2",
                "policies": "1",
                "city": "上海",
                "line": "motor",
                "since": "2020-01-31",
                "smoker": True,
                "premium": "12.5",
            },
            "expect": {"tier": "diamond", "dimension.loyalty": 429, "labels": []},
        }
    ]


def test_a_document_without_tests_is_written_without_them() -> None:
    raw = sample()
    raw["tests"] = []
    assert "tests" not in document_json(parse_document(raw, CATALOGUE))
