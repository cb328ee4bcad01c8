"""Evidence of overrides: files by their content, sealed, and which versions rest on them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import EVIDENCE_TYPES


class EvidenceFileRow(Recorded, Base):
    """One file, known by its content; nobody shortens how long it is kept."""

    __tablename__ = "evidence_files"
    __table_args__ = (
        one_of("media_type", EVIDENCE_TYPES),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        CheckConstraint("size_bytes BETWEEN 1 AND 10485760", name="size_bytes"),
        UniqueConstraint("sha256"),
        {
            "comment": "Files of evidence by content; after its retention only the digest of one is"
            " left."
        },
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    sha256: Mapped[str] = column(
        Text, "SHA-256 of the content.", sensitivity="internal", nullable=False
    )
    media_type: Mapped[str] = column(
        Text, "What its bytes say it is.", sensitivity="internal", nullable=False
    )
    size_bytes: Mapped[int] = column(
        Integer, "Size of the content.", sensitivity="internal", nullable=False
    )
    key_id: Mapped[str] = column(
        Text, "Id of the master key that wraps the key.", sensitivity="internal", nullable=False
    )
    wrapped_key: Mapped[bytes | None] = column(
        LargeBinary,
        "The file's own key, wrapped; null once the content was removed.",
        sensitivity="internal",
    )
    retained_until: Mapped[date] = column(
        Date,
        "First day it may be removed; only ever later.",
        sensitivity="internal",
        nullable=False,
    )


class EvidenceChunkRow(Base):
    """A part of a file."""

    __tablename__ = "evidence_chunks"
    __table_args__ = (
        CheckConstraint("chunk_no >= 0", name="chunk_no"),
        {"comment": "Parts of evidence, sealed with AES-256-GCM under the file's own key."},
    )

    evidence_id: Mapped[UUID] = column(
        Uuid,
        "The file.",
        ForeignKey("evidence_files.id"),
        sensitivity="open",
        primary_key=True,
    )
    chunk_no: Mapped[int] = column(
        Integer,
        "Position of the part.",
        sensitivity="internal",
        primary_key=True,
        autoincrement=False,
    )
    content: Mapped[bytes] = column(
        LargeBinary, "The part, sealed.", sensitivity="free", nullable=False
    )


class OverrideEvidenceRow(Base):
    """A version of a request rests on a file."""

    __tablename__ = "override_evidence"
    __table_args__ = (
        ForeignKeyConstraint(
            ["request_id", "version"],
            ["override_versions.request_id", "override_versions.version"],
            name="fk_override_evidence_version",
        ),
        {"comment": "Which version of a request rests on which evidence; append-only."},
    )

    request_id: Mapped[UUID] = column(
        Uuid, "Of which request.", sensitivity="open", primary_key=True
    )
    version: Mapped[int] = column(
        Integer, "Of which version.", sensitivity="internal", primary_key=True, autoincrement=False
    )
    evidence_id: Mapped[UUID] = column(
        Uuid,
        "The file.",
        ForeignKey("evidence_files.id"),
        sensitivity="open",
        primary_key=True,
    )
    file_name_cipher: Mapped[bytes] = column(
        LargeBinary,
        "What the file was called, sealed under the request's key.",
        sensitivity="free",
        nullable=False,
    )
    added_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When it was uploaded.", sensitivity="internal", nullable=False
    )
