"""XLSX workbooks as rows of text: one sheet, read in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.domain.errors import Invalid
from app.features.imports.service.texts import refuse
from app.infra.confined import Refused, confined

MAGIC: Final = b"PK\x03\x04"
OLD_MAGIC: Final = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a sheet begins with; `merged` are the columns of cells merged into their neighbours."""

    names: list[str]
    merged: frozenset[int]
    has_rows: bool


def examine_sheet(path: Path, name: str | None) -> Sheet:
    """Judge a workbook and look at the beginning of a sheet; the first one without a name.

    Raises:
        Invalid: it is no workbook, has macros, takes too much to read, or shows values that it does
            not hold, as zeros in front of a number.
    """
    try:
        with confined({"task": "examine-workbook", "path": str(path), "sheet": name}) as told:
            found = json.loads(told.read() or "null")
    except Refused as refused:
        raise refuse(path, refused.place, refused.what, refused.remedy) from None
    return Sheet(found["names"], frozenset(found["merged"]), found["has_rows"])


def read_sheet(path: Path, name: str | None) -> Iterator[list[list[str]]]:
    """The rows of a sheet that hold anything, header first, some at a time.

    Raises:
        Invalid: it is damaged, or a cell holds what cannot be told as text.
    """
    try:
        with confined({"task": "read-workbook", "path": str(path), "sheet": name}) as told:
            yield from map(json.loads, told)
    except Refused as refused:
        raise refuse(path, refused.place, refused.what, refused.remedy) from None


def refuse_old_workbook(path: Path) -> Invalid:
    """The error of a workbook in the format of before 2007, which encrypted ones are in too."""
    return refuse(
        path, "", "an old (.xls) or encrypted workbook", "save it as .xlsx without a password"
    )
