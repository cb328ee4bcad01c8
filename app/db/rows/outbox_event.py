"""The outbox: what happened, told in the transaction it happened in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped

from app.db.base import Base, column


class OutboxEventRow(Base):
    """One thing that happened; ids only, never a value."""

    __tablename__ = "outbox_events"
    __table_args__ = (
        Index("ix_outbox_events_customers", "customer_ids", postgresql_using="gin"),
        {"comment": "What happened, for whoever wants to know; ids may commit out of order."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    kind: Mapped[str] = column(
        Text, "What happened, such as override-requested.", sensitivity="internal", nullable=False
    )
    customer_ids: Mapped[list[str]] = column(
        ARRAY(Text(collation="C")), "To whom.", sensitivity="open", nullable=False
    )
    payload: Mapped[dict[str, Any]] = column(
        JSONB, "Ids and words of the step.", sensitivity="internal", nullable=False
    )
    occurred_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When.", sensitivity="internal", nullable=False
    )
