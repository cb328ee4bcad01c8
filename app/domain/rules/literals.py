"""Literals of cells and tests: text to values of a domain, and back."""

import json
import re
from datetime import date

from app.domain.rules.domains import INT64_HIGH, Domain, Kind, range_text

KEYWORDS = frozenset({"null", "true", "false", "not", "date"})
BARE_WORD = re.compile(r"[^\W\d]\w*(?:[-.]\w+)*")
_NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class CellError(ValueError):
    """A cell or literal that does not fit its input; the code is one of the ``cell-`` codes."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        self.code = code
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} {remedy}")


def read_number(text: str, domain: Domain) -> int:
    """Return the scaled integer of a number literal, refused where it is finer than the domain.

    >>> read_number("1.5", Domain(Kind.NUMBER, nullable=True, high=99999, scale=4))
    15000
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise CellError(
            "cell-syntax", f"{text} is no number.", "Write it like 1200 or -0.5, no separators."
        )
    sign, whole, fraction = match.groups()
    digits = (fraction or "").rstrip("0")
    if len(digits) > domain.scale:
        decimals = "1 decimal" if len(digits) == 1 else f"{len(digits)} decimals"
        kept = domain.scale or "none"
        raise CellError(
            "cell-type", f"{text} has {decimals}, the fact has {kept}.", "Round the literal."
        )
    value = int(whole + digits.ljust(domain.scale, "0"))
    return in_range(-value if sign else value, text, domain)


def read_date(text: str, domain: Domain) -> int:
    """Return the ordinal of a date written as ``2027-01-31``."""
    try:
        # The pattern goes first: fromisoformat takes 20270131 and weeks as well.
        day = date.fromisoformat(text if _ISO_DATE.fullmatch(text) else "")
    except ValueError:
        raise CellError(
            "cell-syntax", f"{text} is no date.", "Write it like date(2027-01-31)."
        ) from None
    return in_range(day.toordinal(), text, domain)


def in_range(value: int, text: str, domain: Domain) -> int:
    """Return the value if the ordered domain holds it."""
    if domain.low <= value <= domain.high:
        return value
    if abs(value) > INT64_HIGH:
        text = f"{text[:20]}…"
    raise CellError(
        "cell-out-of-range",
        f"{text} is outside the range of the input.",
        f"It goes from {range_text(domain)}.",
    )


def read_word(text: str, domain: Domain) -> str:
    """Return the word if the text domain holds it."""
    if not domain.is_open and text not in domain.words:
        raise CellError(
            "cell-out-of-range",
            f"{text[:80]} is not a value of the input.",
            f"Use one of {range_text(domain)}.",
        )
    return text


def read_quoted(token: str) -> str:
    """Return the text inside a quoted literal; its escapes are those of JSON."""
    try:
        text = json.loads(token)
        text.encode()
    except ValueError:
        raise CellError(
            "cell-syntax", f"{token[:80]} is no quoted text.", "Escape signs in it as JSON does."
        ) from None
    return str(text)


def word_literal(word: str, domain: Domain) -> str:
    """Write a word bare where that reads back as the same word, else quoted."""
    if domain.kind is Kind.BOOL:
        return word
    if BARE_WORD.fullmatch(word) and word not in KEYWORDS:
        return word
    return json.dumps(word, ensure_ascii=False)
