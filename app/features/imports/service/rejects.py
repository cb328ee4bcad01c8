"""The file that says, row by row, what was rejected or doubted, and what to do."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Final

from app.domain.errors import Invalid
from app.domain.records.reasons import REASONS
from app.infra.exports import require_replaceable

HEADER: Final = ("row", "outcome", "record", "column", "reason", "remedy", "value")
#: A spreadsheet would take a cell that begins so for a formula.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")

Finding = Sequence[object]
"""Row, record, column, code, value (None where it is withheld)."""


class RejectsFile:
    """A report that is begun at the first finding, and gets its name when the import has ended."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._draft: Path | None = None

    def write(self, findings: Iterable[Finding]) -> None:
        """Add findings.

        Raises:
            Invalid: the file cannot be written.
        """
        lines = [_line(finding) for finding in findings]
        if self._path is None or not lines:
            return
        try:
            if self._file is None:
                self._file = self._begin(self._path)
            csv.writer(self._file, lineterminator="\n").writerows(lines)
            self._file.flush()
        except OSError as error:
            raise _unwritable(error) from None

    def _begin(self, path: Path) -> IO[str]:
        descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
        self._draft = Path(name)
        # A byte order mark, so that a spreadsheet reads Chinese texts.
        file = os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="")
        file.write(",".join(HEADER) + "\n")
        return file

    def publish(self) -> None:
        """Give the report its name; without a finding, take away an earlier import's report."""
        if self._path is None:
            return
        if self._file is None or self._draft is None:
            if _is_report(self._path):
                self._path.unlink()
            return
        self._file.close()
        self._draft.replace(self._path)

    def discard(self) -> None:
        """Leave nothing unfinished behind."""
        if self._file is not None:
            # A full disk refuses once more what it refused before.
            with suppress(OSError):
                self._file.close()
        if self._draft is not None:
            self._draft.unlink(missing_ok=True)


@contextmanager
def open_rejects(path: Path | None, inputs: Sequence[Path] = ()) -> Iterator[RejectsFile]:
    """The report to write into; without a path nothing is written.

    Args:
        path: where it appears if there is anything to report.
        inputs: the files of the import, which it must not replace.

    Raises:
        Invalid: the file cannot be written, or stands where something else would be lost.
    """
    if path is not None:
        require_replaceable(path, inputs)
    report = RejectsFile(path)
    try:
        yield report
        report.publish()
    except OSError as error:
        raise _unwritable(error) from None
    finally:
        report.discard()


def _is_report(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.readline() == ",".join(HEADER) + "\n"
    except (OSError, UnicodeDecodeError):
        return False


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
