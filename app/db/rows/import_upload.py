"""Files that came over HTTP, sealed, for as long as their import needs them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    Text,
    Uuid,
)
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column


class ImportUploadRow(Recorded, Base):
    """One uploaded file with what was chosen for its import, and the key it is sealed with."""

    __tablename__ = "import_uploads"
    __table_args__ = (
        CheckConstraint("size_bytes >= 0", name="size_bytes"),
        {"comment": "Uploaded files; removed when their import has succeeded, or after some days."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    run_id: Mapped[UUID] = column(
        Uuid,
        "The import.",
        ForeignKey("import_runs.id", ondelete="CASCADE"),
        sensitivity="open",
        unique=True,
        nullable=False,
    )
    key_id: Mapped[str] = column(
        Text, "Id of the master key that wraps the key.", sensitivity="internal", nullable=False
    )
    wrapped_key: Mapped[bytes] = column(
        LargeBinary, "The file's own key, wrapped.", sensitivity="internal", nullable=False
    )
    size_bytes: Mapped[int] = column(
        BigInteger, "Size of the file.", sensitivity="internal", nullable=False
    )
    mapping: Mapped[str | None] = column(
        Text, "The mapping document, if one came with it.", sensitivity="internal"
    )
    record: Mapped[str | None] = column(
        Text, "The record type, if the file is in our own layout.", sensitivity="internal"
    )
    valid_from: Mapped[date | None] = column(
        Date, "From when undated attributes hold, if stated.", sensitivity="internal"
    )


class ImportUploadChunkRow(Base):
    """A part of an uploaded file."""

    __tablename__ = "import_upload_chunks"
    __table_args__ = (
        CheckConstraint("chunk_no >= 0", name="chunk_no"),
        {"comment": "Parts of uploaded files, sealed with AES-256-GCM under the file's own key."},
    )

    upload_id: Mapped[UUID] = column(
        Uuid,
        "The file.",
        ForeignKey("import_uploads.id", ondelete="CASCADE"),
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
