"""How a value is to be read: the data of a cast, without the means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.domain.records.specs import ColumnType

ISO_DATE: Final = "YYYY-MM-DD"
TRUE_WORDS: Final = ("true", "t", "yes", "y", "1")
FALSE_WORDS: Final = ("false", "f", "no", "n", "0")

#: Each part of a date format with its directive and the digits it stands for.
DATE_TOKENS: Final = {
    "YYYY": ("%Y", r"\d{4}"),
    "MM": ("%m", r"\d{2}"),
    "DD": ("%d", r"\d{2}"),
    "M": ("%m", r"\d{1,2}"),
    "D": ("%d", r"\d{1,2}"),
}
_DATE_PARTS: Final = re.compile(r"YYYY|MM|DD|M|D|[-./ ]")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a value is to be read.

    ``rounds`` says that surplus decimal digits are rounded half up; otherwise they are an error.
    ``zone`` is the business zone, in which an instant becomes a day.
    """

    type: ColumnType
    scale: int = 0
    date_format: str = ISO_DATE
    true_words: tuple[str, ...] = TRUE_WORDS
    false_words: tuple[str, ...] = FALSE_WORDS
    decimal_mark: str = "."
    rounds: bool = False
    zone: str = "UTC"


def date_parts(date_format: str) -> list[str]:
    """The parts and separators of a date format.

    >>> date_parts("DD/MM/YYYY")
    ['DD', '/', 'MM', '/', 'YYYY']
    """
    return _DATE_PARTS.findall(date_format)


def is_date_format(text: str) -> bool:
    """Whether a date format is made of YYYY, MM or M, DD or D and separators, each part once.

    >>> is_date_format("DD/MM/YYYY"), is_date_format("DD.MM.YY"), is_date_format("MM-YYYY")
    (True, False, False)
    """
    parts = date_parts(text)
    letters = sorted(part[0] for part in parts if part in DATE_TOKENS)
    return "".join(parts) == text and letters == ["D", "M", "Y"]
