"""The record types of the import, read once from the package's own `records.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import resources
from types import MappingProxyType
from typing import Final, NotRequired, TypedDict, cast

from app.domain.customer_ids import CUSTOMER_ID
from app.domain.errors import Invalid

#: What a business day may be; anything else is a slip of the pen or a stand-in for “unknown”.
EARLIEST_DAY: Final = date(1900, 1, 1)
LATEST_DAY: Final = date(2199, 12, 31)

#: Money has two decimal digits, and 18 digits in all.
MONEY_SCALE: Final = 2
LARGEST_AMOUNT: Final = 10**18 - 1

#: A column that any record with amounts may carry: the currency of its row.
CURRENCY: Final = "currency"


class ColumnType(StrEnum):
    """What a column holds."""

    ID = "id"
    TEXT = "text"
    WORD = "word"
    INT = "int"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOL = "bool"
    DATE = "date"
    MONTH = "month"


class Seal(StrEnum):
    """How an encrypted value is masked; TITLE, TEXT and AMOUNT have no stored mask."""

    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    ID_NO = "id_no"
    BIRTH_DATE = "birth_date"
    AMOUNT = "amount"
    TITLE = "title"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a record.

    ``minimum`` and ``maximum`` are inclusive and scaled like the values (a DECIMAL is an integer
    scaled by ``scale``, MONEY one in minor units). ``above`` makes the minimum exclusive.
    """

    name: str
    type: ColumnType
    sensitivity: str
    required: bool = False
    values: tuple[str, ...] = ()
    scale: int = 0
    minimum: int | None = None
    maximum: int | None = None
    above: bool = False
    length: int | None = None
    pattern: str | None = None
    default: int | bool | str | None = None
    seal: Seal | None = None
    dated: bool = False
    yields: str | None = None

    @property
    def may_be_shown(self) -> bool:
        """Whether a rejected value may stand in a report."""
        return self.sensitivity in {"open", "internal"}


@dataclass(frozen=True, slots=True)
class Parent:
    """The record that must exist before, found by these columns."""

    record: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """Two dates that may not run backwards; strict means that they may not be equal either."""

    earlier: str
    later: str
    strict: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One record type, stored in the table of the same name."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    parent: Parent | None = None
    orders: tuple[Order, ...] = ()
    together: tuple[tuple[str, str], ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    differ: tuple[tuple[str, str], ...] = ()
    only_corporate: tuple[str, ...] = ()
    only_individual: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that every row must fill."""
        return tuple(name for name, column in self.columns.items() if column.required)

    @property
    def has_amounts(self) -> bool:
        """Whether the record holds money, and so may carry a currency."""
        return any(column.type is ColumnType.MONEY for column in self.columns.values())


# `class` is the word of the masking matrix, but no Python attribute.
_ColumnEntry = TypedDict(
    "_ColumnEntry",
    {
        "type": str,
        "class": str,
        "required": NotRequired[bool],
        "values": NotRequired[list[str]],
        "scale": NotRequired[int],
        "minimum": NotRequired[int],
        "maximum": NotRequired[int],
        "above": NotRequired[bool],
        "length": NotRequired[int],
        "pattern": NotRequired[str],
        "default": NotRequired[int | bool | str],
        "seal": NotRequired[str],
        "dated": NotRequired[bool],
        "yields": NotRequired[str],
    },
)


class _ParentEntry(TypedDict):
    record: str
    columns: list[str]


class _RecordEntry(TypedDict):
    key: list[str]
    columns: dict[str, _ColumnEntry]
    parent: NotRequired[_ParentEntry]
    orders: NotRequired[list[list[str]]]
    together: NotRequired[list[list[str]]]
    needs: NotRequired[list[list[str]]]
    differ: NotRequired[list[list[str]]]
    only_corporate: NotRequired[list[str]]
    only_individual: NotRequired[list[str]]


class _Document(TypedDict):
    format: str
    records: dict[str, _RecordEntry]


def _pattern(kind: ColumnType, entry: _ColumnEntry) -> str | None:
    return CUSTOMER_ID if kind is ColumnType.ID else entry.get("pattern")


def _column(name: str, entry: _ColumnEntry) -> Column:
    kind = ColumnType(entry["type"])
    scale = MONEY_SCALE if kind is ColumnType.MONEY else entry.get("scale", 0)
    unit = 10**scale
    minimum, maximum = entry.get("minimum"), entry.get("maximum")
    largest = LARGEST_AMOUNT if kind is ColumnType.MONEY else None
    smallest = None if largest is None else -largest
    seal = entry.get("seal")
    return Column(
        name=name,
        type=kind,
        sensitivity=entry["class"],
        required=entry.get("required", False),
        values=tuple(entry.get("values", ())),
        scale=scale,
        minimum=smallest if minimum is None else minimum * unit,
        maximum=largest if maximum is None else maximum * unit,
        above=entry.get("above", False),
        length=entry.get("length"),
        pattern=_pattern(kind, entry),
        default=entry.get("default"),
        seal=None if seal is None else Seal(seal),
        dated=entry.get("dated", False),
        yields=entry.get("yields"),
    )


def _pairs(raw: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in raw)


def _record(name: str, entry: _RecordEntry) -> Record:
    parent = entry.get("parent")
    return Record(
        name=name,
        key=tuple(entry["key"]),
        columns=MappingProxyType(
            {column: _column(column, raw) for column, raw in entry["columns"].items()}
        ),
        parent=None if parent is None else Parent(parent["record"], tuple(parent["columns"])),
        orders=tuple(
            Order(earlier, later, strict=sign == "<")
            for earlier, sign, later in entry.get("orders", ())
        ),
        together=_pairs(entry.get("together", [])),
        needs=_pairs(entry.get("needs", [])),
        differ=_pairs(entry.get("differ", [])),
        only_corporate=tuple(entry.get("only_corporate", ())),
        only_individual=tuple(entry.get("only_individual", ())),
    )


def _read() -> Mapping[str, Record]:
    text = resources.files("app.domain.records").joinpath("records.toml").read_text("utf-8")
    document = cast("_Document", tomllib.loads(text))
    return MappingProxyType({name: _record(name, raw) for name, raw in document["records"].items()})


RECORDS: Final = _read()
"""All record types by name, parents before children: the order in which files are imported."""

RECORD_NAMES: Final = tuple(RECORDS)


def get_record(name: str) -> Record:
    """The record type of that name.

    Raises:
        Invalid: there is none; the message lists what there is.
    """
    if name not in RECORDS:
        raise Invalid(
            "import-invalid", f"no record type is called {name!r}; use one of {', '.join(RECORDS)}"
        )
    return RECORDS[name]
