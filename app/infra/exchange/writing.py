"""A rule set in each of the forms in which it leaves: JSON, YAML, XLSX, DMN, PMML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.compile import compile_unproved
from app.domain.rules.exchange.dmn_writing import dmn_model
from app.domain.rules.exchange.form_writing import form_of
from app.domain.rules.exchange.pmml import pmml_scorecard
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.writing import canonical_json, document_json
from app.infra.documents import write_document
from app.infra.forms import write_form
from app.infra.media_types import DMN, JSON, PMML, XLSX, YAML
from app.infra.xml_trees import write_xml

SUFFIXES: Final[Mapping[str, str]] = {
    JSON: "json",
    YAML: "yaml",
    XLSX: "xlsx",
    DMN: "dmn",
    PMML: "pmml",
}
"""The forms in the order in which they are offered, and how the names of their files end."""


def represent(document: RuleSetDocument, media_type: str) -> bytes:
    """The bytes of a resolved document in one of the forms.

    JSON is canonical, so its SHA-256 is the document's hash. The others keep the order in which
    objectives are named besides, and are the same bytes for the same order.

    Raises:
        DocumentError: with everything that the form cannot carry.
    """
    return _WRITERS[media_type](document)


def _yaml(document: RuleSetDocument) -> bytes:
    return write_document(document_json(document)).encode()


def _xlsx(document: RuleSetDocument) -> bytes:
    return write_form(form_of(document, CATALOGUE))


def _dmn(document: RuleSetDocument) -> bytes:
    return write_xml(dmn_model(document))


def _pmml(document: RuleSetDocument) -> bytes:
    # What a table claims does not matter to a scorecard, so nothing has to be proved.
    return write_xml(pmml_scorecard(compile_unproved(document, CATALOGUE)))


_WRITERS: Final[Mapping[str, Callable[[RuleSetDocument], bytes]]] = {
    JSON: canonical_json,
    YAML: _yaml,
    XLSX: _xlsx,
    DMN: _dmn,
    PMML: _pmml,
}
