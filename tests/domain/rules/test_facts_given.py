"""Reading facts that somebody gives by name."""

import pytest

from app.domain.rules.examples import read_facts
from app.domain.rules.findings import DocumentError
from tests.domain.rules.samples import CATALOGUE


def test_facts_are_written_as_in_the_tests_of_documents() -> None:
    given = {"ratio": "2.5", "policies": 3, "app_user": True, "since": "2020-01-31", "growth": None}
    read = read_facts(given, CATALOGUE)
    assert {name: str(value) for name, value in read.items()} == {
        "ratio": "25000",
        "policies": "3",
        "app_user": "True",
        "since": "2020-01-31",
    }


def test_all_that_is_wrong_is_said_at_its_place() -> None:
    with pytest.raises(DocumentError) as refused:
        read_facts({"shoe": 44, "policies": 99, "ratio": [1]}, CATALOGUE)
    assert [(one.path, one.code) for one in refused.value.findings] == [
        ("facts.shoe", "unknown-fact"),
        ("facts.policies", "cell-out-of-range"),
        ("facts.ratio", "wrong-type"),
    ]
