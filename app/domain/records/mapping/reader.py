"""Reading the vocabulary of a mapping out of plain data, collecting everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from app.domain.records.casting.reading import (
    FALSE_WORDS,
    ISO_DATE,
    TRUE_WORDS,
    Reading,
    is_date_format,
)
from app.domain.records.findings import Finding, nearest
from app.domain.records.mapping.expressions import (
    Absent,
    As,
    Beside,
    Branch,
    Case,
    Choice,
    Chosen,
    Compared,
    Comparison,
    Condition,
    Constant,
    Default,
    Every,
    Expression,
    From,
    Neighbour,
    Not,
    OneOf,
    Scalar,
    Some,
    Template,
    Translated,
)
from app.domain.records.specs import MONEY_SCALE, ColumnType

_READABLE: Final = {
    "text": ColumnType.TEXT,
    "int": ColumnType.INT,
    "decimal": ColumnType.DECIMAL,
    "bool": ColumnType.BOOL,
    "date": ColumnType.DATE,
}
_READING_KEYS: Final = ("scale", "format", "true", "false")
_MODIFIERS: Final = ("map", "otherwise", "as", *_READING_KEYS, "default")
_SOURCES: Final = (
    "from",
    "constant",
    "template",
    *(choice.value for choice in Choice),
    *(neighbour.value for neighbour in Neighbour),
    "case",
)
_CONDITIONS: Final = ("value", "all", "any", "not")
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")
_ABSENT: Final = object()


class Reader:
    """Reads expressions and conditions; what cannot be read is noted and stands for absence."""

    def __init__(self, *, decimal_mark: str = ".") -> None:
        self.findings: list[Finding] = []
        self.decimal_mark = decimal_mark

    def note(self, path: str, message: str, remedy: str) -> None:
        """Remember something wrong."""
        self.findings.append(Finding(path, message, remedy))

    # ------------------------------------------------------------------------------ plain data

    def mapping(self, raw: object, path: str, allowed: Iterable[str]) -> dict[str, object]:
        """A mapping with none but the allowed keys; an empty one if it is none."""
        if not isinstance(raw, dict):
            self.note(
                path, "a mapping of names to values is needed", "examples/README.md shows the form"
            )
            return {}
        names = list(allowed)
        for key in raw:
            if key not in names:
                self.note(path, f"unknown key {key!r}", nearest(str(key), names))
        return {str(key): value for key, value in raw.items()}

    def items(self, raw: object, path: str) -> list[object]:
        """A list that is not empty; an empty one if it is none."""
        if not isinstance(raw, list) or not raw:
            self.note(path, "a list with at least one entry is needed", "write it as - entry")
            return []
        return list(raw)

    def text(self, raw: object, path: str) -> str:
        """A text that is not empty; an empty one if it is none."""
        if not isinstance(raw, str) or not raw:
            self.note(path, "a text is needed", "write one, in quotes if it looks like a number")
            return ""
        return raw

    def scalar(self, raw: object, path: str) -> Scalar:
        """A text, whole number, true, false or null."""
        if raw is None or isinstance(raw, str | int | bool):
            return raw
        self.note(path, "a plain value is needed", "write a text, a number, true, false or null")
        return None

    def words(self, raw: object, path: str) -> tuple[str, ...]:
        """A list of texts; whole numbers are taken as they are written."""
        return tuple(
            self.text(str(item) if isinstance(item, int) else item, f"{path}[{place}]")
            for place, item in enumerate(self.items(raw, path))
        )

    # ----------------------------------------------------------------------------- expressions

    def expression(self, raw: object, path: str) -> Expression:
        """A value: a column's name, or a mapping with one source and perhaps modifiers."""
        if isinstance(raw, str) and raw:
            return From(path, raw)
        entry = self.mapping(raw, path, (*_SOURCES, *_MODIFIERS, "else"))
        named = [name for name in _SOURCES if name in entry]
        if len(named) != 1:
            self.note(
                path, "a value needs exactly one source", f"give one of {', '.join(_SOURCES)}"
            )
            return From(path, "")
        return self._modified(self._source(named[0], entry, path), entry, path)

    def _source(self, name: str, entry: Mapping[str, object], path: str) -> Expression:
        place = f"{path}.{name}"
        raw = entry[name]
        if "else" in entry and name != "case":
            self.note(path, "`else` belongs to `case`", "use `otherwise` for a map")
        if name == "from":
            return From(path, self.text(raw, place))
        if name == "constant":
            return Constant(path, self.scalar(raw, place))
        if name == "template":
            return self._template(raw, place)
        if name == "case":
            return self._case(raw, entry.get("else", _ABSENT), path)
        if name in set(Neighbour):
            return Beside(path, Neighbour(name), self.text(raw, place))
        values = tuple(
            self.expression(item, f"{place}[{number}]")
            for number, item in enumerate(self.items(raw, place))
        )
        return Chosen(path, Choice(name), values)

    def _template(self, raw: object, path: str) -> Expression:
        text = self.text(raw, path)
        parts = _PLACEHOLDER.split(text)
        if any("{" in part or "}" in part for part in parts):
            self.note(path, "a brace without its partner", "write {column}, and no other braces")
        return Template(path, tuple(parts))

    def _case(self, raw: object, otherwise: object, path: str) -> Expression:
        branches = []
        for number, item in enumerate(self.items(raw, f"{path}.case")):
            place = f"{path}.case[{number}]"
            entry = self.mapping(item, place, ("when", "then"))
            if set(entry) >= {"when", "then"}:
                when = self.condition(entry["when"], f"{place}.when")
                branches.append(Branch(when, self.expression(entry["then"], f"{place}.then")))
            elif entry:
                self.note(place, "a branch needs `when` and `then`", "give both")
        rest = None if otherwise is _ABSENT else self.expression(otherwise, f"{path}.else")
        return Case(path, tuple(branches), rest)

    def _modified(self, base: Expression, entry: Mapping[str, object], path: str) -> Expression:
        value = base
        if "map" in entry:
            value = self._translated(value, entry, path)
        elif "otherwise" in entry:
            self.note(path, "`otherwise` without `map`", "drop it, or use `default`")
        if "as" in entry:
            value = As(path, value, self._reading(entry, path))
        elif surplus := [key for key in _READING_KEYS if key in entry]:
            self.note(path, f"`{surplus[0]}` without `as`", "say as: date, decimal or bool")
        if "default" in entry:
            place = f"{path}.default"
            value = Default(path, value, Constant(place, self.scalar(entry["default"], place)))
        return value

    def _translated(self, value: Expression, entry: Mapping[str, object], path: str) -> Expression:
        place = f"{path}.map"
        raw = entry["map"]
        if not isinstance(raw, dict) or not raw:
            self.note(place, "a mapping of words to words is needed", 'write "0": agent')
            return value
        words = {
            str(key): None if word is None else str(self.scalar(word, f"{place}.{key}"))
            for key, word in raw.items()
        }
        otherwise = None
        if "otherwise" in entry:
            rest = f"{path}.otherwise"
            otherwise = Constant(rest, self.scalar(entry["otherwise"], rest))
        return Translated(path, value, words, otherwise)

    def _reading(self, entry: Mapping[str, object], path: str) -> Reading:
        kind = _READABLE.get(str(entry["as"]))
        if kind is None:
            self.note(f"{path}.as", f"unknown type {entry['as']!r}", f"use {', '.join(_READABLE)}")
            kind = ColumnType.TEXT
        return Reading(
            type=kind,
            scale=self._scale(entry.get("scale", 0), f"{path}.scale"),
            date_format=self._date_format(entry.get("format", ISO_DATE), f"{path}.format"),
            true_words=self.words(entry["true"], f"{path}.true") if "true" in entry else TRUE_WORDS,
            false_words=(
                self.words(entry["false"], f"{path}.false") if "false" in entry else FALSE_WORDS
            ),
            decimal_mark=self.decimal_mark,
            rounds=True,
        )

    def _scale(self, raw: object, path: str) -> int:
        if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= MONEY_SCALE:
            return raw
        self.note(path, "the scale is no number of decimal digits", f"use 0 to {MONEY_SCALE}")
        return 0

    def _date_format(self, raw: object, path: str) -> str:
        if isinstance(raw, str) and is_date_format(raw):
            return raw
        self.note(path, "no date format", "build one of YYYY, MM or M, DD or D, as DD/MM/YYYY")
        return ISO_DATE

    # ------------------------------------------------------------------------------ conditions

    def condition(self, raw: object, path: str) -> Condition:
        """When something applies."""
        entry = self.mapping(
            raw,
            path,
            (*_CONDITIONS, *(item.value for item in Comparison), "is_one_of", "is_absent"),
        )
        named = [name for name in _CONDITIONS if name in entry]
        if len(named) != 1:
            if entry:
                kinds = ", ".join(_CONDITIONS)
                self.note(path, "a condition needs exactly one beginning", f"give one of {kinds}")
            return Every(path, ())
        readers: dict[str, Callable[[], Condition]] = {
            "value": lambda: self._test(entry, path),
            "all": lambda: Every(path, self._conditions(entry["all"], f"{path}.all")),
            "any": lambda: Some(path, self._conditions(entry["any"], f"{path}.any")),
            "not": lambda: Not(path, self.condition(entry["not"], f"{path}.not")),
        }
        return readers[named[0]]()

    def _conditions(self, raw: object, path: str) -> tuple[Condition, ...]:
        return tuple(
            self.condition(item, f"{path}[{number}]")
            for number, item in enumerate(self.items(raw, path))
        )

    def _test(self, entry: Mapping[str, object], path: str) -> Condition:
        value = self.expression(entry["value"], f"{path}.value")
        tests = [name for name in entry if name != "value"]
        if len(tests) != 1:
            self.note(
                path,
                "a condition on a value needs exactly one test",
                f"give one of {', '.join((*Comparison, 'is_one_of', 'is_absent'))}",
            )
            return Every(path, ())
        test, place = tests[0], f"{path}.{tests[0]}"
        if test == "is_absent":
            if not isinstance(entry[test], bool):
                self.note(place, "true or false is needed", "write true or false")
            return Absent(path, value, is_absent=entry[test] is True)
        if test == "is_one_of":
            return OneOf(path, value, self.words(entry[test], place))
        if test not in set(Comparison):
            return Every(path, ())
        return Compared(path, value, Comparison(test), self._operand(entry[test], place))

    def _operand(self, raw: object, path: str) -> Expression:
        """The right side of a comparison: a plain value stands for itself, not for a column."""
        if isinstance(raw, dict):
            return self.expression(raw, path)
        return Constant(path, self.scalar(raw, path))
