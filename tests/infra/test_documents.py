from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.infra.documents import (
    MAX_CHARACTERS,
    UnreadableError,
    read_document,
    read_json_document,
)

#: YAML allows keys of up to 1,024 characters where no question mark announces them.
KEYS = st.text(max_size=100)
LEAVES = st.none() | st.booleans() | st.integers(-(10**16), 10**17) | st.text()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_json_reads_as_the_values_it_was_written_from(value: dict[str, object]) -> None:
    assert read_document(json.dumps(value)) == value


def test_what_yaml_1_1_would_guess_stays_text() -> None:
    text = "a: no\nb: 010\nc: 2027-01-31\nd: 1_000\ne: 3.20\nf: 1e3\ng: 12:30\nh: .inf\ni: Yes"
    assert read_document(text) == {
        "a": "no",
        "b": "010",
        "c": "2027-01-31",
        "d": "1_000",
        "e": "3.20",
        "f": "1e3",
        "g": "12:30",
        "h": ".inf",
        "i": "Yes",
    }


def test_null_true_false_and_integers_are_values_in_either_spelling() -> None:
    assert read_document("a:\nb: ~\nc: null\nd: true\ne: -12\nf: 'true'") == {
        "a": None,
        "b": None,
        "c": None,
        "d": True,
        "e": -12,
        "f": "true",
    }


def test_a_byte_order_mark_is_no_part_of_the_document() -> None:
    assert read_document("\ufeffa: 1") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a: &x [1]\nb: *x", "line 2, column 4: an alias (*name) is not allowed here"),
        ("a: 1\na: 2", "line 2, column 1: the key 'a' a second time"),
        ("a: {b: 1, b: 2}", "line 1, column 11: the key 'b' a second time"),
        ("<<: {a: 1}\nb: 1\n<<: {c: 1}", "line 3, column 1: the key '<<' a second time"),
        ("1: one", "line 1, column 1: a key that is no text"),
        ("? [a]\n: 1", "line 1, column 3: a key that is no text"),
        ("a: !!python/name:os.system", "line 1, column 4: the tag tag:yaml.org,2002:python/name"),
        ("a: !!binary aGk=", "line 1, column 4: the tag tag:yaml.org,2002:binary"),
        ("a: 1234567890123456789", "line 1, column 4: a number too long"),
        ("a: [1", "expected ',' or ']'"),
        ("a: 1\n---\nb: 2", "line 2, column 1"),
        (r'a: "\ud800"', "line 1, column 4: half a character"),
        ("a: \x07", "special characters are not allowed; save the document as UTF-8 text"),
        ("- 1", "no mapping"),
        ("", "no mapping"),
        ("[" * 41 + "]" * 41, "more than 40 levels"),
        ("a: " + "x" * MAX_CHARACTERS, "longer than 1,000,000 characters"),
    ],
)
def test_what_is_not_plain_data_is_refused_with_its_place(text: str, named: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_document(text)
    assert refused.value.type == "document-unreadable"
    assert named in refused.value.detail


@pytest.mark.parametrize(
    ("text", "rule", "place"),
    [
        ("a: 1\na: 2", "key_twice", (2, 1)),
        ("a: &x [1]\nb: *x", "alias", (2, 4)),
        ("a: !!binary aGk=", "tag", (1, 4)),
        ("a: [1", "syntax", (1, 6)),
        ("a: \x07", "characters", None),
        ("- 1", "mapping_type", None),
    ],
)
def test_a_refusal_names_rule_and_place(
    text: str, rule: str, place: tuple[int, int] | None
) -> None:
    with pytest.raises(UnreadableError) as refused:
        read_document(text)
    assert (refused.value.rule, refused.value.place) == (rule, place)


@pytest.mark.parametrize(
    ("text", "rule", "place"),
    [
        ('{"a": 1,\n "a": 2}', "key_twice", (2, 2)),
        ('{"a": [{"b": 1, "b": 2}]}', "key_twice", (1, 17)),
        ('{"a": 1234567890123456789}', "number_length", (1, 7)),
        ('{"a": ' + "[" * 40 + "]" * 40 + "}", "depth", (1, 46)),
        ('{"a": ' + "[" * 9_000 + "]" * 9_000 + "}", "depth", (1, 46)),
        ('{"a": "\\ud800"}', "half_character", (1, 7)),
        ('{"\\ud800": 1}', "half_character", (1, 2)),
        ('{"a": NaN}', "syntax", None),
        ('{"a": 1', "syntax", (1, 8)),
        ("a: 1", "syntax", (1, 1)),
        ("[1]", "mapping_type", None),
        ("1", "mapping_type", None),
        (f'"{"x" * MAX_CHARACTERS}"', "length", None),
    ],
)
def test_json_is_refused_where_yaml_is_and_named_alike(
    text: str, rule: str, place: tuple[int, int] | None
) -> None:
    with pytest.raises(UnreadableError) as refused:
        read_json_document(text)
    assert (refused.value.rule, refused.value.place) == (rule, place)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_json_reads_the_same_fast_and_as_yaml(document: dict[str, object]) -> None:
    text = json.dumps(document)
    assert read_json_document(text) == read_document(text) == document
    assert read_json_document(json.dumps(document, indent="\t", ensure_ascii=False)) == document


def test_more_than_is_read_in_seconds_is_refused_as_yaml_and_read_as_json() -> None:
    long = '{"a": [' + ",".join("1" for _ in range(100_000)) + "]}"
    assert read_json_document(long) == {"a": [1] * 100_000}
    with pytest.raises(UnreadableError, match="send it as JSON"):
        read_document(long)
