"""Frames of records with clear values in, frames with their sealed and masked forms out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import polars as pl

from app.domain.privacy.masks import IdType, birth_band, mask_email, mask_id, mask_name, mask_phone
from app.domain.records.specs import MONEY_SCALE, Column, Record, Seal
from app.infra.blind_index import BlindIndex
from app.infra.cipher import SubjectKey, Vault

_CUSTOMER: Final = "customer_id"
#: What is found by its exact value, and by which function.
_INDEXED: Final[Mapping[Seal, Callable[[BlindIndex, str | None], bytes | None]]] = {
    Seal.PHONE: BlindIndex.phone,
    Seal.ID_NO: BlindIndex.id_no,
}
_MASKED: Final = frozenset({Seal.NAME, Seal.PHONE, Seal.EMAIL, Seal.ID_NO, Seal.BIRTH_DATE})


@dataclass(frozen=True, slots=True)
class Sealing:
    """What sealing needs besides the rows.

    ``stored`` holds the sealed values that the database has, by the record's own key and in the
    order of `cipher_columns`: where the clear value is the same it is kept, so that a repeated
    import changes nothing. ``index`` gives what phone and ID numbers are found by.
    """

    keys: Mapping[str, SubjectKey]
    stored: Mapping[str, tuple[bytes | None, ...]]
    index: BlindIndex


def sealed_columns(record: Record, held: Sequence[str]) -> list[Column]:
    """The columns to seal among those held."""
    return [column for name, column in record.columns.items() if column.seal and name in held]


def cipher_columns(record: Record, held: Sequence[str]) -> list[str]:
    """The names of the sealed forms of the columns held."""
    return [f"{column.name}_cipher" for column in sealed_columns(record, held)]


def subjects(record: Record, frame: pl.DataFrame) -> list[str]:
    """The customers for whom there is something to seal."""
    names = [column.name for column in sealed_columns(record, frame.columns)]
    present = pl.any_horizontal(pl.col(name).is_not_null() for name in names)
    return frame.filter(present)[_CUSTOMER].unique().to_list()


def seal(record: Record, frame: pl.DataFrame, sealing: Sealing) -> pl.DataFrame:
    """Replace clear values by their sealed form, in hexadecimal for COPY, and their mask.

    Phone and ID numbers leave what they are found by besides.
    """
    columns = sealed_columns(record, frame.columns)
    rows = frame[_row_key(record)].to_list()
    keys = [sealing.keys.get(subject) for subject in frame[_CUSTOMER].to_list()]
    stored = [sealing.stored.get(row) for row in rows]
    made: list[pl.Series] = []
    for place, column in enumerate(columns):
        values = frame[column.name].to_list()
        clear = list(map(_ENCODERS[column.seal or Seal.TEXT], values))
        old = [None if known is None else known[place] for known in stored]
        name = f"{column.name}_cipher"
        sealed = [
            None
            if text is None or key is None
            else _kept(key, known, (record.name, name, row), text)
            or Vault.encrypt(key, record.name, name, row, text)
            for key, known, row, text in zip(keys, old, rows, clear, strict=True)
        ]
        made.append(_bytes(name, sealed))
        if found_as := _INDEXED.get(column.seal or Seal.TEXT):
            found_by = [found_as(sealing.index, value) for value in values]
            made.append(_bytes(f"{column.name}_index", found_by))
        if column.seal in _MASKED:
            masks = _masks(column, frame, values)
            made.append(pl.Series(_mask_name(column), masks, pl.String))
    return frame.drop([column.name for column in columns]).with_columns(made)


def _bytes(name: str, values: Iterable[bytes | None]) -> pl.Series:
    hexadecimal = [None if value is None else f"\\x{value.hex()}" for value in values]
    return pl.Series(name, hexadecimal, pl.String)


def _row_key(record: Record) -> str:
    """The column that names the stored row: a customer's other key is a day of his history."""
    return record.key[0]


def _mask_name(column: Column) -> str:
    return "birth_band" if column.seal is Seal.BIRTH_DATE else f"{column.name}_masked"


def _kept(
    key: SubjectKey, sealed: bytes | None, place: tuple[str, str, str], clear: bytes
) -> bytes | None:
    """The stored form, if it holds the same value."""
    if sealed is None:
        return None
    return sealed if Vault.decrypt(key, *place, sealed) == clear else None


def _text(value: str | None) -> bytes | None:
    return None if value is None else value.encode()


def _day(value: date | None) -> bytes | None:
    return None if value is None else value.isoformat().encode()


def _amount(value: int | None) -> bytes | None:
    return None if value is None else str(Decimal(value).scaleb(-MONEY_SCALE)).encode()


_ENCODERS: Final[Mapping[Seal, Callable[..., bytes | None]]] = {
    Seal.NAME: _text,
    Seal.PHONE: _text,
    Seal.EMAIL: _text,
    Seal.ID_NO: _text,
    Seal.TITLE: _text,
    Seal.TEXT: _text,
    Seal.BIRTH_DATE: _day,
    Seal.AMOUNT: _amount,
}


def _masks(column: Column, frame: pl.DataFrame, values: list[Any]) -> list[str | None]:
    if column.seal is Seal.NAME:
        # A corporate's name is public, so its mask is the name itself.
        return [
            None if name is None else name if kind == "corporate" else mask_name(name)
            for name, kind in zip(values, frame["kind"].to_list(), strict=True)
        ]
    if column.seal is Seal.ID_NO:
        types = frame["id_type"].to_list() if "id_type" in frame.columns else [None] * len(values)
        return [
            None if number is None else mask_id(number, IdType(kind or IdType.OTHER))
            for number, kind in zip(values, types, strict=True)
        ]
    mask = _MASKS[column.seal or Seal.PHONE]
    return [None if value is None else mask(value) for value in values]


_MASKS: Final[Mapping[Seal, Callable[[Any], str]]] = {
    Seal.PHONE: mask_phone,
    Seal.EMAIL: mask_email,
    Seal.BIRTH_DATE: birth_band,
}
