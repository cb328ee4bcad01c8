"""The Pydantic glue of sensitive values: masked unless a viewer is known who may see more.

How to declare a schema
    Every field of a response model carries a class, else the process does not start:

        class TierRead(MaskedRead):
            customer_id: Open[str]
            tier: Open[str | None]
            segment: Internal[str]
            name: Name
            risk_grade: Risk[str]
            premium_12m: Annotated[Sensitive[Decimal], Classified(VALUE, Trait.PREMIUM)]
            gaps: list[GapRead]        # a model or a list of models needs no class of its own

    `Open` fields hold plain values. All others hold a `Sensitive`, built by whoever loads the
    record, and never absent: "no value" is a Sensitive of None, so that it looks like "hidden".

        TierRead(segment=Sensitive(SensitivityClass.INTERNAL, "base"), name=Sensitive.sealed(
            SensitivityClass.C2_NAME, masked=row.name_masked), ...)

    `MaskedRead` is the root of an answer and has `meta.masked`, the paths that this viewer is not
    shown in clear; models inside it derive from `ReadModel`.

How it is answered
    Return the model and it is masked for a viewer of whom nothing is known. Return
    `await respond(model, viewer=..., audit=...)` (see `app.infra.reveal`) and it is rendered for
    that viewer and audited. A Sensitive in a dict or a JSONResponse is a static 500.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from app.domain.privacy.classes import Disposition, SensitivityClass, Trait
from app.domain.privacy.roles import Viewer
from app.domain.privacy.sensitive import Sensitive
from app.infra.classified import (
    VIEWER_CONTEXT,
    Classified,
    ClassifiedByValue,
    Leaf,
    leaves_of,
)

T = TypeVar("T")

# What stands between the brackets is the type of the clear value.
Open: TypeAlias = Annotated[T, Classified(SensitivityClass.OPEN)]
Internal: TypeAlias = Annotated[Sensitive[T], Classified(SensitivityClass.INTERNAL)]
Income: TypeAlias = Annotated[Sensitive[T], Classified(SensitivityClass.S_INCOME)]
DeclaredIncome: TypeAlias = Annotated[
    Sensitive[T], Classified(SensitivityClass.S_INCOME, Trait.DECLARED)
]
Health: TypeAlias = Annotated[Sensitive[T], Classified(SensitivityClass.S_HEALTH)]
DeclaredHealth: TypeAlias = Annotated[
    Sensitive[T], Classified(SensitivityClass.S_HEALTH, Trait.DECLARED)
]
Risk: TypeAlias = Annotated[Sensitive[T], Classified(SensitivityClass.RISK)]
Value: TypeAlias = Annotated[Sensitive[T], Classified(SensitivityClass.VALUE)]
Name: TypeAlias = Annotated[Sensitive[str], Classified(SensitivityClass.C2_NAME)]
Contact: TypeAlias = Annotated[Sensitive[str], Classified(SensitivityClass.C2_CONTACT)]
IdNo: TypeAlias = Annotated[Sensitive[str], Classified(SensitivityClass.C2_ID_NO)]
Birth: TypeAlias = Annotated[Sensitive[T], Classified(SensitivityClass.C2_BIRTH)]
Fraud: TypeAlias = Annotated[Sensitive[bool], Classified(SensitivityClass.S_FRAUD)]
Free: TypeAlias = Annotated[Sensitive[str], Classified(SensitivityClass.FREE)]
Premium: TypeAlias = Annotated[
    Sensitive[Decimal], Classified(SensitivityClass.VALUE, Trait.PREMIUM)
]
# What is derived from facts, of the class of the most protected of them; see ClassifiedByValue.
Derived: TypeAlias = Annotated[Sensitive[T], ClassifiedByValue(*SensitivityClass)]


def internal(value: T | None) -> Sensitive[T]:
    """A value of class internal."""
    return Sensitive(SensitivityClass.INTERNAL, value)


class ReadModel(BaseModel):
    """Base of what is read: nothing undeclared, nothing changed after it is built."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MetaRead(ReadModel):
    """What an answer says about itself."""

    masked: Open[list[str]] = Field(
        default_factory=list,
        description="Paths of the fields that the caller is not shown in clear, value or none.",
    )


class MaskedRead(ReadModel):
    """Root of an answer that holds customer data."""

    meta: MetaRead = Field(default_factory=MetaRead)

    def model_post_init(self, _context: Any, /) -> None:  # noqa: ANN401 - Pydantic's signature.
        """List what is masked as long as nobody said who looks."""
        self.__dict__["meta"] = MetaRead(masked=masked_paths(self, None))
        self.__pydantic_fields_set__.add("meta")


@cache
def classified_fields(model: type[BaseModel]) -> tuple[Leaf, ...]:
    """The fields of a model that are above class open."""
    return tuple(
        leaf
        for leaf in leaves_of(model)
        if leaf.marker is not None and leaf.marker.sensitivity is not SensitivityClass.OPEN
    )


def dispositions(model: type[BaseModel], viewer: Viewer | None) -> dict[str, Disposition]:
    """In which form each classified field of a model is shown to a viewer, by path."""
    return {
        leaf.path: leaf.marker.disposition(viewer)
        for leaf in classified_fields(model)
        if leaf.marker is not None
    }


def masked_paths(model: BaseModel, viewer: Viewer | None) -> list[str]:
    """The paths that a viewer is not shown in clear.

    They follow from the model and the viewer alone, so that they say nothing about a value. The
    exceptions are a value that could not be decrypted, whose masked form is shown and which is
    listed, and derived values, which are of the class of what they come from.
    """
    return [
        leaf.path
        for leaf in classified_fields(type(model))
        if leaf.marker is not None
        and leaf.marker.is_masked(viewer, _held(model, leaf.path.split(".")))
    ]


def _held(value: object, path: list[str]) -> Iterator[Sensitive[object]]:
    """The sensitive values that stand at a path."""
    if not path:
        if isinstance(value, Sensitive):
            yield value
        return
    name, *rest = path
    found = _member(value, name.removesuffix("[]"))
    if not name.endswith("[]"):
        yield from _held(found, rest)
        return
    items = found.values() if isinstance(found, Mapping) else found or ()
    for item in items:
        yield from _held(item, rest)


def _member(value: object, name: str) -> Any:  # noqa: ANN401 - a field of any type.
    """What a model calls so in its answer; None of nothing."""
    if not isinstance(value, BaseModel):
        return None
    for attribute, field in type(value).model_fields.items():
        if name in {attribute, field.serialization_alias}:
            return getattr(value, attribute)
    return None


def render(model: BaseModel, viewer: Viewer) -> bytes:
    """The JSON of a model as one viewer may see it.

    Only `app.infra.reveal` calls this: what is rendered in clear has to be audited.
    """
    if isinstance(model, MaskedRead):
        meta = MetaRead(masked=masked_paths(model, viewer))
        model = model.model_copy(update={"meta": meta})
    return model.model_dump_json(by_alias=True, context={VIEWER_CONTEXT: viewer}).encode()
