"""What an import did, counted so that every row of the file is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class RecordCounts:
    """What became of one record type; the sum of all is how many the rows made of it.

    ``duplicates`` are rows equal to an earlier one of the file, or superseded by a later one where
    the mapping says so.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)

    def add(self, other: RecordCounts) -> None:
        """Count another chunk's too."""
        self.inserted += other.inserted
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.duplicates += other.duplicates
        self.rejected += other.rejected
        self.warnings += other.warnings


@dataclass(slots=True)
class Tally:
    """Counts of rows; `rows` is the sum of loaded, rejected, unused and filtered ones.

    A row is rejected if one of its records is; `unused` rows made no record at all.
    """

    rows: int = 0
    loaded: int = 0
    rejected: int = 0
    unused: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    records: dict[str, RecordCounts] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Count another chunk's too."""
        self.rows += other.rows
        self.loaded += other.loaded
        self.rejected += other.rejected
        self.unused += other.unused
        self.filtered.update(other.filtered)
        for name, counts in other.records.items():
            self.of(name).add(counts)

    def of(self, record: str) -> RecordCounts:
        """The counts of one record type."""
        return self.records.setdefault(record, RecordCounts())

    def to_json(self) -> dict[str, Any]:
        """The counts as JSON data."""
        return {
            "rows": self.rows,
            "loaded": self.loaded,
            "rejected": self.rejected,
            "unused": self.unused,
            "filtered": dict(self.filtered),
            "records": {
                name: {
                    "inserted": counts.inserted,
                    "updated": counts.updated,
                    "unchanged": counts.unchanged,
                    "duplicates": counts.duplicates,
                    "rejected": dict(counts.rejected),
                    "warnings": dict(counts.warnings),
                }
                for name, counts in self.records.items()
            },
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Tally:
        """The counts that `to_json` wrote."""
        return cls(
            rows=raw["rows"],
            loaded=raw["loaded"],
            rejected=raw["rejected"],
            unused=raw["unused"],
            filtered=Counter(raw["filtered"]),
            records={
                name: RecordCounts(
                    **{
                        **counts,
                        "rejected": Counter(counts["rejected"]),
                        "warnings": Counter(counts["warnings"]),
                    }
                )
                for name, counts in raw["records"].items()
            },
        )


@dataclass(frozen=True, slots=True)
class ImportResult:
    """An import that came to its end.

    ``reasons`` says why each filter left rows out. ``resumed_rows`` were in the database already,
    from an interrupted import of the same file. ``total`` counts the whole file.
    """

    run_id: UUID
    file_name: str
    total: Tally
    reasons: Mapping[str, str]
    resumed_rows: int

    @property
    def changed(self) -> bool:
        """Whether the import wrote anything at all."""
        return any(counts.inserted or counts.updated for counts in self.total.records.values())
