"""The file that says, row by row, what was rejected or doubted, and what to do."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final

from app.domain.errors import Invalid
from app.domain.records.reasons import REASONS

HEADER: Final = ("row", "outcome", "record", "column", "reason", "remedy", "value")
#: A spreadsheet would take a cell that begins so for a formula.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")

Finding = Sequence[object]
"""Row, record, column, code, value (None where it is withheld)."""


class RejectsFile:
    """A report that appears whole when the import has ended, and not at all if it fails."""

    def __init__(self, file: IO[str] | None) -> None:
        self._file = file
        self._writer = None if file is None else csv.writer(file, lineterminator="\n")
        if self._writer is not None:
            self._writer.writerow(HEADER)

    def write(self, findings: Iterable[Finding]) -> None:
        """Add findings.

        Raises:
            Invalid: the file cannot be written.
        """
        if self._file is None or self._writer is None:
            return
        try:
            self._writer.writerows(map(_line, findings))
            self._file.flush()
        except OSError as error:
            raise _unwritable(error) from None


@contextmanager
def open_rejects(path: Path | None) -> Iterator[RejectsFile]:
    """The report to write into; without a path nothing is written.

    Raises:
        Invalid: the file cannot be written.
    """
    if path is None:
        yield RejectsFile(None)
        return
    draft: Path | None = None
    try:
        # A byte order mark, so that a spreadsheet reads Chinese texts.
        with NamedTemporaryFile(
            "w",
            encoding="utf-8-sig",
            newline="",
            dir=path.parent,
            prefix=f".{path.name}.",
            delete=False,
        ) as file:
            draft = Path(file.name)
            yield RejectsFile(file)
        draft.replace(path)
    except OSError as error:
        raise _unwritable(error) from None
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


def _line(finding: Finding) -> list[str]:
    row, record, column, code, value = finding
    reason = REASONS[str(code)]
    shown = "" if value is None else str(value)
    return [
        str(row),
        reason.outcome,
        str(record),
        str(column),
        reason.code,
        reason.remedy(str(record), str(column)),
        f"'{shown}" if shown.startswith(_FORMULA_STARTS) else shown,
    ]


def _unwritable(error: OSError) -> Invalid:
    what = (error.strerror or "it cannot be written").lower()
    return Invalid("rejects-unwritable", f"the file for rejected rows: {what}; name another place")
