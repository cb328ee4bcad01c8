"""Data keys, one per subject, wrapped by the master key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, LargeBinary, Text, func
from sqlalchemy.orm import Mapped

from app.db.base import Base, column


class SubjectKeyRow(Base):
    """Destroying this row makes everything encrypted for the subject unreadable."""

    __tablename__ = "subject_keys"
    __table_args__ = ({"comment": "Per-subject data keys, wrapped by the master key."},)

    subject_id: Mapped[str] = column(
        Text(collation="C"), "The customer id.", sensitivity="open", primary_key=True
    )
    key_id: Mapped[str] = column(
        Text, "Id of the master key that wraps it.", sensitivity="internal", nullable=False
    )
    wrapped_key: Mapped[bytes] = column(
        LargeBinary, "The data key, wrapped.", sensitivity="internal", nullable=False
    )
    created_at: Mapped[datetime] = column(
        DateTime(timezone=True),
        "When it was made.",
        sensitivity="internal",
        server_default=func.now(),
        nullable=False,
    )
