"""Reading documents by their media type: each form as what it is, and nothing as something else."""

from __future__ import annotations

import json

import pytest

from app.domain.errors import Invalid
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules import DocumentError, document_hash, parse_document
from app.features.rule_sets.service import (
    DMN,
    JSON,
    PMML,
    READABLE,
    SUFFIXES,
    YAML,
    read_decisions,
    represent,
)
from app.infra.documents import UnreadableError
from app.infra.exchange.reading import read_upload
from app.infra.media_types import XLSX
from tests.domain.templates.books import template

MOTOR = template("motor").document
FORMS = {media_type: represent(MOTOR, media_type) for media_type in SUFFIXES}


@pytest.mark.parametrize("media_type", READABLE)
def test_each_form_reads_back_with_the_hash(media_type: str) -> None:
    raw = read_upload(FORMS[media_type], f"{media_type.upper()}; charset=utf-8")
    assert document_hash(parse_document(raw, CATALOGUE)) == document_hash(MOTOR)


@pytest.mark.parametrize("older", ["application/x-yaml", "text/yaml", "text/x-yaml"])
def test_yaml_is_read_by_its_older_names_too(older: str) -> None:
    assert read_upload(FORMS[YAML], older) == read_upload(FORMS[YAML], YAML)


@pytest.mark.parametrize("media_type", SUFFIXES)
def test_a_form_is_the_same_bytes_each_time(media_type: str) -> None:
    assert represent(MOTOR, media_type) == FORMS[media_type]


@pytest.mark.parametrize(
    ("body", "claimed", "rule"),
    [
        (FORMS[XLSX], JSON, "other_type"),
        (FORMS[XLSX], YAML, "other_type"),
        (FORMS[XLSX], DMN, "other_type"),
        (FORMS[DMN], JSON, "other_type"),
        (FORMS[DMN], YAML, "other_type"),
        (b"\xef\xbb\xbf <a/>", YAML, "other_type"),
        (FORMS[DMN], XLSX, "workbook"),
        (FORMS[JSON], XLSX, "workbook"),
        (FORMS[JSON], DMN, "syntax"),
        (FORMS[YAML], DMN, "syntax"),
        (FORMS[YAML], JSON, "syntax"),
        (b"", XLSX, "workbook"),
        (b"", DMN, "syntax"),
        (b"a: \xff", YAML, "encoding"),
        (b" " * ((16 << 20) + 1), XLSX, "length"),
        (b" " * ((16 << 20) + 1), YAML, "length"),
        (b" " * ((16 << 20) + 1), DMN, "length"),
    ],
)
def test_what_is_sent_as_something_else_is_refused(body: bytes, claimed: str, rule: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_upload(body, claimed)
    assert caught.value.rule == rule


@pytest.mark.parametrize("claimed", ["", "text/plain", PMML, "application/xml", "application"])
def test_another_type_is_not_read(claimed: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_upload(FORMS[JSON], claimed)
    assert caught.value.type == "unsupported-media-type"


@pytest.mark.parametrize("body", [FORMS[PMML], b"<a/>"])
def test_xml_of_another_kind_is_no_dmn(body: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        read_upload(body, DMN)
    assert [finding.code for finding in caught.value.findings] == ["dmn-version"]


def test_decisions_go_into_a_rule_set() -> None:
    life = template("life").document
    raw = read_decisions(FORMS[DMN], life).raw
    mixed = parse_document(json.loads(json.dumps(raw)), CATALOGUE)
    assert mixed.characteristics == life.characteristics
    assert {table.id: table for table in mixed.tables}["tier"] == MOTOR.tables[
        [table.id for table in MOTOR.tables].index("tier")
    ]
