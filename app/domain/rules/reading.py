"""Reading untyped YAML or JSON data while noting everything that is wrong with it."""

import re
from collections.abc import Collection, Mapping

from app.domain.rules.cell_sets import Cell, everything
from app.domain.rules.cells import parse_cell
from app.domain.rules.domains import Domain
from app.domain.rules.findings import Finding, Side
from app.domain.rules.literals import CellError

MAX_TEXT_LENGTH = 500
#: A document of a megabyte could be wrong in a hundred thousand places.
MAX_FINDINGS = 1_000
#: How many of what a document may have, far beyond what anybody could read: what is checked takes
#: time with the square of some of them.
MOST: Mapping[str, int] = {
    "characteristics": 200,
    "bins": 500,
    "tables": 200,
    "rules": 5_000,
    "tests": 5_000,
}
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
ROW_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
DOCUMENT_ID = re.compile(r"[a-z][a-z0-9-]{0,63}")
REASON_CODE = re.compile(r"[A-Z][0-9]{2}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
VALUE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

_TOO_MANY = Finding(
    "", "too-many", "There is more wrong than is told.", "Mend what is told and check again."
)


class Reader:
    """Turns raw data into typed values; what does not fit becomes a finding.

    Every method returns a usable placeholder after a finding, so that one pass names everything
    that is wrong. A key that is absent is silent here: ``fields`` has already reported it.
    ``reported`` counts what was wrong, the findings that are not told any more included.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.reported = 0

    def report(self, path: str, code: str, message: str, remedy: str) -> None:
        """Note one finding; of very many the rest is not told."""
        self._note(Finding(path, code, message, remedy))

    def report_values(
        self, place: tuple[str, str], texts: tuple[str, str], side: Side, example: str
    ) -> None:
        """Note one finding about values of an input: path and code, message and remedy."""
        self._note(Finding(*place, *texts, witness=((side.input, example),), box=(side,)))

    def _note(self, finding: Finding) -> None:
        self.reported += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)
        elif len(self.findings) == MAX_FINDINGS:
            self.findings.append(_TOO_MANY)

    def fields(
        self, raw: object, path: str, required: Collection[str], optional: Collection[str] = ()
    ) -> dict[str, object]:
        """Return the fields of a mapping that are known; report missing and unknown ones."""
        if not isinstance(raw, Mapping):
            self._wrong_type(path, raw, "a mapping")
            return {}
        place = f"{path}." if path else ""
        known: dict[str, object] = {}
        for key, value in raw.items():
            if key in required or key in optional:
                known[str(key)] = value
            else:
                names = ", ".join((*required, *optional))
                self.report(
                    f"{place}{_shown(key)}",
                    "unknown-field",
                    f"{_shown(key)} is not known here.",
                    f"Known are {names}.",
                )
        for key in required:
            if key not in raw:
                self.report(f"{place}{key}", "missing-field", f"{key} is missing.", "Add it.")
        return known

    def items(
        self, fields: Mapping[str, object], key: str, path: str, *, may_be_empty: bool = False
    ) -> list[object]:
        """Return a list of no more entries than a document may have of them."""
        if key not in fields:
            return []
        raw = fields[key]
        if not isinstance(raw, list | tuple):
            self._wrong_type(path, raw, "a list")
            return []
        if not raw and not may_be_empty:
            self.report(path, "empty", f"{key} is empty.", "Add at least one entry.")
        most = MOST.get(key, len(raw))
        if len(raw) > most:
            self.report(path, "too-many", f"{len(raw)} {key} are too many.", f"Keep to {most}.")
        return list(raw[:most])

    def mapping(self, fields: Mapping[str, object], key: str, path: str) -> dict[str, object]:
        """Return a mapping with free text keys."""
        raw = fields.get(key, {})
        if not isinstance(raw, Mapping):
            self._wrong_type(path, raw, "a mapping")
            return {}
        texts = {name: value for name, value in raw.items() if isinstance(name, str)}
        for name in raw:
            if not isinstance(name, str):
                self._wrong_type(f"{path}.{_shown(name)}", name, "a text as key")
        return texts

    def text(self, fields: Mapping[str, object], key: str, path: str) -> str:
        """Return a readable text of sensible length."""
        raw = fields.get(key, "?")
        if not isinstance(raw, str):
            self._wrong_type(path, raw, "a text")
        elif not raw.strip() or len(raw) > MAX_TEXT_LENGTH or not raw.isprintable():
            self.report(
                path,
                "bad-text",
                f"{key} is empty, too long or holds control characters.",
                f"Use 1 to {MAX_TEXT_LENGTH} printable characters.",
            )
        else:
            return raw
        return "?"

    def name(
        self, fields: Mapping[str, object], key: str, path: str, pattern: re.Pattern[str] = NAME
    ) -> str:
        """Return an identifier that fits the pattern."""
        raw = fields.get(key)
        if isinstance(raw, str) and pattern.fullmatch(raw):
            return raw
        if key in fields:
            self.report(
                path,
                "bad-name",
                f"{_shown(raw)} cannot be the {key}.",
                f"It must fit {pattern.pattern}.",
            )
        return ""

    def choice(
        self, fields: Mapping[str, object], key: str, path: str, choices: Collection[str]
    ) -> str:
        """Return one of the choices; the first stands in for a wrong one.

        Without any choice the list of choices itself is wrong, which has been reported.
        """
        raw = fields.get(key)
        if isinstance(raw, str) and raw in choices:
            return raw
        if key in fields and choices:
            self.report(
                path,
                "bad-choice",
                f"{_shown(raw)} is not one of the choices.",
                f"Use one of {', '.join(choices)}.",
            )
        return next(iter(choices), "")

    def integer(
        self, fields: Mapping[str, object], key: str, path: str, bounds: tuple[int, int]
    ) -> int:
        """Return an integer within bounds."""
        low, high = bounds
        raw = fields.get(key, low)
        if isinstance(raw, bool) or not isinstance(raw, int):
            self._wrong_type(path, raw, "a whole number")
        elif not low <= raw <= high:
            self.report(
                path, "out-of-range", f"{_shown(raw)} is too small or too large.",
                f"Use {low} to {high}.",
            )  # fmt: skip
        else:
            return raw
        return low

    def flag(self, fields: Mapping[str, object], key: str, path: str) -> bool:
        """Return a boolean, false where absent."""
        raw = fields.get(key, False)
        if not isinstance(raw, bool):
            self._wrong_type(path, raw, "true or false")
        return raw is True

    def cell(self, raw: object, path: str, domain: Domain) -> Cell:
        """Return the parsed cell; a wrong one stands in as ``-``."""
        if isinstance(raw, bool):
            raw = "true" if raw else "false"
        elif isinstance(raw, int):
            raw = str(raw)
        if not isinstance(raw, str):
            self._wrong_type(
                path, raw, 'a cell in quotes, like "1.5", "null" or "date(2027-01-31)"'
            )
            return everything(domain)
        try:
            return parse_cell(raw, domain)
        except CellError as error:
            self.report(path, error.code, error.message, error.remedy)
            return everything(domain)

    def unique(self, names: Collection[str], path: str, code: str = "duplicate-id") -> None:
        """Report every name that occurs twice; empty ones were reported before."""
        seen: set[str] = set()
        for name in names:
            if name and name in seen:
                self.report(path, code, f"{name} occurs more than once.", "Rename one of them.")
            seen.add(name)

    def _wrong_type(self, path: str, raw: object, wanted: str) -> None:
        found = "nothing" if raw is None else f"{type(raw).__name__} {_shown(raw)}"
        self.report(path, "wrong-type", f"{found} is not {wanted}.", f"Write {wanted}.")


def _shown(raw: object) -> str:
    """Show a raw value in a message, short and printable; containers are only named."""
    if isinstance(raw, str | int | float) or raw is None:
        # An integer of thousands of digits cannot even be written as text.
        shown = hex(raw) if isinstance(raw, int) and abs(raw) > 10**18 else str(raw)
        return (
            shown[:60].encode("unicode_escape", "replace").decode() if _odd(shown) else shown[:60]
        )
    return f"a {type(raw).__name__}"


def _odd(text: str) -> bool:
    return not text.isprintable()
