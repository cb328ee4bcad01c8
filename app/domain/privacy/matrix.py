"""The role table: which form of a value a viewer is shown. Its data is `matrix.toml`."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar

from app.domain.privacy.classes import Disposition, SensitivityClass, Trait, strictest
from app.domain.privacy.roles import Relation, Role, Viewer

_DIGEST_DIGITS = 12

Word = TypeVar("Word", bound=StrEnum)


class MatrixError(ValueError):
    """The role table is not what it must be; the message names the place."""


class Condition(StrEnum):
    """On what a conditional cell depends."""

    PURPOSE = "purpose"
    DECLARED = "declared"
    PREMIUM = "premium"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a disposition, or one that holds under a condition and another otherwise."""

    then: Disposition
    otherwise: Disposition
    when: Condition | None = None

    def disposition(self, viewer: Viewer, traits: frozenset[Trait]) -> Disposition:
        """What the cell gives this viewer for a field with these traits."""
        if self.when is Condition.PURPOSE:
            holds = viewer.purpose is not None
        else:
            holds = self.when is None or Trait(self.when.value) in traits
        return self.then if holds else self.otherwise


Column: TypeAlias = Mapping[SensitivityClass, Cell]
NO_TRAITS: Final[frozenset[Trait]] = frozenset()


@dataclass(frozen=True, slots=True)
class Matrix:
    """The whole table.

    Args:
        version: the declared version and a digest of the data, for the audit record.
        columns: cells by role, relation and class; what is missing is withheld.
        unviewed: what is written when no viewer is known.
    """

    version: str
    columns: Mapping[tuple[Role, Relation], Column]
    unviewed: Mapping[SensitivityClass, Disposition]

    def disposition(
        self,
        viewer: Viewer | None,
        sensitivity: SensitivityClass,
        traits: frozenset[Trait] = NO_TRAITS,
    ) -> Disposition:
        """In which form a viewer is shown a value of a class; what is unlisted is withheld."""
        if viewer is None:
            return self.unviewed[sensitivity]
        cell = self.columns.get((viewer.role, viewer.relation), {}).get(sensitivity)
        return Disposition.WITHHELD if cell is None else cell.disposition(viewer, traits)

    def joint_disposition(
        self, viewer: Viewer | None, sensitivities: Iterable[SensitivityClass]
    ) -> Disposition:
        """What may be shown of something derived from inputs of several classes."""
        return strictest(self.disposition(viewer, sensitivity) for sensitivity in sensitivities)

    def sees_customer_data(self, viewer: Viewer) -> bool:
        """Whether the viewer may be answered about this customer at all."""
        return self.disposition(viewer, SensitivityClass.OPEN) is Disposition.CLEAR

    def serves(self, role: Role) -> bool:
        """Whether there is any customer that a role may be answered about."""
        return any(self.sees_customer_data(Viewer(role, "", relation)) for relation in Relation)


def _word(kind: type[Word], raw: object, place: str) -> Word:
    try:
        return kind(str(raw))
    except ValueError:
        known = ", ".join(kind)
        message = f"{place}: {raw!r} is not one of {known}"
        raise MatrixError(message) from None


def _table(raw: object, place: str) -> Mapping[str, object]:
    if not isinstance(raw, dict):
        message = f"{place}: a table is needed"
        raise MatrixError(message)
    return {str(key): value for key, value in raw.items()}


def _cell(raw: object, place: str) -> Cell:
    if isinstance(raw, str):
        disposition = _word(Disposition, raw, place)
        return Cell(disposition, disposition)
    entries = _table(raw, place)
    if set(entries) != {"when", "then", "otherwise"}:
        message = f"{place}: a conditional cell has when, then and otherwise"
        raise MatrixError(message)
    then = _word(Disposition, entries["then"], place)
    otherwise = _word(Disposition, entries["otherwise"], place)
    if strictest((then, otherwise)) is not otherwise:
        message = f"{place}: the condition would show less than its absence"
        raise MatrixError(message)
    return Cell(then, otherwise, _word(Condition, entries["when"], place))


def _cells(raw: object, place: str) -> Column:
    return {
        _word(SensitivityClass, name, place): _cell(cell, f"{place}.{name}")
        for name, cell in _table(raw, place).items()
    }


def _column(raw: Mapping[str, object], known: Mapping[Role, Column], place: str) -> Column:
    if "as" not in raw:
        return _cells(raw.get("cells"), f"{place}.cells")
    other = _word(Role, raw["as"], place)
    if other not in known or "cells" in raw:
        message = f"{place}: `as` names a role listed before, without a relation, and adds no cells"
        raise MatrixError(message)
    return known[other]


def _columns(raw: object) -> Mapping[tuple[Role, Relation], Column]:
    if not isinstance(raw, list) or not raw:
        message = "columns: at least one is needed"
        raise MatrixError(message)
    columns: dict[tuple[Role, Relation], Column] = {}
    general: dict[Role, Column] = {}
    for index, entry in enumerate(raw):
        place = f"columns[{index}]"
        table = _table(entry, place)
        if unknown := set(table) - {"role", "relation", "cells", "as"}:
            message = f"{place}: unknown key {min(unknown)}"
            raise MatrixError(message)
        role = _word(Role, table.get("role"), place)
        column = MappingProxyType(dict(_column(table, general, place)))
        if "relation" in table:
            relations = [_word(Relation, table["relation"], place)]
        else:
            relations = list(Relation)
            general[role] = column
        for relation in relations:
            if (role, relation) in columns:
                message = f"{place}: {role} has this relation already"
                raise MatrixError(message)
            columns[role, relation] = column
    return MappingProxyType(columns)


def _unviewed(
    raw: object, columns: Mapping[tuple[Role, Relation], Column]
) -> Mapping[SensitivityClass, Disposition]:
    given = {
        _word(SensitivityClass, name, "unviewed"): _word(Disposition, word, f"unviewed.{name}")
        for name, word in _table(raw, "unviewed").items()
    }
    if missing := [name for name in SensitivityClass if name not in given]:
        message = f"unviewed: {missing[0]} is missing"
        raise MatrixError(message)
    for (role, relation), column in columns.items():
        for name, cell in column.items():
            if strictest((given[name], cell.otherwise)) is not given[name]:
                message = f"unviewed.{name}: shows more than {role} ({relation}) may see"
                raise MatrixError(message)
    return MappingProxyType(given)


def parse_matrix(text: str) -> Matrix:
    """The role table of a TOML text.

    Raises:
        MatrixError: an unknown word, a missing part, a column twice, or an `unviewed` that shows
            more than some role may see.
    """
    try:
        raw: Mapping[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"not TOML: {error}"
        raise MatrixError(message) from None
    if set(raw) != {"version", "columns", "unviewed"}:
        message = "the table has version, unviewed and columns"
        raise MatrixError(message)
    columns = _columns(raw["columns"])
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]
    return Matrix(f"{raw['version']}+{digest}", columns, _unviewed(raw["unviewed"], columns))


def load_matrix() -> Matrix:
    """The role table this package carries."""
    return parse_matrix(
        resources.files("app.domain.privacy").joinpath("matrix.toml").read_text(encoding="utf-8")
    )


MATRIX: Final = load_matrix()
