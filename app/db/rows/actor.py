"""Who acts in overrides, with the roles of his newest verified token."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column


class ActorRow(Recorded, Base):
    """One person; a role that his newest token no longer carries counts no longer."""

    __tablename__ = "actors"
    __table_args__ = (
        UniqueConstraint("issuer", "subject"),
        {"comment": "People of the staff, with the roles of their newest verified token."},
    )

    actor_digest: Mapped[str] = column(
        Text, "HMAC of issuer and subject, as in the audit.", sensitivity="open", primary_key=True
    )
    issuer: Mapped[str] = column(
        Text, "Who vouches for him.", sensitivity="internal", nullable=False
    )
    subject: Mapped[str] = column(Text, "His id there.", sensitivity="internal", nullable=False)
    roles: Mapped[list[str]] = column(
        ARRAY(Text), "Roles of his newest token.", sensitivity="internal", nullable=False
    )
    issued_at: Mapped[datetime] = column(
        DateTime(timezone=True),
        "When that token was issued; never goes back.",
        sensitivity="internal",
        nullable=False,
    )
