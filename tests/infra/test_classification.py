"""The start-up check, and that it can fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, computed_field
from sqlalchemy import Column, Integer, MetaData, Table
from starlette.responses import PlainTextResponse, Response

from app import main
from app.db.rows import CustomerRow
from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.classes import SensitivityClass
from app.domain.privacy.joint import joint_exposures
from app.domain.privacy.masks import MASK_DATA
from app.domain.privacy.matrix import MATRIX
from app.domain.records.specs import RECORDS
from app.infra import classification
from app.infra.classification import (
    COLUMN_KEY,
    METRIC_LABELS,
    check_classified,
    find_joint_exposures,
    find_unclassified_columns,
    find_unclassified_facts,
    find_unclassified_fields,
    find_unclassified_labels,
)
from app.infra.classified import ClassificationError
from app.infra.database import create_database
from app.infra.masking import Open, ReadModel
from app.infra.metrics import LABELS
from app.infra.routing import Router
from app.infra.settings import Settings


class GoodRead(ReadModel):
    """Everything has a class."""

    code: Open[str]


class ForgottenRead(ReadModel):
    """One field has none."""

    code: Open[str]
    phone: str


class HiddenRead(ReadModel):
    """The forgotten one, deep down."""

    items: dict[str, list[ForgottenRead]]


class ComputedRead(ReadModel):
    """A field that is computed."""

    code: Open[str]

    @computed_field
    def phone(self) -> str:
        """Computed fields cannot be marked."""
        return self.code


def _app(**route: Any) -> FastAPI:  # noqa: ANN401 - whatever add_api_route takes.
    inner = APIRouter(prefix="/inner")
    inner.add_api_route("/x", lambda: None, **route)
    outer = APIRouter(prefix="/v1")
    outer.include_router(inner)
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(outer)
    return app


@pytest.mark.parametrize(
    ("route", "findings"),
    [
        ({"response_model": GoodRead}, []),
        ({"response_model": list[GoodRead] | None}, []),
        ({"status_code": 204}, []),
        ({"response_model": ForgottenRead}, ["GET /v1/inner/x: phone has no class"]),
        ({"response_model": list[ForgottenRead]}, ["GET /v1/inner/x: [].phone has no class"]),
        ({"response_model": HiddenRead}, ["GET /v1/inner/x: items[][].phone has no class"]),
        ({"response_model": ComputedRead}, ["GET /v1/inner/x: phone has no class"]),
        ({"response_model": dict[str, Any]}, ["GET /v1/inner/x: [] has no class"]),
        ({"response_model": str}, ["GET /v1/inner/x: the answer has no class"]),
        ({"response_model": None}, ["GET /v1/inner/x: declares no response model"]),
        (
            {"response_model": GoodRead, "responses": {202: {"model": ForgottenRead}}},
            ["GET /v1/inner/x: phone has no class"],
        ),
    ],
)
def test_a_field_without_a_class_is_found_wherever_it_is(
    route: dict[str, Any], findings: list[str]
) -> None:
    assert find_unclassified_fields(_app(**route)) == findings


def test_a_route_that_is_no_operation_is_found() -> None:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.add_route("/raw", lambda _: PlainTextResponse(""), methods=["GET"])
    app.mount("/mounted", FastAPI())
    assert find_unclassified_fields(app) == [
        "GET/HEAD /raw: declares no response model",
        "- /mounted: declares no response model",
    ]


def test_a_streamed_item_is_looked_into() -> None:
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.get("/stream")
    async def stream() -> AsyncIterator[ForgottenRead]:
        yield ForgottenRead(code="", phone="")

    assert find_unclassified_fields(app) == ["GET /stream: phone has no class"]


def test_a_route_of_text_is_left_out_by_name_only() -> None:
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.get("/metrics", response_class=PlainTextResponse)
    async def get_metrics() -> Response:
        return PlainTextResponse("")

    assert find_unclassified_fields(app) == []
    assert find_unclassified_fields(app, unmodelled=()) != []


def test_every_table_column_has_a_class_and_one_without_is_found() -> None:
    assert find_unclassified_columns(CustomerRow.metadata) == []
    metadata = MetaData()
    Table(
        "t",
        metadata,
        Column("good", Integer, info={"sensitivity": "open"}),
        Column("none", Integer),
        Column("odd", Integer, info={"sensitivity": "public"}),
    )
    assert find_unclassified_columns(metadata) == ["t.none has no class", "t.odd has no class"]


def test_every_fact_has_a_class_and_one_without_is_found() -> None:
    assert find_unclassified_facts(CATALOGUE.values()) == []
    fact = replace(next(iter(CATALOGUE.values())), name="f", sensitivity="")
    assert find_unclassified_facts([fact]) == ["fact f has no class"]


#: Facts that are a column under another name.
_SAME: Final = {"external_checks.matches": "declared_matches_verified"}


def test_a_column_that_is_a_fact_is_of_the_fact_s_class_in_the_table_and_in_files() -> None:
    sources = ("scoring_inputs", "model_scores", "external_checks")
    told = {
        f"{table}.{column.name}": column.info["sensitivity"]
        for table in sources
        for column in CustomerRow.metadata.tables[table].columns
    }
    facts = {place: _SAME.get(place, place.partition(".")[2]) for place in told}
    known = {place: fact for place, fact in facts.items() if fact in CATALOGUE}
    assert {place: told[place] for place in known} == {
        place: CATALOGUE[fact].sensitivity for place, fact in known.items()
    }
    assert {"model_scores.uplift_3y", "external_checks.matches"} <= set(known)
    in_files = {
        f"{record.name}.{name}": (column.sensitivity, CATALOGUE[fact].sensitivity)
        for record in RECORDS.values()
        for name, column in record.columns.items()
        if (fact := _SAME.get(f"{record.name}.{name}", name)) in CATALOGUE
        and (column.dated or record.name in sources)
    }
    assert [place for place, (ours, facts_) in in_files.items() if ours != facts_] == []
    assert "external_checks.matches" in in_files


def test_metric_labels_are_open_and_another_is_found() -> None:
    assert find_unclassified_labels(LABELS, METRIC_LABELS) == []
    classes = {"tier": SensitivityClass.OPEN, "segment": SensitivityClass.INTERNAL}
    assert find_unclassified_labels(["tier", "segment", "customer"], classes) == [
        "metric label segment is not of class open",
        "metric label customer is not of class open",
    ]


def test_masks_that_tell_too_much_together_are_found() -> None:
    assert find_joint_exposures() == []
    space = replace(MASK_DATA.resident_id, regions_by_city=1)
    assert find_joint_exposures(MATRIX, space) == [
        "role account_manager (own) is left 500 candidates for an ID number"
    ]


def _forget_a_column(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(CustomerRow.metadata.tables["customers"].columns["city"].info, COLUMN_KEY)


def _forget_a_fact(patch: pytest.MonkeyPatch) -> None:
    fact = replace(next(iter(CATALOGUE.values())), name="forgotten", sensitivity="")
    patch.setattr(classification, "CATALOGUE", {**CATALOGUE, "forgotten": fact})


def _count_by_customer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(classification, "LABELS", ("customer_id",))


def _tell_too_much_together(patch: pytest.MonkeyPatch) -> None:
    space = replace(MASK_DATA.resident_id, regions_by_city=1)
    patch.setattr(
        classification, "joint_exposures", lambda matrix, _space: joint_exposures(matrix, space)
    )


@pytest.mark.parametrize(
    ("forget", "finding"),
    [
        (_forget_a_column, "customers.city has no class"),
        (_forget_a_fact, "fact forgotten has no class"),
        (_count_by_customer, "metric label customer_id is not of class open"),
        (_tell_too_much_together, "candidates for an ID number"),
    ],
)
def test_the_process_starts_only_if_nothing_is_found(
    monkeypatch: pytest.MonkeyPatch, forget: Callable[[pytest.MonkeyPatch], None], finding: str
) -> None:
    check_classified(_app(response_model=GoodRead))
    forget(monkeypatch)
    with pytest.raises(ClassificationError, match=finding):
        check_classified(_app(response_model=GoodRead))


def test_the_process_starts_only_if_every_field_has_a_class() -> None:
    with pytest.raises(ClassificationError, match="phone has no class"):
        check_classified(_app(response_model=ForgottenRead))


def test_the_application_is_not_made_with_a_route_that_forgot_a_class(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    planted = Router("planted")
    planted.add_api_route("/v1/planted", lambda: None, response_model=ForgottenRead)
    monkeypatch.setattr(main, "ROUTERS", (*main.ROUTERS, planted))
    with pytest.raises(ClassificationError, match="GET /v1/planted: phone has no class"):
        main.create_app(settings, create_database("postgresql://localhost/any", settings))


def test_a_model_of_another_base_is_looked_into_like_any() -> None:
    class Plain(BaseModel):
        phone: str

    assert find_unclassified_fields(_app(response_model=Plain)) != []
