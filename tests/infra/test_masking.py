"""Forgetting masks more, never less; and what is masked says nothing about the value."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Purpose, Relation, Role, Viewer
from app.domain.privacy.sensitive import Sensitive
from app.infra.classified import VIEWER_CONTEXT, ClassificationError, Classified, leaves_of
from app.infra.masking import (
    Birth,
    Contact,
    DeclaredIncome,
    Income,
    Internal,
    MaskedRead,
    MetaRead,
    Name,
    Open,
    Premium,
    ReadModel,
    Risk,
    dispositions,
    masked_paths,
    render,
)

T = TypeVar("T")

CLASSES = SensitivityClass
SELF = Viewer(Role.CUSTOMER, "s", Relation.SELF, "C1")
VIEWERS = st.none() | st.builds(
    Viewer,
    role=st.sampled_from(Role),
    subject=st.just("s"),
    relation=st.sampled_from(Relation),
    purpose=st.none() | st.just(Purpose.AUDIT),
)


class PartyRead(ReadModel):
    """A nested model."""

    code: Open[str]
    name: Name


class PersonRead(MaskedRead):
    """A root model with every kind of field."""

    customer_id: Open[str | None] = Field(max_length=8)
    segment: Internal[str]
    birth: Birth[date]
    phone: Contact
    grade: Risk[int]
    premium: Premium
    income: DeclaredIncome[Decimal]
    credit: Income[int]
    parties: list[PartyRead]
    by_code: dict[str, PartyRead]
    payer: PartyRead | None


def _name(value: str | None = "王小明") -> Sensitive[str]:
    return Sensitive(CLASSES.C2_NAME, value, masked="王**" if value else None)


def _person(*, empty: bool = False, name: Sensitive[str] | None = None) -> PersonRead:
    def one(sensitivity: SensitivityClass, value: T) -> Sensitive[T]:
        return Sensitive(sensitivity, None if empty else value)

    named = _name(None if empty else "王小明") if name is None else name
    party = PartyRead(code="p", name=named)
    return PersonRead(
        customer_id="C1",
        segment=one(CLASSES.INTERNAL, "base"),
        birth=Sensitive(CLASSES.C2_BIRTH, date(1984, 2, 29), band="1980-1984"),
        phone=one(CLASSES.C2_CONTACT, "13812345678"),
        grade=one(CLASSES.RISK, 3),
        premium=one(CLASSES.VALUE, Decimal("12.50")),
        income=one(CLASSES.S_INCOME, Decimal(90_000)),
        credit=one(CLASSES.S_INCOME, 700),
        parties=[party],
        by_code={"p": party},
        payer=None,
    )


def test_a_viewer_is_shown_what_he_is_granted() -> None:
    shown = json.loads(render(_person(), SELF))
    assert shown == {
        "meta": {"masked": ["segment", "phone", "grade", "credit"]},
        "customer_id": "C1",
        "segment": None,
        "birth": "1984-02-29",
        "phone": None,
        "grade": None,
        "premium": "12.50",
        "income": "90000",
        "credit": None,
        "parties": [{"code": "p", "name": "王小明"}],
        "by_code": {"p": {"code": "p", "name": "王小明"}},
        "payer": None,
    }


def test_without_a_viewer_the_floor_of_the_table_is_shown() -> None:
    shown = json.loads(_person().model_dump_json())
    assert shown["parties"] == [{"code": "p", "name": "王**"}]
    assert shown["birth"] == "1980-1984"
    assert shown["segment"] is shown["grade"] is shown["premium"] is None
    assert shown["meta"]["masked"] == [
        "segment",
        "birth",
        "phone",
        "grade",
        "premium",
        "income",
        "credit",
        "parties[].name",
        "by_code[].name",
        "payer.name",
    ]


@pytest.mark.parametrize("context", [None, "agent", {"viewer": "compliance"}, {"role": SELF}])
def test_a_context_without_a_viewer_grants_nothing(context: object) -> None:
    assert _person().model_dump_json(context=context) == _person().model_dump_json()


@given(VIEWERS)
def test_what_is_masked_follows_from_the_viewer_and_not_from_the_values(
    viewer: Viewer | None,
) -> None:
    assert masked_paths(_person(), viewer) == masked_paths(_person(empty=True), viewer)


@given(VIEWERS)
def test_no_value_and_a_hidden_value_look_the_same(viewer: Viewer | None) -> None:
    def dump(person: PersonRead) -> Mapping[str, object]:
        shown: Mapping[str, object] = json.loads(
            render(person, viewer) if viewer else person.model_dump_json()
        )
        return shown

    full, empty = dump(_person()), dump(_person(empty=True))
    for path, disposition in dispositions(PersonRead, viewer).items():
        if disposition is Disposition.WITHHELD and "[]" not in path and "." not in path:
            assert full[path] is None
            assert empty[path] is None
            assert path in full["meta"]["masked"]  # type: ignore[index]


@given(VIEWERS)
def test_what_is_not_granted_in_clear_is_nowhere_in_the_answer(viewer: Viewer | None) -> None:
    person = PartyRead(
        code="p", name=Sensitive(CLASSES.C2_NAME, "王sentinel", masked="王**", band="W")
    )
    text = render(person, viewer).decode() if viewer else person.model_dump_json()
    granted = MATRIX.disposition(viewer, CLASSES.C2_NAME) is Disposition.CLEAR
    assert ("sentinel" in text) is granted


def test_a_value_that_could_not_be_decrypted_is_shown_masked_and_listed() -> None:
    sealed = Sensitive[str].sealed(CLASSES.C2_NAME, masked="王**")
    shown = json.loads(render(_person(name=sealed), SELF))
    assert shown["parties"][0]["name"] == "王**"
    assert {"parties[].name", "by_code[].name"} <= set(shown["meta"]["masked"])
    assert "payer.name" not in shown["meta"]["masked"]


@pytest.mark.parametrize(
    "wrong", ["王小明", None, 1, Sensitive(CLASSES.OPEN, "王小明"), Sensitive(CLASSES.RISK, "x")]
)
def test_only_a_sensitive_value_of_the_fields_own_class_goes_in(wrong: object) -> None:
    with pytest.raises(ValidationError, match="own class") as caught:
        PartyRead.model_validate({"code": "p", "name": wrong})
    assert isinstance(wrong, (str, int)) or "王" not in str(caught.value)


@given(VIEWERS.filter(bool), st.booleans())
def test_plans_show_what_pydantic_would(viewer: Viewer, empty: bool) -> None:  # noqa: FBT001 - drawn.
    person = _person(empty=empty)
    masked = masked_paths(person, viewer)
    context = {VIEWER_CONTEXT: viewer}
    whole = person.model_copy(update={"meta": MetaRead(masked=masked)})
    assert render(person, viewer) == whole.model_dump_json(by_alias=True, context=context).encode()


def test_a_value_in_the_place_of_another_class_is_refused_when_it_leaves() -> None:
    wrong = PartyRead.model_construct(code="p", name=Sensitive(CLASSES.RISK, "x"))
    with pytest.raises(ClassificationError, match="name holds a value of a class"):
        render(wrong, SELF)


def test_a_python_dump_is_masked_too() -> None:
    assert _person().model_dump()["parties"] == [{"code": "p", "name": "王**"}]


def test_a_list_or_a_model_without_meta_is_rendered_too() -> None:
    party = PartyRead(code="p", name=_name())
    assert json.loads(render(party, SELF)) == {"code": "p", "name": "王小明"}
    dumped = TypeAdapter(list[PartyRead]).dump_json([party])
    assert json.loads(dumped) == [{"code": "p", "name": "王**"}]


def test_the_schema_tells_the_clear_form_or_a_text_or_null() -> None:
    properties = PersonRead.model_json_schema(mode="serialization")["properties"]
    assert properties["grade"]["anyOf"] == [
        {"type": "integer"},
        {"type": "string"},
        {"type": "null"},
    ]
    assert properties["segment"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert PartyRead.model_json_schema(mode="validation")


def test_a_class_above_open_cannot_be_given_to_a_plain_type() -> None:
    with pytest.raises(ClassificationError, match=r"c2\.name"):

        class _Careless(BaseModel):
            name: Annotated[str, Classified(CLASSES.C2_NAME)]


def test_a_sensitive_type_without_a_class_cannot_be_declared() -> None:
    with pytest.raises(Exception, match="schema"):

        class _Careless(BaseModel):
            name: Sensitive[str]


def test_every_leaf_of_a_model_is_found_with_its_class() -> None:
    class Node(BaseModel):
        unmarked: int
        pair: tuple[Open[int], ...] | None
        deep: list[dict[str, list[PartyRead]]]
        held: Open[list[PartyRead]]
        described: Annotated[str, Field(description="no class")]
        inside: list[Annotated[str, "no class either"]]
        next: Node | None

        @property
        def plain(self) -> int:
            return 1

    Node.model_rebuild(_types_namespace={"Node": Node})
    found = {leaf.path: leaf.marker and leaf.marker.sensitivity for leaf in leaves_of(Node)}
    assert found == {
        "unmarked": None,
        "pair[]": CLASSES.OPEN,
        "deep[][][].code": CLASSES.OPEN,
        "deep[][][].name": CLASSES.C2_NAME,
        "held": CLASSES.OPEN,
        "held[].code": CLASSES.OPEN,
        "held[].name": CLASSES.C2_NAME,
        "described": None,
        "inside[]": None,
    }


def test_only_the_door_renders_for_a_viewer() -> None:
    root = Path(__file__).parents[2] / "app"
    users = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in {
                "app.infra.masking",
                "app.infra.classified",
                "app.infra.rendering",
            }:
                names = {alias.name for alias in node.names}
                users |= {path.name for _ in names & {"render", "show", "VIEWER_CONTEXT"}}
    assert users == {"reveal.py", "masking.py"}
