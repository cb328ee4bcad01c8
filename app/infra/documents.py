"""Reading YAML and JSON documents that people wrote: plain data, nothing clever, nothing lost.

The subset is what JSON can say. Aliases and tags are refused (they can blow up a small text, or
name a Python type), and so are keys that occur twice (the last would win unseen). A number with
decimals stays the text it was written as, so that no binary fraction ever stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any, Final, cast

import yaml

from app.domain.errors import Invalid

MAX_CHARACTERS: Final = 1_000_000
_MAX_DEPTH: Final = 40
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


class _Loader(yaml.SafeLoader):
    """The JSON subset of YAML 1.2: `no` is a text, `010` is a text, and so is `2027-01-31`."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML reads it under this name.
        first: [(tag, pattern) for tag, pattern, firsts in _PLAIN_SCALARS if first in firsts]
        for first in {key for _, _, firsts in _PLAIN_SCALARS for key in firsts}
    }

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._nesting = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise _refused("an alias (*name)", self._place(), "write the value out")
        self._nesting += 1
        if self._nesting > _MAX_DEPTH:
            raise _refused(f"more than {_MAX_DEPTH} levels", self._place(), "nest less")
        node = super().compose_node(parent, index)
        self._nesting -= 1
        if node is not None and node.tag not in _KNOWN_TAGS:
            raise _refused(f"the tag {node.tag[:60]}", node.start_mark, "write plain values")
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
            raise _refused("half a character", node.start_mark, "write it out") from None
        return node

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - PyYAML's.
    ) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _STRING:
                raise _refused("a key that is no text", key_node.start_mark, "quote it")
            if key_node.value in seen:
                raise _refused(
                    f"the key {key_node.value[:60]!r} a second time",
                    key_node.start_mark,
                    "keep one of them",
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        if len(node.value) > _MAX_INTEGER_DIGITS:
            raise _refused("a number too long to be meant", node.start_mark, "quote it")
        return int(node.value)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def _refused(what: str, mark: yaml.Mark, remedy: str) -> Invalid:
    place = f"line {mark.line + 1}, column {mark.column + 1}"
    return Invalid("document-unreadable", f"{place}: {what} is not allowed here; {remedy}")


def read_document(text: str) -> dict[str, object]:
    r"""The one mapping that a YAML or JSON text holds.

    Raises:
        Invalid: `document-unreadable`, naming line and column and what to do.

    >>> read_document("a: 1.50\nb: [no, 7, null]")
    {'a': '1.50', 'b': ['no', 7, None]}
    """
    if len(text) > MAX_CHARACTERS:
        raise Invalid(
            "document-unreadable",
            f"the document is longer than {MAX_CHARACTERS:,} characters; split it or drop comments",
        )
    try:
        loaded = _load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = error.problem or error.context or "not YAML"
        raise Invalid("document-unreadable", f"{place}{problem}") from None
    except yaml.YAMLError as error:
        # What the reader refuses before parsing: characters YAML does not allow.
        reason = str(getattr(error, "reason", "not YAML"))
        raise Invalid("document-unreadable", f"{reason}; save the document as UTF-8 text") from None
    if not isinstance(loaded, dict):
        raise Invalid("document-unreadable", "the document is no mapping of names to values")
    return loaded


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
