"""Keys by which callers repeat a request without repeating its effect."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import Mapped

from app.db.base import Base, column


class IdempotencyKeyRow(Base):
    """What one key did: no body, only what to read again."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        CheckConstraint("status BETWEEN 200 AND 299", name="status"),
        Index(None, "expires_at"),
        {"comment": "Idempotency keys of requests that created something, for a day."},
    )

    actor_digest: Mapped[bytes] = column(
        LargeBinary, "HMAC of issuer and subject.", sensitivity="internal", primary_key=True
    )
    role: Mapped[str] = column(Text, "Active role.", sensitivity="internal", primary_key=True)
    route: Mapped[str] = column(
        Text, "Method and route template.", sensitivity="internal", primary_key=True
    )
    key_digest: Mapped[bytes] = column(
        LargeBinary, "HMAC of the key.", sensitivity="internal", primary_key=True
    )
    request_hmac: Mapped[bytes] = column(
        LargeBinary, "HMAC of path, query and body.", sensitivity="internal", nullable=False
    )
    resource: Mapped[str] = column(
        Text, "Id of what was created.", sensitivity="internal", nullable=False
    )
    status: Mapped[int] = column(
        SmallInteger, "HTTP status of the first answer.", sensitivity="internal", nullable=False
    )
    expires_at: Mapped[datetime] = column(
        DateTime(timezone=True),
        "From when on the key means nothing.",
        sensitivity="internal",
        nullable=False,
    )
