"""What of a model one viewer is shown, by a plan that is made once per model and kind of viewer.

Pydantic's own serialization of a model masks it too, and is what a router gets that forgets
everything. It asks the role table anew for every value of every answer, which costs more than all
the rest of a look-up; so the door through which clear values leave works by plans. A test holds
both to the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import to_json

from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Purpose, Relation, Role, Viewer
from app.domain.privacy.sensitive import Sensitive
from app.infra.classified import (
    CONTAINERS,
    ClassificationError,
    Classified,
    ClassifiedByValue,
    leaves_of,
)

#: All that the role table asks of a viewer; None is a viewer of whom nothing is known.
Sight: TypeAlias = tuple[Role, Relation, Purpose | None] | None
#: Turns a field's value into what is shown of it, and adds its path to what turned out masked.
Show: TypeAlias = Callable[[Any, set[str]], object]

#: Values that are shown by a rule of their own and not as they are.
_SPECIAL = (BaseModel, Sensitive, *CONTAINERS)


def sight_of(viewer: Viewer | None) -> Sight:
    """What of a viewer decides what he is shown."""
    return None if viewer is None else (viewer.role, viewer.relation, viewer.purpose)


def _viewer(sight: Sight) -> Viewer | None:
    if sight is None:
        return None
    role, relation, purpose = sight
    return Viewer(role=role, subject="", relation=relation, purpose=purpose)


@cache
def classified_fields(model: type[BaseModel]) -> tuple[tuple[str, Classified], ...]:
    """The fields of a model that are above class open, by path."""
    return tuple(
        (leaf.path, leaf.marker)
        for leaf in leaves_of(model)
        if leaf.marker is not None and leaf.marker.sensitivity is not SensitivityClass.OPEN
    )


@cache
def shown_forms(model: type[BaseModel], sight: Sight) -> Mapping[str, Disposition]:
    """In which form each classified field of a model is shown, by path."""
    viewer = _viewer(sight)
    return {path: marker.disposition(viewer) for path, marker in classified_fields(model)}


@cache
def written_forms(model: type[BaseModel], sight: Sight) -> str:
    """What `shown_forms` tells, as the JSON that the audit stores."""
    return to_json(shown_forms(model, sight)).decode()


def written_forms_of(shown: Iterable[tuple[type[BaseModel], Sight]]) -> str:
    """The same of a list about several customers: by relation and model, each of them once."""
    told = {
        f"{'stranger' if sight is None else sight[1].value}:{model.__name__}": shown_forms(
            model, sight
        )
        for model, sight in shown
    }
    return to_json(told).decode()


@cache
def _always_masked(model: type[BaseModel], sight: Sight) -> frozenset[str]:
    """The paths that are masked whatever their values are."""
    viewer = _viewer(sight)
    return frozenset(
        path for path, marker in classified_fields(model) if marker.is_masked(viewer, ())
    )


@cache
def hidden_from_strangers(model: type[BaseModel]) -> tuple[str, ...]:
    """The paths that somebody of whom nothing is known may not be shown in clear."""
    return tuple(
        path
        for path, disposition in shown_forms(model, None).items()
        if disposition is not Disposition.CLEAR
    )


def masked_paths(model: type[BaseModel], sight: Sight, found: set[str]) -> list[str]:
    """The paths that a viewer is not shown in clear, in the order of the fields.

    They follow from the model and the viewer alone, so that they say nothing about a value. The
    exceptions are a value that could not be decrypted, whose masked form is shown and which is
    listed, and derived values, which are of the class of what they come from.

    Args:
        model: the answer's model.
        sight: who looks.
        found: the paths of such exceptions, as `show` found them.
    """
    masked = _always_masked(model, sight) | found
    return [path for path, _ in classified_fields(model) if path in masked]


def show(model: BaseModel, sight: Sight, found: set[str]) -> dict[str, object]:
    """What of a model is shown, by the names of the interface; `found` is added to."""
    return _shown(model, sight, "", found)


def write(shown: Mapping[str, object]) -> bytes:
    """The JSON of what `show` gave."""
    return to_json(shown)


def _shown(model: BaseModel, sight: Sight, path: str, found: set[str]) -> dict[str, object]:
    held = model.__dict__
    return {alias: form(held[name], found) for name, alias, form in _plan(type(model), sight, path)}


@cache
def _plan(model: type[BaseModel], sight: Sight, path: str) -> tuple[tuple[str, str, Show], ...]:
    fields = []
    for name, field in model.model_fields.items():
        alias = field.serialization_alias or name
        annotation: object = field.annotation
        if field.metadata:
            annotation = Annotated[(annotation, *field.metadata)]
        within = f"{path}.{alias}" if path else alias
        fields.append((name, alias, _form(annotation, sight, within)))
    return tuple(fields)


def _form(annotation: object, sight: Sight, path: str) -> Show:
    """How a field of that annotation is shown; the walk is that of `classified.leaves_of`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        marker = next((item for item in arguments[1:] if isinstance(item, Classified)), None)
        return (
            _form(arguments[0], sight, path)
            if marker is None
            else _marked(marker, arguments[0], sight, path)
        )
    if origin in {Union, UnionType}:
        return _either([_form(option, sight, path) for option in arguments])
    if isinstance(origin, type) and issubclass(origin, CONTAINERS):
        inner = _form(
            arguments[-1] if issubclass(origin, Mapping) else arguments[0], sight, f"{path}[]"
        )
        return inner if inner is _as_it_is else _each(inner)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return lambda model, found: _shown(model, sight, path, found)
    return _as_it_is


def _marked(marker: Classified, annotation: object, sight: Sight, path: str) -> Show:
    if isinstance(marker, ClassifiedByValue):
        return _form_by_value(marker, sight, path)
    if marker.sensitivity is SensitivityClass.OPEN:
        return _form(annotation, sight, path)
    return _form_by_class(marker, sight, path)


def _either(forms: Sequence[Show]) -> Show:
    """The form of a union, whose one protected or nested option is told from the plain ones."""
    special = [form for form in forms if form is not _as_it_is]
    if not special:
        return _as_it_is

    def form(value: object, found: set[str]) -> object:
        return special[0](value, found) if isinstance(value, _SPECIAL) else value

    return form


def _each(inner: Show) -> Show:
    def form(values: Iterable[Any], found: set[str]) -> object:
        if isinstance(values, Mapping):
            return {key: inner(value, found) for key, value in values.items()}
        return [inner(value, found) for value in values]

    return form


def _as_it_is(value: object, _found: set[str]) -> object:
    return value


def _form_by_class(marker: Classified, sight: Sight, path: str) -> Show:
    disposition = marker.disposition(_viewer(sight))
    sensitivity = marker.sensitivity
    is_clear = disposition is Disposition.CLEAR

    def form(value: Sensitive[object], found: set[str]) -> object:
        if value.sensitivity is not sensitivity:
            raise _misplaced(path)
        if is_clear and value.is_sealed:
            found.add(path)
        return value.form(disposition)

    return form


def _form_by_value(marker: ClassifiedByValue, sight: Sight, path: str) -> Show:
    viewer = _viewer(sight)
    dispositions = {name: MATRIX.disposition(viewer, name) for name in marker.possible}

    def form(value: Sensitive[object], found: set[str]) -> object:
        disposition = dispositions.get(value.sensitivity)
        if disposition is None:
            raise _misplaced(path)
        if value.is_sealed or disposition is not Disposition.CLEAR:
            found.add(path)
        return value.form(marker.shown(disposition))

    return form


def _misplaced(path: str) -> ClassificationError:
    return ClassificationError(f"{path} holds a value of a class that it was not declared for")


def forget_plans() -> None:
    """Plan anew, for who exchanges the role table under a running process, as a test does."""
    for planned in (shown_forms, written_forms, hidden_from_strangers, _always_masked, _plan):
        planned.cache_clear()
