"""XML from outside as a tree, and trees as XML.

The parser is the one that judges workbooks (`app.infra.confined.judge`): expat, which is asked to
stop at the first sign of a document type. Without one there are no entities, so neither expansions
nor files of this machine nor addresses on the network. Depth and number of elements are bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn
from xml.etree import ElementTree as ET
from xml.parsers import expat

from app.domain.errors import Invalid

MAX_BYTES: Final = 16 << 20
_MAX_DEPTH: Final = 40
_MAX_ELEMENTS: Final = 500_000


def read_xml(body: bytes) -> ET.Element:
    """The root of an XML text; names are `{namespace}name`.

    Raises:
        Invalid: `document-unreadable`, naming the line and what to do.
    """
    if len(body) > MAX_BYTES:
        raise _refused(None, f"it is longer than {MAX_BYTES >> 20} MB", "split it")
    return _Reading().root(body)


def write_xml(root: ET.Element) -> bytes:
    """A tree as indented UTF-8; it is written as it stands, prefixes included."""
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


class _Reading:
    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._builder = ET.TreeBuilder()
        self._depth = 0
        self._elements = 0

    def root(self, body: bytes) -> ET.Element:
        try:
            self._parser.Parse(body, True)  # noqa: FBT003 - expat's.
        except expat.ExpatError as error:
            what = expat.errors.messages.get(error.code, "not well-formed")
            raise _refused(error.lineno, f"this is no XML: {what}", "export it again") from None
        except (LookupError, ValueError):
            raise _refused(None, "its encoding is not known", "save it as UTF-8") from None
        return self._builder.close()

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > _MAX_DEPTH:
            self._stop(f"more than {_MAX_DEPTH} levels", "nest less")
        if self._elements > _MAX_ELEMENTS:
            self._stop(f"more than {_MAX_ELEMENTS:,} elements", "split it")
        self._builder.start(_clark(name), {_clark(key): attributes[key] for key in attributes})

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(_clark(name))

    def _data(self, text: str) -> None:
        self._builder.data(text)

    def _doctype(self, *_declared: object) -> None:
        self._stop("a document type is not allowed", "remove the DOCTYPE")

    def _stop(self, what: str, remedy: str) -> NoReturn:
        raise _refused(self._parser.CurrentLineNumber, what, remedy)


def _clark(name: str) -> str:
    return f"{{{name}" if "}" in name else name


def _refused(line: int | None, what: str, remedy: str) -> Invalid:
    place = "" if line is None else f"line {line}: "
    return Invalid("document-unreadable", f"{place}{what}; {remedy}")
