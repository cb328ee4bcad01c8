"""Searches by phone or ID number, counted so that nobody tries numbers until one is somebody's."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, DateTime, Index, Text, Uuid
from sqlalchemy.orm import Mapped

from app.db.base import Base, column


class SearchAttemptRow(Base):
    """One search; neither what was searched for nor who was found."""

    __tablename__ = "search_attempts"
    __table_args__ = (
        Index("ix_search_attempts_who", "actor_digest", "attempted_at"),
        {
            "comment": "Searches by number, by actor; those that found somebody go with the next,"
            " those that found nobody after a day."
        },
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    actor_digest: Mapped[str] = column(
        Text, "HMAC of who searched, as in the audit.", sensitivity="internal", nullable=False
    )
    is_miss: Mapped[bool] = column(
        Boolean, "Nobody has the number.", sensitivity="internal", nullable=False
    )
    attempted_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When.", sensitivity="internal", nullable=False
    )
