"""The start-up check: nothing is served, stored, scored or counted without a sensitivity class."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from sqlalchemy import MetaData

from app.db.rows import CustomerRow
from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import Fact
from app.domain.privacy.classes import SensitivityClass
from app.domain.privacy.joint import joint_exposures
from app.domain.privacy.masks import MASK_DATA, ResidentIdSpace
from app.domain.privacy.matrix import MATRIX, Matrix
from app.infra.auth.dependencies import OPEN_PATHS
from app.infra.classified import ClassificationError, leaves_of
from app.infra.metrics import LABELS

COLUMN_KEY: Final = "sensitivity"
#: Paths that serve text of the service itself, in a format that is no model. The list of rejected
#: rows of an import holds row numbers, our names of columns and our reasons. Evidence is a file of
#: class free as a whole, which leaves through `respond_document` only.
UNMODELLED_PATHS: Final = OPEN_PATHS | {
    "/metrics",
    "/v1/imports/{import_id}/rejected",
    "/v1/overrides/{override_id}/evidence/{sha256}",
}

#: The class of every metric label: whoever reads the metrics is told its values.
METRIC_LABELS: Final = {
    "method": SensitivityClass.OPEN,
    "route": SensitivityClass.OPEN,
    "status": SensitivityClass.OPEN,
}

_NO_CONTENT = frozenset({204, 304})
_CLASSES = frozenset(SensitivityClass)


def find_unclassified_fields(
    app: FastAPI, unmodelled: Collection[str] = UNMODELLED_PATHS
) -> list[str]:
    """Fields of response models without a class, and routes that declare no response model."""
    found: list[str] = []
    for route in iter_route_contexts(app.routes):
        found.extend(_route_findings(route, unmodelled))
    return found


def _route_findings(route: RouteContext, unmodelled: Collection[str]) -> Iterator[str]:
    name = f"{'/'.join(sorted(route.methods or {'-'}))} {route.path}"
    annotations = [annotation for annotation in _answers_of(route) if annotation is not None]
    if not annotations and route.path not in unmodelled:
        if getattr(route, "status_code", None) not in _NO_CONTENT:
            yield f"{name}: declares no response model"
        return
    for annotation in annotations:
        for leaf in leaves_of(annotation):
            if leaf.marker is None:
                yield f"{name}: {leaf.path or 'the answer'} has no class"


def _answers_of(route: RouteContext) -> Iterator[object]:
    yield getattr(route, "response_model", None)
    yield getattr(route, "stream_item_type", None)
    for response in (getattr(route, "responses", None) or {}).values():
        yield response.get("model")


def find_unclassified_columns(metadata: MetaData) -> list[str]:
    """Columns of the tables without a class."""
    return [
        f"{table.name}.{column.name} has no class"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.info.get(COLUMN_KEY) not in _CLASSES
    ]


def find_unclassified_facts(facts: Iterable[Fact]) -> list[str]:
    """Facts without a class."""
    return [f"fact {fact.name} has no class" for fact in facts if fact.sensitivity not in _CLASSES]


def find_unclassified_labels(
    labels: Iterable[str], classes: Mapping[str, SensitivityClass]
) -> list[str]:
    """Metric labels that are not declared open: what is counted is told to whoever reads metrics.

    Args:
        labels: the labels in use.
        classes: the declared class of each label.
    """
    return [
        f"metric label {label} is not of class open"
        for label in labels
        if classes.get(label) is not SensitivityClass.OPEN
    ]


def find_joint_exposures(
    matrix: Matrix = MATRIX, space: ResidentIdSpace = MASK_DATA.resident_id
) -> list[str]:
    """Roles whose masks together leave too few candidates for an ID number."""
    return sorted(
        {
            f"role {found.viewer.role} ({found.viewer.relation}) is left {found.candidates} "
            "candidates for an ID number"
            for found in joint_exposures(matrix, space)
        }
    )


def require_none(*findings: Iterable[str]) -> None:
    """End the start if anything was found.

    Raises:
        ClassificationError: with every finding.
    """
    if found := [finding for group in findings for finding in group]:
        message = "; ".join(found)
        raise ClassificationError(message)


def check_classified(app: FastAPI) -> None:
    """Check everything the process would serve, store, score or count, and the masks together.

    Raises:
        ClassificationError: with every finding.
    """
    require_none(
        find_unclassified_fields(app),
        find_unclassified_columns(CustomerRow.metadata),
        find_unclassified_facts(CATALOGUE.values()),
        find_unclassified_labels(LABELS, METRIC_LABELS),
        find_joint_exposures(),
    )
