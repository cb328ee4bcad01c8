from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.infra.documents import MAX_CHARACTERS, read_document

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
