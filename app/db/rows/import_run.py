"""Imports and their chunks, so that an import can be repeated or resumed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of

IMPORT_STATES = ("running", "completed", "failed")


class ImportRunRow(Recorded, Base):
    """One file read through one mapping."""

    __tablename__ = "import_runs"
    __table_args__ = (
        one_of("state", IMPORT_STATES),
        {"comment": "Imports; a second import of the same file and mapping resumes the first."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    file_name: Mapped[str] = column(
        Text, "Name of the file, without folders.", sensitivity="internal", nullable=False
    )
    file_digest: Mapped[str] = column(
        Text, "SHA-256 of the file.", sensitivity="internal", nullable=False
    )
    mapping_digest: Mapped[str] = column(
        Text, "SHA-256 of the mapping.", sensitivity="internal", nullable=False
    )
    state: Mapped[str] = column(Text, "State.", sensitivity="internal", nullable=False)
    counts: Mapped[dict[str, Any]] = column(
        JSONB,
        "Rows read, loaded, filtered by reason, rejected.",
        sensitivity="internal",
        nullable=False,
    )
    finished_at: Mapped[datetime | None] = column(
        DateTime(timezone=True), "When it ended.", sensitivity="internal"
    )


class ImportChunkRow(Recorded, Base):
    """A chunk of an import that is in the database, whole."""

    __tablename__ = "import_chunks"
    __table_args__ = (
        CheckConstraint("chunk_no >= 0", name="chunk_no"),
        {"comment": "Committed chunks of an import."},
    )

    run_id: Mapped[UUID] = column(
        Uuid,
        "The import.",
        ForeignKey("import_runs.id", ondelete="CASCADE"),
        sensitivity="internal",
        primary_key=True,
    )
    chunk_no: Mapped[int] = column(
        Integer,
        "Position of the chunk.",
        sensitivity="internal",
        primary_key=True,
        autoincrement=False,
    )
    counts: Mapped[dict[str, Any]] = column(
        JSONB, "What the chunk did.", sensitivity="internal", nullable=False
    )
