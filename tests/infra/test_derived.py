"""A derived value is of the class of what it comes from, and hides behind one word for all."""

from __future__ import annotations

import json

import pytest

from app.domain.privacy.classes import SensitivityClass
from app.domain.privacy.roles import Relation, Role, Viewer
from app.domain.privacy.sensitive import Sensitive
from app.infra.classified import ClassifiedByValue
from app.infra.masking import Derived, MaskedRead, ReadModel, dispositions, masked_paths, render


class ReasonRead(ReadModel):
    """One code."""

    code: Derived[str]


class AnswerRead(MaskedRead):
    """Several codes."""

    reasons: list[ReasonRead]


def answer(*classes: SensitivityClass) -> AnswerRead:
    codes = [Sensitive(found, f"{found}-code", band="BAND", masked="GENERAL") for found in classes]
    return AnswerRead(reasons=[ReasonRead(code=code) for code in codes])


def shown(model: AnswerRead, role: Role, relation: Relation = Relation.OTHER) -> list[str]:
    body = json.loads(render(model, Viewer(role=role, subject="a", relation=relation)))
    return [reason["code"] for reason in body["reasons"]]


ALL = answer(
    SensitivityClass.OPEN,
    SensitivityClass.INTERNAL,
    SensitivityClass.VALUE,
    SensitivityClass.RISK,
    SensitivityClass.S_HEALTH,
)


@pytest.mark.parametrize(
    ("role", "relation", "expected"),
    [
        (
            Role.AGENT,
            Relation.OTHER,
            ["open-code", "internal-code", "BAND", "GENERAL", "GENERAL"],
        ),
        (
            Role.CUSTOMER,
            Relation.SELF,
            ["open-code", "GENERAL", "GENERAL", "GENERAL", "GENERAL"],
        ),
        (
            Role.RISK_OFFICER,
            Relation.OTHER,
            ["open-code", "internal-code", "value-code", "risk-code", "BAND"],
        ),
        (
            Role.ANALYST,
            Relation.OTHER,
            ["GENERAL", "GENERAL", "GENERAL", "GENERAL", "GENERAL"],
        ),
    ],
)
def test_each_value_is_shown_by_its_own_class_and_the_list_keeps_its_length(
    role: Role, relation: Relation, expected: list[str]
) -> None:
    assert shown(ALL, role, relation) == expected


def test_who_forgets_to_say_who_looks_shows_the_general_word() -> None:
    codes = [reason["code"] for reason in ALL.model_dump()["reasons"]]
    assert codes == ["open-code", "GENERAL", "GENERAL", "GENERAL", "GENERAL"]


def test_the_path_is_listed_exactly_where_one_value_is_not_clear() -> None:
    agent = Viewer(role=Role.AGENT, subject="a")
    assert masked_paths(answer(SensitivityClass.OPEN, SensitivityClass.INTERNAL), agent) == []
    assert masked_paths(answer(SensitivityClass.VALUE), agent) == ["reasons[].code"]
    sealed = Sensitive[str].sealed(SensitivityClass.OPEN, masked="x")
    model = AnswerRead(reasons=[ReasonRead(code=sealed)])
    assert masked_paths(model, agent) == ["reasons[].code"]


def test_the_audit_is_told_the_least_that_may_have_been_shown() -> None:
    agent = Viewer(role=Role.AGENT, subject="a")
    assert dispositions(AnswerRead, agent) == {"reasons[].code": "withheld"}


def test_a_plain_value_or_one_of_another_class_is_refused() -> None:
    with pytest.raises(ValueError, match="a sensitive value of one of the field's classes"):
        ReasonRead.model_validate({"code": "plain"})
    narrow = ClassifiedByValue(SensitivityClass.RISK)
    with pytest.raises(ValueError, match="a sensitive value of one of the field's classes"):
        narrow._accept(Sensitive(SensitivityClass.VALUE, "x"))  # noqa: SLF001 - the refusal itself.
