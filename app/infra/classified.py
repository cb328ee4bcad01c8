"""The class of a field: the marker that declares it, and the walk that finds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, GetCoreSchemaHandler, SerializationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from app.domain.privacy.classes import Disposition, SensitivityClass, Trait
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.domain.privacy.sensitive import Sensitive

#: What may hold several of a field.
CONTAINERS: Final = (list, tuple, set, frozenset, Mapping)

VIEWER_CONTEXT: Final = "viewer"


class ClassificationError(RuntimeError):
    """A field is declared in a way that does not protect it; the process must not start."""


def _viewer(context: object) -> Viewer | None:
    found = context.get(VIEWER_CONTEXT) if isinstance(context, Mapping) else None
    return found if isinstance(found, Viewer) else None


class Classified:
    """The marker of a field's class.

    Args:
        sensitivity: the class.
        traits: what the role table may ask for beyond it.
    """

    def __init__(self, sensitivity: SensitivityClass, *traits: Trait) -> None:
        self.sensitivity = sensitivity
        self.traits = frozenset(traits)

    def disposition(self, viewer: Viewer | None) -> Disposition:
        """In which form a viewer is shown the field."""
        return MATRIX.disposition(viewer, self.sensitivity, self.traits)

    def is_masked(self, viewer: Viewer | None, held: Iterable[Sensitive[object]]) -> bool:
        """Whether a viewer is not shown the field in clear, given the values it holds."""
        if self.disposition(viewer) is not Disposition.CLEAR:
            return True
        return any(value.is_sealed for value in held)

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401 - Pydantic hands over whatever was annotated.
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        """Pydantic's view: only a Sensitive of this class goes in, and only an allowed form out."""
        if self.sensitivity is SensitivityClass.OPEN:
            return handler(source)
        if get_origin(source) is not Sensitive:
            message = f"a field of class {self.sensitivity} must be declared as Sensitive[...]"
            raise ClassificationError(message)
        clear = handler.generate_schema(get_args(source)[0])
        shown = core_schema.nullable_schema(
            core_schema.union_schema([clear, core_schema.str_schema()])
        )
        return core_schema.no_info_plain_validator_function(
            self._accept,
            json_schema_input_schema=shown,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self._serialize, info_arg=True, return_schema=shown
            ),
        )

    def _accept(self, value: object) -> Sensitive[object]:
        if not isinstance(value, Sensitive) or value.sensitivity is not self.sensitivity:
            kind = "sensitive"
            message = "a sensitive value of the field's own class is needed"
            raise PydanticCustomError(kind, message)
        return value

    def _serialize(self, value: Sensitive[object], info: SerializationInfo[Any]) -> object:
        return value.form(self.disposition(_viewer(info.context)))


class ClassifiedByValue(Classified):
    """The marker of a field whose class is that of the value it holds.

    What is derived, such as a reason code, is of the class of the facts it comes from, which the
    rule set decides. Who is granted neither the value nor its band is shown its masked form, which
    must therefore be the same for everybody, as `GENERAL` is.

    Args:
        possible: the classes a value may have.
    """

    def __init__(self, *possible: SensitivityClass) -> None:
        # Never open, which would declare the field to hold plain values.
        super().__init__(SensitivityClass.FREE)
        self.possible = frozenset(possible)

    def disposition(self, viewer: Viewer | None) -> Disposition:
        """The least that a viewer is shown of such a field, whatever its value."""
        return MATRIX.joint_disposition(viewer, self.possible)

    def is_masked(self, viewer: Viewer | None, held: Iterable[Sensitive[object]]) -> bool:
        """Whether one of the values is not shown in clear."""
        return any(
            value.is_sealed
            or MATRIX.disposition(viewer, value.sensitivity) is not Disposition.CLEAR
            for value in held
        )

    def _accept(self, value: object) -> Sensitive[object]:
        if not isinstance(value, Sensitive) or value.sensitivity not in self.possible:
            kind = "sensitive"
            message = "a sensitive value of one of the field's classes is needed"
            raise PydanticCustomError(kind, message)
        return value

    def _serialize(self, value: Sensitive[object], info: SerializationInfo[Any]) -> object:
        disposition = MATRIX.disposition(_viewer(info.context), value.sensitivity)
        return value.form(self.shown(disposition))

    @staticmethod
    def shown(disposition: Disposition) -> Disposition:
        """The form that is shown of a value with this disposition: at least its masked form."""
        if disposition in {Disposition.CLEAR, Disposition.BAND}:
            return disposition
        return Disposition.PARTIAL


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field at the end of a path, as `items[].name`; `marker` is None if it has no class."""

    path: str
    marker: Classified | None


def leaves_of(annotation: object) -> Iterator[Leaf]:
    """Every field that an annotation can hold, with its class; recursive models are cut."""
    yield from _leaves(annotation, "", ())


def _leaves(annotation: object, path: str, within: tuple[type, ...]) -> Iterator[Leaf]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _annotated_leaves(get_args(annotation), path, within)
    elif origin in {Union, UnionType}:
        for option in get_args(annotation):
            yield from _leaves(option, path, within)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _model_leaves(annotation, path, within)
    elif isinstance(origin, type) and issubclass(origin, CONTAINERS):
        for part in _parts(origin, get_args(annotation)):
            yield from _leaves(part, f"{path}[]", within)
    elif annotation is not NoneType:
        yield Leaf(path, None)


def _annotated_leaves(
    arguments: tuple[object, ...], path: str, within: tuple[type, ...]
) -> Iterator[Leaf]:
    inner, *metadata = arguments
    marker = next((item for item in metadata if isinstance(item, Classified)), None)
    if marker is None:
        yield from _leaves(inner, path, within)
    else:
        yield Leaf(path, marker)
        yield from _models_inside(inner, path, within)


def _parts(origin: type, arguments: tuple[object, ...]) -> Iterator[object]:
    """What a container holds; the keys of a mapping are as open as the place they stand in."""
    held = arguments[-1:] if issubclass(origin, Mapping) else arguments
    return (part for part in held if part is not Ellipsis)


def _model_leaves(model: type[BaseModel], path: str, within: tuple[type, ...]) -> Iterator[Leaf]:
    if model in within:
        return
    for name, field in model.model_fields.items():
        annotation: object = field.annotation
        if field.metadata:
            annotation = Annotated[(annotation, *field.metadata)]
        shown = field.serialization_alias or name
        yield from _leaves(annotation, f"{path}.{shown}" if path else shown, (*within, model))
    for name in model.model_computed_fields:
        yield Leaf(f"{path}.{name}" if path else name, None)


def _models_inside(annotation: object, path: str, within: tuple[type, ...]) -> Iterator[Leaf]:
    """Models within a field that has a class of its own are looked into all the same."""
    if get_origin(annotation) is Sensitive:
        return
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _model_leaves(annotation, path, within)
    for part in get_args(annotation):
        yield from _models_inside(part, f"{path}[]", within)
