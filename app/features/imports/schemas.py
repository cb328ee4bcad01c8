"""Imports as they are ordered and answered; counts only, nothing of any row."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import Field

from app.domain.records.specs import EARLIEST_DAY, LATEST_DAY, RECORDS
from app.features.imports.service import Ordered, OrderedImport, RecordCounts, Tally
from app.features.jobs.schemas import JobRead
from app.infra.masking import MaskedRead, Open, ReadModel
from app.infra.multipart import LARGEST_TEXT

ImportState = Literal["queued", "running", "completed", "failed", "cancelled"]

#: Parts of text beside the file.
TEXT_PARTS: Final = ("mapping", "record", "valid_from")

#: What `POST /v1/imports` takes; read by hand, so that no file is ever whole in memory.
REQUEST_BODY: Final = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "oneOf": [{"required": ["mapping"]}, {"required": ["record"]}],
                "additionalProperties": False,
                "properties": {
                    "file": {
                        "type": "string",
                        "contentMediaType": "application/octet-stream",
                        "description": "CSV, Parquet or XLSX.",
                    },
                    "mapping": {
                        "type": "string",
                        "format": "tiering-mapping",
                        "maxLength": LARGEST_TEXT,
                        "description": f"Mapping document (YAML), as text or as a file; "
                        f"{LARGEST_TEXT:,} bytes at most.",
                    },
                    "record": {
                        "type": "string",
                        "enum": list(RECORDS),
                        "description": "Record type of a file in our own layout, for no mapping.",
                    },
                    "valid_from": {
                        "type": "string",
                        "format": "date",
                        "description": "Day from which undated attributes hold; today without it. "
                        f"From {EARLIEST_DAY} to {LATEST_DAY}.",
                    },
                },
            },
            "encoding": {"file": {"contentType": "application/octet-stream"}},
        }
    },
}


class ImportOrderRead(MaskedRead):
    """An import that was taken in."""

    id: Open[UUID] = Field(description="Id of the import.")
    job_id: Open[UUID] = Field(description="Id of the job that does it.")

    @classmethod
    def from_domain(cls, ordered: Ordered) -> ImportOrderRead:
        """The import and its job."""
        return cls(id=ordered.import_id, job_id=ordered.job_id)


class RowsRead(ReadModel):
    """What became of the rows so far; `read` is the sum of the others."""

    read: Open[int] = Field(description="Rows of the file that are dealt with.", ge=0)
    loaded: Open[int] = Field(description="Rows whose records are all stored.", ge=0)
    filtered: Open[dict[str, int]] = Field(description="Rows left out, by the mapping's filters.")
    rejected: Open[int] = Field(description="Rows of which a record was rejected.", ge=0)
    unused: Open[int] = Field(description="Rows that made no record.", ge=0)

    @classmethod
    def from_domain(cls, tally: Tally) -> RowsRead:
        """The counts of rows."""
        return cls(
            read=tally.rows,
            loaded=tally.loaded,
            filtered=dict(tally.filtered),
            rejected=tally.rejected,
            unused=tally.unused,
        )


class RecordRead(ReadModel):
    """What became of one record type."""

    inserted: Open[int] = Field(description="New records.", ge=0)
    updated: Open[int] = Field(description="Records that changed.", ge=0)
    unchanged: Open[int] = Field(description="Records that were stored so already.", ge=0)
    duplicates: Open[int] = Field(description="Rows that repeat another.", ge=0)
    rejected: Open[dict[str, int]] = Field(description="Rejected ones, by reason.")
    warnings: Open[dict[str, int]] = Field(description="Doubts about stored ones, by reason.")

    @classmethod
    def from_domain(cls, counts: RecordCounts) -> RecordRead:
        """The counts of one record type."""
        return cls(
            inserted=counts.inserted,
            updated=counts.updated,
            unchanged=counts.unchanged,
            duplicates=counts.duplicates,
            rejected=dict(counts.rejected),
            warnings=dict(counts.warnings),
        )


class ImportRead(ReadModel):
    """An import: how far it is, and what it did."""

    id: Open[UUID] = Field(description="Id of the import.")
    state: Open[ImportState] = Field(description="`failed`: see the job's error; requeue goes on.")
    rows: RowsRead = Field(description="What became of the rows.")
    records: dict[str, RecordRead] = Field(description="What became of them, by record type.")
    rejected: Open[str | None] = Field(
        description="Where rejected and doubted rows are listed, with reason and remedy."
    )
    job: JobRead = Field(description="The job that does it.")
    created_at: Open[datetime] = Field(description="When it was taken in.")
    finished_at: Open[datetime | None] = Field(description="When it ended.")

    @classmethod
    def from_domain(cls, found: OrderedImport) -> ImportRead:
        """An import for who ordered it."""
        return cls(
            id=found.id,
            state=_STATES[found.state],
            rows=RowsRead.from_domain(found.tally),
            records={
                name: RecordRead.from_domain(counts) for name, counts in found.tally.records.items()
            },
            rejected=f"/v1/imports/{found.id}/rejected" if found.has_findings else None,
            job=JobRead.from_domain(found.job),
            created_at=found.created_at,
            finished_at=found.finished_at,
        )


_STATES: Final[dict[str, ImportState]] = {
    "queued": "queued",
    "running": "running",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
