"""Reading YAML and JSON documents that people wrote: plain data, nothing clever, nothing lost.

The subset is what JSON can say. Aliases and tags are refused (they can blow up a small text, or
name a Python type), and so are keys that occur twice (the last would win unseen). A number with
decimals stays the text it was written as, so that no binary fraction ever stands for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping
from typing import Any, Final, NoReturn, cast

import yaml

from app.domain.errors import Invalid

MAX_CHARACTERS: Final = 1_000_000
_MAX_DEPTH: Final = 40
#: Reading YAML takes a hundred times as long as JSON: some seconds for so many.
_MAX_NODES: Final = 100_000
_MAX_INTEGER_DIGITS: Final = 18

_STRING: Final = "tag:yaml.org,2002:str"
_PLAIN_SCALARS: Final = (
    ("tag:yaml.org,2002:null", re.compile(r"(?:~|null|)$"), ["~", "n", ""]),
    ("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)$"), list("tf")),
    ("tag:yaml.org,2002:int", re.compile(r"-?(?:0|[1-9][0-9]*)$"), list("-0123456789")),
)
_KNOWN_TAGS: Final = frozenset(
    {
        _STRING,
        "tag:yaml.org,2002:map",
        "tag:yaml.org,2002:seq",
        *(tag for tag, _, _ in _PLAIN_SCALARS),
    }
)


class UnreadableError(Invalid):
    """A text that is no document, with the place where that shows.

    Attributes:
        rule: what it breaks, in a word.
        place: line and column from 1, None if the whole of it is meant.
    """

    def __init__(self, detail: str, rule: str, place: tuple[int, int] | None = None) -> None:
        at = "" if place is None else f"line {place[0]}, column {place[1]}: "
        super().__init__("document-unreadable", at + detail)
        self.rule = rule
        self.place = place


class _Loader(yaml.SafeLoader):
    """The JSON subset of YAML 1.2: `no` is a text, `010` is a text, and so is `2027-01-31`."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML reads it under this name.
        first: [(tag, pattern) for tag, pattern, firsts in _PLAIN_SCALARS if first in firsts]
        for first in {key for _, _, firsts in _PLAIN_SCALARS for key in firsts}
    }

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._nesting = 0
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise _refused("alias", "an alias (*name)", self._place(), "write the value out")
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            what = f"a document of more than {_MAX_NODES:,} names and values"
            raise _refused("nodes", what, self._place(), "send it as JSON, or split it")
        self._nesting += 1
        if self._nesting > _MAX_DEPTH:
            raise _refused("depth", f"more than {_MAX_DEPTH} levels", self._place(), "nest less")
        node = super().compose_node(parent, index)
        self._nesting -= 1
        if node is not None and node.tag not in _KNOWN_TAGS:
            raise _refused("tag", f"the tag {node.tag[:60]}", node.start_mark, "write plain values")
        return node

    def _place(self) -> yaml.Mark:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        return cast("yaml.Mark", event.start_mark)

    def compose_scalar_node(self, anchor: dict[Any, yaml.Node]) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        try:
            # JSON escapes a character beyond the basic plane as two surrogates.
            node.value = node.value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            mark = node.start_mark
            raise _refused("half_character", "half a character", mark, "write it out") from None
        return node

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - PyYAML's.
    ) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _STRING:
                raise _refused("key_type", "a key that is no text", key_node.start_mark, "quote it")
            if key_node.value in seen:
                raise _refused(
                    "key_twice",
                    f"the key {key_node.value[:60]!r} a second time",
                    key_node.start_mark,
                    "keep one of them",
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        if len(node.value) > _MAX_INTEGER_DIGITS:
            what = "a number too long to be meant"
            raise _refused("number_length", what, node.start_mark, "quote it")
        return int(node.value)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def _refused(rule: str, what: str, mark: yaml.Mark, remedy: str) -> UnreadableError:
    return UnreadableError(f"{what} is not allowed here; {remedy}", rule, _place_of(mark))


def _place_of(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def read_document(text: str) -> dict[str, object]:
    r"""The one mapping that a YAML or JSON text holds.

    Raises:
        UnreadableError: naming line and column and what to do.

    >>> read_document("a: 1.50\nb: [no, 7, null]")
    {'a': '1.50', 'b': ['no', 7, None]}
    """
    _require_length(text)
    try:
        loaded = _load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "not YAML"
        raise UnreadableError(problem, "syntax", _place_of(mark) if mark else None) from None
    except yaml.YAMLError as error:
        # What the reader refuses before parsing: characters YAML does not allow.
        reason = str(getattr(error, "reason", "not YAML"))
        detail = f"{reason}; save the document as UTF-8 text"
        raise UnreadableError(detail, "characters") from None
    return _mapping(loaded)


def read_json_document(text: str) -> dict[str, object]:
    r"""The one mapping that a JSON text holds, read like YAML that says the same, but much faster.

    Raises:
        UnreadableError: naming line and column and what to do.

    >>> read_json_document('{"a": 1.50, "b": ["no", 7, null]}')
    {'a': '1.50', 'b': ['no', 7, None]}
    """
    _require_length(text)
    try:
        loaded = json.loads(
            text.removeprefix("\ufeff"),
            object_pairs_hook=_each_key_once,
            parse_float=str,
            parse_int=_short_integer,
            parse_constant=_no_number,
        )
        require_plain(loaded)
    except json.JSONDecodeError as error:
        detail = f"{error.msg}; write JSON, or send the document as YAML"
        raise UnreadableError(detail, "syntax", (error.lineno, error.colno)) from None
    except (ValueError, RecursionError):
        # The fast reader does not say where it was; the other one finds the same, and does.
        read_document(text)
        raise UnreadableError("NaN and Infinity are no JSON", "syntax") from None
    return _mapping(loaded)


def _require_length(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise UnreadableError(
            f"the document is longer than {MAX_CHARACTERS:,} characters; split it or drop comments",
            "length",
        )


def _mapping(loaded: object) -> dict[str, object]:
    if not isinstance(loaded, dict):
        raise UnreadableError("the document is no mapping of names to values", "mapping_type")
    return loaded


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _short_integer(digits: str) -> int:
    if len(digits) > _MAX_INTEGER_DIGITS:
        raise ValueError("a number is too long")
    return int(digits)


def _no_number(_constant: str) -> NoReturn:
    raise ValueError("no number")


def require_plain(loaded: object) -> None:
    """Refuse what no document holds: deep nesting, halves of characters, binary fractions.

    Raises:
        ValueError: there is such a thing in it.
    """
    level: list[object] = [loaded]
    for _ in range(_MAX_DEPTH):
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner += [*value, *value.values()]
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, str):
                value.encode()
            elif isinstance(value, float):
                raise ValueError("a decimal is no text")  # noqa: TRY004 - its spelling, no type.
        level = inner
    if level:
        raise ValueError("nested too deep")


def write_document(document: Mapping[str, object]) -> str:
    r"""A document as YAML text that reads back the same, here and with other readers.

    >>> write_document({"when": "no", "then": ["1.50", 7], "title": "黄金"})
    "when: 'no'\nthen:\n- '1.50'\n- 7\ntitle: 黄金\n"
    """
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)


def _load(text: str) -> object:
    loader = _Loader(text.removeprefix("\ufeff"))
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
