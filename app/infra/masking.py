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

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from app.domain.privacy.classes import Disposition, SensitivityClass, Trait
from app.domain.privacy.roles import Viewer
from app.domain.privacy.sensitive import Sensitive
from app.infra import rendering
from app.infra.classified import Classified, ClassifiedByValue
from app.infra.rendering import show, shown_forms, sight_of, write

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

    @classmethod
    def assemble(cls, **values: Any) -> Self:  # noqa: ANN401 - fields of any types.
        """A model of values that are ours, which are not validated: for the hot reads.

        A field that is missing, or a value of another class than the field's, is refused when the
        model is shown.
        """
        made = cls.__new__(cls)
        for name, state in (
            ("__dict__", values),
            ("__pydantic_fields_set__", set(values)),
            ("__pydantic_extra__", None),
            ("__pydantic_private__", None),
        ):
            object.__setattr__(made, name, state)
        return made


class MetaRead(ReadModel):
    """What an answer says about itself."""

    masked: Open[list[str]] = Field(
        default_factory=list,
        description="Paths of the fields that the caller is not shown in clear, value or none.",
    )


@cache
def _meta_for_strangers(model: type[BaseModel]) -> MetaRead:
    """What is said of an answer as long as nobody said who looks."""
    return MetaRead(masked=list(rendering.hidden_from_strangers(model)))


class MaskedRead(ReadModel):
    """Root of an answer that holds customer data."""

    meta: MetaRead = Field(default_factory=MetaRead)

    @classmethod
    def assemble(cls, **values: Any) -> Self:  # noqa: ANN401 - fields of any types.
        """As that of all models, with the list of what may be masked."""
        return super().assemble(**{**values, "meta": _meta_for_strangers(cls)})

    def model_post_init(self, _context: Any, /) -> None:  # noqa: ANN401 - Pydantic's signature.
        """List what may be masked as long as nobody said who looks."""
        self.__dict__["meta"] = _meta_for_strangers(type(self))
        self.__pydantic_fields_set__.add("meta")


def dispositions(model: type[BaseModel], viewer: Viewer | None) -> Mapping[str, Disposition]:
    """In which form each classified field of a model is shown to a viewer, by path."""
    return shown_forms(model, sight_of(viewer))


def masked_paths(model: BaseModel, viewer: Viewer | None) -> list[str]:
    """The paths of a model that a viewer is not shown in clear; see `rendering.masked_paths`."""
    sight, found = sight_of(viewer), set[str]()
    show(model, sight, found)
    return rendering.masked_paths(type(model), sight, found)


def render(model: BaseModel, viewer: Viewer) -> bytes:
    """The JSON of a model as one viewer may see it.

    Only `app.infra.reveal` calls this: what is rendered in clear has to be audited.
    """
    return write(rendered(model, viewer))


def render_each(
    model: BaseModel, viewer: Viewer, items: Sequence[tuple[BaseModel, Viewer | None]]
) -> bytes:
    """The JSON of a list about several customers, each as his own viewer may see him.

    Args:
        model: what is told besides, with `items` of its own left empty.
        viewer: for whom that is shown.
        items: the items, with the caller as the viewer of each.
    """
    told = [rendered(item, seen_by) for item, seen_by in items]
    return write({**rendered(model, viewer), "items": told})


def rendered(model: BaseModel, viewer: Viewer | None) -> dict[str, object]:
    """What one viewer may see of a model, by the names of the interface, with `meta.masked`.

    Only `app.infra.downloads` calls this, beside the functions above it.
    """
    sight, found = sight_of(viewer), set[str]()
    shown = show(model, sight, found)
    if isinstance(model, MaskedRead):
        shown["meta"] = {"masked": rendering.masked_paths(type(model), sight, found)}
    return shown
