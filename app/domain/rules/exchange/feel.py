"""S-FEEL unary tests (DMN 1.3, chapter 9): cells printed as such, and such read as cells.

In FEEL null equals null alone, and compares with nothing. So no comparison, range or literal
accepts null, ``not(…)`` accepts it unless null is among what it excludes or is compared with, and
``-`` accepts everything. What is printed here says so for every cell: a cell with null names it,
and one that is a negation names it where null is not meant.
"""

import json
import re
from dataclasses import dataclass

from app.domain.rules.cell_sets import Cell, everything
from app.domain.rules.cells import print_cell
from app.domain.rules.domains import Domain, Kind
from app.domain.rules.exchange.plain_text import escaped

_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<number>-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))"
    r"|(?P<order><=|>=|<|>)|(?P<dots>\.\.)|(?P<mark>[\[\](),])|(?P<at>@)"
    r"|(?P<name>[^\W\d]\w*(?: and time)?)|(?P<end>\Z)|(?P<stray>.))",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{6}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LARGEST = 0x10FFFF
_REMEDY = (
    'Write literals, comparisons like > 3, ranges like [1..3], "texts", date("2027-01-31"),'
    " null, or not() around them."
)


class FeelError(ValueError):
    """A FEEL text beyond unary tests of literals."""

    def __init__(self, message: str, remedy: str = _REMEDY) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} {remedy}")


def print_unary_tests(cell: Cell, domain: Domain) -> str:
    """Write a cell as S-FEEL unary tests.

    >>> ratio = Domain(Kind.NUMBER, nullable=True, high=99_999, scale=2)
    >>> print_unary_tests(Cell(has_null=True, spans=((301, 99_999),)), ratio)
    '> 3, null'
    """
    if cell == everything(domain):
        return "-"
    if cell.others:
        named = [text_literal(word) for word in cell.words]
        if domain.nullable and not cell.has_null:
            named.append("null")
        return f"not({', '.join(named)})"
    if domain.is_ordered or domain.kind is Kind.BOOL:
        # Numbers, ranges and booleans are spelled alike; only days need their quotes.
        printed = print_cell(cell, domain)
        return re.sub(r"date\(([0-9-]+)\)", r'date("\1")', printed)
    if cell.words == domain.words and not (domain.is_open or cell.has_null):
        return "not(null)"
    return ", ".join([*map(text_literal, cell.words), *(["null"] if cell.has_null else [])])


def text_literal(word: str) -> str:
    """Write a FEEL string literal."""
    quoted = '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return escaped(quoted)


def read_text_literal(text: str) -> str:
    """Return what a FEEL text says that is one string literal.

    Raises FeelError for anything else.
    """
    tokens = _tokens(text)
    if [token.kind for token in tokens] != ["text", "end"]:
        raise FeelError(f"{_shown(text)} is not one text.", 'Write a text in quotes, like "gold".')
    return _unquoted(tokens[0].text)


def read_text_literals(text: str) -> list[str]:
    """Return the string literals that a FEEL text lists with commas between them.

    Raises FeelError for anything else.
    """
    tokens = _tokens(text)
    kinds = [token.kind for token in tokens]
    commas = [token.text for token in tokens[1::2]]
    if set(kinds[::2]) != {"text"} or commas != [","] * (len(commas) - 1) + [""]:
        raise FeelError(f"{_shown(text)} is no list of texts.", 'Write like "gold", "silver".')
    return [_unquoted(token.text) for token in tokens[::2]]


def read_unary_tests(text: str, *, nullable: bool) -> str:
    """Return the cell, as the document writes it, that unary tests mean for an input.

    Raises FeelError for FEEL that is no unary test of literals. Types and ranges are the cell's
    own to check.

    >>> read_unary_tests('not("a")', nullable=True)
    'not("a"), null'
    """
    if text.strip() in ("", "-"):
        return "-"
    return _Parser(_tokens(text), nullable=nullable).cell()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Test:
    """One test in the document's spelling; a literal is compared for equality."""

    text: str
    is_literal: bool


def _tokens(text: str) -> list[_Token]:
    matches = ((match.lastgroup or "", match) for match in _TOKEN.finditer(text.strip()))
    return [_Token(kind, match.group(kind)) for kind, match in matches]


def _shown(text: str) -> str:
    short = text.strip()[:80]
    return escaped(short) or "Nothing"


def _unquoted(token: str) -> str:
    written = _ESCAPE.sub(lambda match: _escape(match[1]), token[1:-1])
    try:
        # Of a character beyond the basic plane, \u writes the two halves.
        return written.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise FeelError(f"{_shown(token)} holds half a character.", "Write it out.") from None


def _escape(code: str) -> str:
    if code in _SIMPLE_ESCAPES:
        return _SIMPLE_ESCAPES[code]
    number = int(code[1:], 16) if len(code) > 1 else _LARGEST + 1
    if number > _LARGEST:
        raise FeelError(f"\\{_shown(code)} is no escape of FEEL.", "Write the sign itself.")
    return chr(number)


class _Parser:
    """Reads one entry's tokens from left to right; nothing nests but ``not``, once."""

    def __init__(self, tokens: list[_Token], *, nullable: bool) -> None:
        self._tokens = tokens
        self._at = 0
        self._nullable = nullable

    def cell(self) -> str:
        is_negated = self._peek() == _Token("name", "not")
        if is_negated:
            self._next()
            self._take("(")
        tests = [self._test()]
        while self._peek().text == ",":
            self._next()
            tests.append(self._test())
        if is_negated:
            self._take(")")
        if self._peek().kind != "end":
            raise self._unexpected()
        return self._negated(tests) if is_negated else ", ".join(test.text for test in tests)

    def _negated(self, tests: list[_Test]) -> str:
        null = _Test("null", is_literal=True)
        if not self._nullable:
            # Such an input is never null, so to exclude it says nothing.
            tests = [test for test in tests if test != null]
            return f"not({', '.join(test.text for test in tests)})" if tests else "-"
        negated = f"not({', '.join(test.text for test in tests)})"
        has_null = null not in tests and all(test.is_literal for test in tests)
        return f"{negated}, null" if has_null else negated

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def _take(self, mark: str) -> None:
        if self._peek() != _Token("mark", mark):
            raise self._unexpected()
        self._next()

    def _unexpected(self) -> FeelError:
        token = self._peek()
        follows = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        if token.kind == "end":
            return FeelError("The entry ends where a test is due.")
        if token.kind == "name" and follows == _Token("mark", "("):
            return FeelError(f"The function {_shown(token.text)}() is not taken.")
        if token.kind == "name":
            return FeelError(f"The name {_shown(token.text)} is not taken; it is no literal.")
        return FeelError(f"{_shown(token.text)} is not taken where it stands.")

    def _test(self) -> _Test:
        token = self._peek()
        if token.kind == "order":
            self._next()
            return _Test(f"{token.text} {self._endpoint()}", is_literal=False)
        if token.text in ("[", "(", "]"):
            return self._interval()
        if token == _Token("name", "null"):
            self._next()
            return _Test("null", is_literal=True)
        return _Test(self._endpoint(), is_literal=True)

    def _interval(self) -> _Test:
        opening = "[" if self._next().text == "[" else "("
        low = self._endpoint()
        if self._peek().kind != "dots":
            raise self._unexpected()
        self._next()
        high = self._endpoint()
        if self._peek().text not in (")", "]", "["):
            raise self._unexpected()
        closing = "]" if self._next().text == "]" else ")"
        return _Test(f"{opening}{low}..{high}{closing}", is_literal=False)

    def _endpoint(self) -> str:
        token = self._peek()
        if token.kind == "number":
            # FEEL lets a number begin with its point, cells do not.
            return re.sub(r"^(-?)\.", r"\g<1>0.", self._next().text)
        if token.kind == "text":
            return json.dumps(_unquoted(self._next().text), ensure_ascii=False)
        if token in (_Token("name", "true"), _Token("name", "false")):
            return self._next().text
        if token.kind == "at" or token == _Token("name", "date"):
            return self._day()
        raise self._unexpected()

    def _day(self) -> str:
        is_function = self._peek().kind == "name"
        start = self._at
        self._next()
        if is_function and self._peek() != _Token("mark", "("):
            self._at = start
            raise self._unexpected()
        if is_function:
            self._take("(")
        if self._peek().kind != "text":
            raise self._unexpected()
        day = _unquoted(self._next().text)
        if is_function:
            self._take(")")
        if not _DAY.fullmatch(day):
            raise FeelError(f"{_shown(day)} is not one day.", 'Write date("2027-01-31").')
        return f"date({day})"
