"""Cells: the conditions of bins and table rows, parsed to sets of values and printed back.

``cell := "-" | t ("," t)*`` with ``t := "null" | "not(" t ("," t)* ")" | (<|<=|>|>=) lit |
("["|"(") lit ".." lit ("]"|")") | lit``. Only ``-`` and ``null`` hold null; ``not(S)`` is the
domain without S and without null. There is no third truth value.
"""

import re
from dataclasses import dataclass

from app.domain.rules.cell_sets import Cell, complement, everything, union
from app.domain.rules.domains import Domain, Kind, ordered_text, range_text
from app.domain.rules.literals import (
    BARE_WORD,
    CellError,
    read_date,
    read_number,
    read_quoted,
    read_word,
    word_literal,
)

__all__ = ["Cell", "CellError", "parse_cell", "print_cell", "value_of"]

MAX_CELL_LENGTH = 4000
MAX_NESTING = 16
# What a span, or a character of a word, takes of a printed cell at most.
_LONGEST_PART = 80
_TOKEN = re.compile(
    r"\s*(?:(?P<date>date\([^()]*\))|(?P<number>-?[0-9]+(?:\.[0-9]+)?)|(?P<order><=|>=|<|>)"
    r"|(?P<dots>\.\.)|(?P<quoted>\"(?:[^\"\\]|\\.)*\")|(?P<word>" + BARE_WORD.pattern + r")"
    r"|(?P<mark>[\[\](),])|(?P<end>\Z)|(?P<stray>.))",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def parse_cell(text: str, domain: Domain) -> Cell:
    """Parse a cell over a domain.

    Raises CellError with one of the codes ``cell-syntax``, ``cell-type``,
    ``cell-out-of-range`` and ``cell-empty``.
    """
    _require_short(text, "The cell has")
    if text.strip() == "-":
        return everything(domain)
    cell = _Parser(_tokens(text), domain).cell()
    if len(cell.spans) + sum(map(len, cell.words)) > MAX_CELL_LENGTH // _LONGEST_PART:
        # What is stored is the printed form, which has to read back.
        _require_short(print_cell(cell, domain), "Written out the cell has")
    return cell


def _require_short(text: str, what: str) -> None:
    if len(text) > MAX_CELL_LENGTH:
        raise CellError(
            "cell-syntax",
            f"{what} {len(text)} characters.",
            f"Keep cells under {MAX_CELL_LENGTH} characters.",
        )


def value_of(text: str, domain: Domain) -> int | str:
    """Parse a text that must name exactly one value of a domain, as tests of documents do.

    Text may stand bare whatever signs it has, and a date without ``date()``.
    """
    if domain.is_ordered and len(text) > MAX_CELL_LENGTH:
        raise CellError(
            "cell-syntax",
            f"The value has {len(text)} characters.",
            f"Keep values under {MAX_CELL_LENGTH} characters.",
        )
    if domain.kind is Kind.NUMBER:
        return read_number(text.strip(), domain)
    if domain.kind is Kind.DATE:
        inner = text.strip()
        return read_date(inner[5:-1] if inner.startswith("date(") else inner, domain)
    return read_word(text, domain)


def print_cell(cell: Cell, domain: Domain) -> str:
    """Write a cell canonically: equal sets are written alike and read back as the same set."""
    if cell == everything(domain):
        return "-"
    terms: list[str] = []
    if domain.is_ordered:
        terms += [_span_text(span, domain) for span in cell.spans]
    elif cell.others:
        named = [word_literal(word, domain) for word in cell.words]
        terms.append(f"not({', '.join(named) or 'null'})")
    elif cell.words == domain.words and not domain.is_open:
        terms.append("not(null)")
    else:
        terms += [word_literal(word, domain) for word in cell.words]
    if cell.has_null:
        terms.append("null")
    return ", ".join(terms)


def _span_text(span: tuple[int, int], domain: Domain) -> str:
    low, high = span
    from_low, to_high = low == domain.low, high == domain.high
    if low == high:
        return ordered_text(domain, low)
    if from_low and to_high:
        return "not(null)"
    above, below = lower_bound(low, domain), upper_bound(high, domain)
    if from_low:
        return f"<= {below[0]}" if below[1] == "]" else f"< {below[0]}"
    if to_high:
        return f">= {above[1]}" if above[0] == "[" else f"> {above[1]}"
    return f"{above[0]}{above[1]}..{below[0]}{below[1]}"


def lower_bound(low: int, domain: Domain) -> tuple[str, str]:
    """Choose between ``[low`` and ``(low - 1``: `> 3` reads better than `>= 3.0001`."""
    closed = ordered_text(domain, low)
    if low > domain.low:
        opened = ordered_text(domain, low - 1)
        if "." in closed and len(opened) < len(closed):
            return "(", opened
    return "[", closed


def upper_bound(high: int, domain: Domain) -> tuple[str, str]:
    """Choose between ``high]`` and ``high + 1)`` in the same way."""
    closed = ordered_text(domain, high)
    if high < domain.high:
        opened = ordered_text(domain, high + 1)
        if "." in closed and len(opened) < len(closed):
            return opened, ")"
    return closed, "]"


def _tokens(text: str) -> list[_Token]:
    """Cut the text up; what fits nowhere is a stray sign, and the last token is the end."""
    matches = ((match.lastgroup or "", match) for match in _TOKEN.finditer(text))
    return [_Token(kind, match.group(kind)) for kind, match in matches]


class _Parser:
    """Recursive descent over one cell's tokens."""

    def __init__(self, tokens: list[_Token], domain: Domain) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._domain = domain

    def cell(self) -> Cell:
        """Parse the whole cell."""
        cell = self._terms()
        if self._peek().kind != "end":
            raise self._unexpected()
        return cell

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def _unexpected(self) -> CellError:
        token = self._peek()
        found = "the cell ends" if token.kind == "end" else f"{token.text[:80]} stands"
        return CellError(
            "cell-syntax",
            f"Where a condition or its next part is due, {found}.",
            'Write like "-", "null", "> 3", "[1..3]", "A, B", "not(A)"; quote other text.',
        )

    def _take(self, text: str) -> None:
        if self._peek() not in (_Token("mark", text), _Token("dots", text)):
            raise self._unexpected()
        self._next()

    def _terms(self) -> Cell:
        cell = self._term()
        while self._peek() == _Token("mark", ","):
            self._next()
            cell = union(self._domain, cell, self._term())
        return cell

    def _term(self) -> Cell:
        start = self._at
        cell = self._set()
        if cell.is_empty:
            written = " ".join(token.text for token in self._tokens[start : self._at])
            raise CellError(
                "cell-empty",
                f"{written[:200]} matches no value of the input.",
                f"It takes {range_text(self._domain)}"
                f"{' or null' if self._domain.nullable else ' and is never null'}.",
            )
        return cell

    def _set(self) -> Cell:
        token = self._peek()
        if token == _Token("word", "null"):
            self._next()
            return Cell(has_null=self._domain.nullable)
        if token == _Token("word", "not"):
            return self._negation()
        if token.kind == "order":
            return self._comparison()
        if token in (_Token("mark", "["), _Token("mark", "(")):
            return self._range()
        if self._domain.is_ordered:
            value = self._ordered()
            return Cell(has_null=False, spans=((value, value),))
        return Cell(has_null=False, words=(self._word(),))

    def _negation(self) -> Cell:
        self._next()
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise CellError(
                "cell-syntax", "not() is nested too deeply.", "not(not(S)) is S without null."
            )
        self._take("(")
        inside = self._terms()
        self._take(")")
        self._depth -= 1
        return complement(self._domain, inside)

    def _comparison(self) -> Cell:
        order = self._next().text
        value = self._ordered()
        low, high = self._domain.low, self._domain.high
        if order == "<":
            return _span(low, value - 1)
        if order == "<=":
            return _span(low, value)
        return _span(value + (order == ">"), high)

    def _range(self) -> Cell:
        low_open = self._next().text == "("
        low = self._ordered()
        self._take("..")
        high = self._ordered()
        high_open = self._peek() == _Token("mark", ")")
        self._take(")" if high_open else "]")
        return _span(low + low_open, high - high_open)

    def _ordered(self) -> int:
        token = self._peek()
        if token.kind not in ("number", "date", "word", "quoted"):
            raise self._unexpected()
        if not self._domain.is_ordered:
            raise CellError(
                "cell-type",
                "Order is compared, but the input's values have none.",
                "List the values instead.",
            )
        if token.kind != self._domain.kind.value:
            raise self._wrong_type(token)
        self._next()
        if token.kind == "date":
            return read_date(token.text[5:-1].strip(), self._domain)
        return read_number(token.text, self._domain)

    def _word(self) -> str:
        token = self._peek()
        if token.kind not in ("number", "date", "word", "quoted"):
            raise self._unexpected()
        is_bool = token.kind == "word" and token.text in ("true", "false")
        if (self._domain.kind is Kind.BOOL) != is_bool or token.kind in ("number", "date"):
            raise self._wrong_type(token)
        self._next()
        return read_word(
            read_quoted(token.text) if token.kind == "quoted" else token.text, self._domain
        )

    def _wrong_type(self, token: _Token) -> CellError:
        remedy = {
            Kind.NUMBER: "Write a number like 1200 or 0.5.",
            Kind.DATE: "Write a date like date(2027-01-31).",
            Kind.BOOL: "Write true or false.",
            Kind.TEXT: f'Write one of its values, in quotes like "{token.text[:20]}" if need be.',
        }[self._domain.kind]
        return CellError(
            "cell-type",
            f"{token.text[:80]} is not a {self._domain.kind.value}, the input's type.",
            remedy,
        )


def _span(low: int, high: int) -> Cell:
    return Cell(has_null=False, spans=((low, high),) if low <= high else ())
