"""The two keys: who read which version of a request, and what he decided."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import APPROVAL_DECISIONS, DEPARTMENTS


class OverrideReadRow(Base):
    """An officer was shown one version of a request, whole and in clear."""

    __tablename__ = "override_reads"
    __table_args__ = (
        ForeignKeyConstraint(
            ["request_id", "version", "digest"],
            [
                "override_versions.request_id",
                "override_versions.version",
                "override_versions.digest",
            ],
            name="fk_override_reads_version",
        ),
        # What an approval is bound to.
        UniqueConstraint("request_id", "version", "reader", "digest"),
        {"comment": "Who was shown which version of a request; append-only."},
    )

    request_id: Mapped[UUID] = column(
        Uuid, "Of which request.", sensitivity="open", primary_key=True
    )
    version: Mapped[int] = column(
        Integer,
        "Version that was shown.",
        sensitivity="internal",
        primary_key=True,
        autoincrement=False,
    )
    reader: Mapped[str] = column(
        Text,
        "Who read it.",
        ForeignKey("actors.actor_digest"),
        sensitivity="internal",
        primary_key=True,
    )
    digest: Mapped[str] = column(
        Text, "Digest of what was shown.", sensitivity="internal", nullable=False
    )
    read_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When first.", sensitivity="internal", nullable=False
    )


class OverrideApprovalRow(Base):
    """One officer's word on one version; one of each department counts."""

    __tablename__ = "override_approvals"
    __table_args__ = (
        one_of("department", DEPARTMENTS),
        one_of("decision", APPROVAL_DECISIONS),
        CheckConstraint("statement_characters >= 20", name="statement"),
        CheckConstraint("approver <> requested_by", name="approver_is_requester"),
        CheckConstraint(
            "on_behalf_of <> approver AND on_behalf_of <> requested_by", name="on_behalf_of"
        ),
        ForeignKeyConstraint(
            ["request_id", "requested_by"],
            ["override_requests.id", "override_requests.requested_by"],
            name="fk_override_approvals_requester",
        ),
        ForeignKeyConstraint(
            ["request_id", "version", "digest"],
            [
                "override_versions.request_id",
                "override_versions.version",
                "override_versions.digest",
            ],
            name="fk_override_approvals_version",
        ),
        ForeignKeyConstraint(
            ["request_id", "version", "approver", "digest"],
            [
                "override_reads.request_id",
                "override_reads.version",
                "override_reads.reader",
                "override_reads.digest",
            ],
            name="fk_override_approvals_read",
        ),
        ForeignKeyConstraint(
            ["delegation_id", "on_behalf_of", "approver", "department"],
            [
                "override_delegations.id",
                "override_delegations.delegator",
                "override_delegations.delegate",
                "override_delegations.department",
            ],
            name="fk_override_approvals_delegation",
        ),
        CheckConstraint("(delegation_id IS NULL) = (on_behalf_of IS NULL)", name="delegation_pair"),
        Index(
            "uq_override_approvals_department",
            "request_id",
            "version",
            "department",
            unique=True,
            postgresql_where=text("voided_at IS NULL"),
        ),
        Index(
            "uq_override_approvals_person",
            "request_id",
            "version",
            "approver",
            unique=True,
            postgresql_where=text("voided_at IS NULL"),
        ),
        {"comment": "Approvals and rejections; append-only but for their becoming void."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    request_id: Mapped[UUID] = column(Uuid, "Of which request.", sensitivity="open", nullable=False)
    version: Mapped[int] = column(
        Integer, "Version decided on.", sensitivity="internal", nullable=False
    )
    digest: Mapped[str] = column(
        Text, "Digest of that version.", sensitivity="internal", nullable=False
    )
    requested_by: Mapped[str] = column(
        Text, "Who asks, who cannot decide.", sensitivity="internal", nullable=False
    )
    approver: Mapped[str] = column(
        Text,
        "Who decided.",
        ForeignKey("actors.actor_digest"),
        sensitivity="internal",
        nullable=False,
    )
    department: Mapped[str] = column(
        Text, "For which department.", sensitivity="internal", nullable=False
    )
    delegation_id: Mapped[UUID | None] = column(
        Uuid, "The delegation he acted by, if he did.", sensitivity="open"
    )
    on_behalf_of: Mapped[str | None] = column(
        Text, "The absent officer whose key it is.", sensitivity="internal"
    )
    decision: Mapped[str] = column(
        Text, "approve or reject.", sensitivity="internal", nullable=False
    )
    statement_cipher: Mapped[bytes] = column(
        LargeBinary, "Why, in words, sealed.", sensitivity="free", nullable=False
    )
    statement_characters: Mapped[int] = column(
        Integer, "Length of the statement.", sensitivity="internal", nullable=False
    )
    decided_at: Mapped[datetime] = column(
        DateTime(timezone=True), "When.", sensitivity="internal", nullable=False
    )
    voided_at: Mapped[datetime | None] = column(
        DateTime(timezone=True),
        "When it was found that the approver may not decide any more.",
        sensitivity="internal",
    )


class OverrideDelegationRow(Recorded, Base):
    """An officer is away, and a colleague of his department acts for him."""

    __tablename__ = "override_delegations"
    __table_args__ = (
        one_of("department", DEPARTMENTS),
        CheckConstraint("delegate <> delegator", name="delegate_is_delegator"),
        CheckConstraint("valid_to > valid_from AND valid_to <= valid_from + 92", name="validity"),
        UniqueConstraint("id", "delegator", "delegate", "department"),
        ExcludeConstraint(
            (text("delegator"), "="),
            (func.daterange(text("valid_from"), text("valid_to")), "&&"),
            using="gist",
            name="ex_override_delegations_one_at_a_time",
            where=text("ended_at IS NULL"),
        ),
        {"comment": "Delegations for absence; one runs per absent officer."},
    )

    id: Mapped[UUID] = column(Uuid, "UUIDv7.", sensitivity="open", primary_key=True)
    delegator: Mapped[str] = column(
        Text,
        "Who is away.",
        ForeignKey("actors.actor_digest"),
        sensitivity="internal",
        nullable=False,
    )
    delegate: Mapped[str] = column(
        Text,
        "Who acts for him.",
        ForeignKey("actors.actor_digest"),
        sensitivity="internal",
        nullable=False,
    )
    department: Mapped[str] = column(Text, "Of both.", sensitivity="internal", nullable=False)
    valid_from: Mapped[date] = column(
        Date, "First business day away.", sensitivity="internal", nullable=False
    )
    valid_to: Mapped[date] = column(
        Date, "First business day back.", sensitivity="internal", nullable=False
    )
    ended_at: Mapped[datetime | None] = column(
        DateTime(timezone=True), "When it was taken back.", sensitivity="internal"
    )
