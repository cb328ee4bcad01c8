"""The first reading of a file: is all of it readable, and which keys occur more than once?

Nothing is written before a file was read to its end, so that a damaged one leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from app.domain.errors import Invalid
from app.domain.records.keys.frame import find_torn_group, fingerprint, group_starts
from app.domain.records.mapping.frame import Frame, Plan, draw
from app.features.imports.service import frame as frames
from app.features.imports.service.files import RowFile, batches
from app.features.imports.service.ledger import KeyLedger
from app.features.imports.service.texts import refuse

#: Where the number of rows is not known, their bytes tell about how many there are.
_BYTES_PER_ROW: Final = 60
_INSPECTED_ROWS: Final = 50_000
_LONGEST_GROUP: Final = 1_000_000
#: Rows that are as long as a row of a file may be are fewer in a chunk.
_CHUNK_BYTES: Final = 128 << 20
_LARGEST_GROUP_BYTES: Final = 512 << 20

Progress = Callable[[str, int, int], None]
"""Called with the stage (`reading` or `writing`), the rows done, and (about) the rows in all."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A file that can be imported."""

    file: RowFile
    plan: Plan
    rows: int
    repeated: Frame


def inspect(file: RowFile, plan: Plan, progress: Progress) -> Inspected:
    """Read a file to its end.

    Raises:
        Invalid: a part of it is damaged, rows are ragged, or groups are not together.
    """
    expected = file.rows or file.stamp[0] // _BYTES_PER_ROW
    rows = 0
    with KeyLedger(expected * max(len(plan.records), 1)) as ledger:
        for chunk in chunks(file, plan, chunk_rows=_INSPECTED_ROWS):
            _check_order(file, plan, chunk)
            if plan.by:
                ledger.add(group_starts(chunk, list(plan.by)))
            for entry, drawn in draw(plan, chunk).records:
                ledger.add(fingerprint(entry.record, drawn))
            rows += chunk.height
            progress("reading", rows, max(expected, rows))
        repeated = ledger.repeated()
    _check_groups(file, repeated)
    return Inspected(file, plan, rows, repeated)


def chunks(file: RowFile, plan: Plan, *, chunk_rows: int, after: int = 0) -> Iterator[Frame]:
    """The rows of a file in chunks of about this many rows, fewer of long ones; no group is cut.

    Args:
        file: what was opened.
        plan: it names the columns and the groups.
        chunk_rows: rows in a chunk; more where a group is longer.
        after: the last row to be left out, which ends a group.

    Raises:
        Invalid: a part of the file is damaged, or a group does not fit into memory.
    """
    held: list[Frame] = []
    waiting = weight = 0
    for part in _parts(file, plan, chunk_rows, after):
        held.append(part)
        waiting += part.height
        weight += frames.weight(part)
        if waiting >= chunk_rows or weight >= _CHUNK_BYTES:
            ready, rest = frames.cut_chunk(plan, frames.joined(held), chunk_rows)
            held, waiting, weight = [rest], rest.height, frames.weight(rest)
            if not ready.is_empty():
                yield ready
            elif waiting > _LONGEST_GROUP or weight > _LARGEST_GROUP_BYTES:
                what = f"a group of more than {min(waiting, _LONGEST_GROUP):,} rows"
                raise refuse(file.path, "", what, "group by a finer key")
    if waiting:
        yield frames.joined(held)


def _parts(file: RowFile, plan: Plan, size: int, after: int) -> Iterator[Frame]:
    first = 1
    for batch in batches(file, plan.columns):
        skipped = min(max(after - first + 1, 0), batch.num_rows)
        for start in range(skipped, batch.num_rows, size):
            part = batch.slice(start, size)
            yield frames.read_rows(part, first + start, file.source.nulls)
        first += batch.num_rows


def _check_order(file: RowFile, plan: Plan, chunk: Frame) -> None:
    row = frames.find_unordered(plan, chunk)
    if row is not None:
        raise _not_together(file, row, "earlier than the row before it in the same group")


def _check_groups(file: RowFile, repeated: Frame) -> None:
    row = find_torn_group(repeated)
    if row is not None:
        raise _not_together(file, row, "of a group whose rows ended further up")


def _not_together(file: RowFile, row: int, what: str) -> Invalid:
    by = ", then by what source.group.order says"
    return refuse(file.path, f"row {row}", what, f"sort the file by source.group.by{by}")
