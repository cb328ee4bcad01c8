"""Jobs, and files that came over HTTP.

Revision: 6b1f0a52c7d4
Revises: 3daedd1522b9
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "6b1f0a52c7d4"
down_revision = "3daedd1522b9"
branch_labels = None
depends_on = None

_LIVE = sa.text("state IN ('queued', 'running')")
_RECORDED = "When the row was written (provenance; never business time)."


def upgrade() -> None:
    """Create the tables; sealed bytes are not compressed, since nothing is gained by it."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column("kind", sa.Text(), nullable=False, comment="What is to be done."),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="queued, running, succeeded, dead or cancelled.",
        ),
        sa.Column(
            "payload",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Ids of what it is about, never data.",
        ),
        sa.Column(
            "dedupe_key", sa.Text(), nullable=False, comment="What no two live jobs may be about."
        ),
        sa.Column(
            "done", sa.BigInteger(), server_default="0", nullable=False, comment="How much is done."
        ),
        sa.Column(
            "total",
            sa.BigInteger(),
            nullable=True,
            comment="How much there is to do, once it is known.",
        ),
        sa.Column(
            "error_type", sa.Text(), nullable=True, comment="Slug of what ended the latest attempt."
        ),
        sa.Column(
            "error_detail", sa.Text(), nullable=True, comment="Place and remedy, without any value."
        ),
        sa.Column(
            "attempts", sa.Integer(), server_default="0", nullable=False, comment="Attempts begun."
        ),
        sa.Column(
            "max_attempts", sa.Integer(), nullable=False, comment="Attempts after which it is dead."
        ),
        sa.Column(
            "epoch",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Counts its owners; who holds an older one may write nothing.",
        ),
        sa.Column(
            "leased_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Until when its worker is taken to live, unless it says so again.",
        ),
        sa.Column(
            "run_after",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Not before this.",
        ),
        sa.Column(
            "cancel_requested",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Whether it is to stop at the next place where that leaves nothing half done.",
        ),
        sa.Column(
            "requested_by", sa.Text(), nullable=False, comment="Digest of the actor who started it."
        ),
        sa.Column(
            "requested_role", sa.Text(), nullable=False, comment="The role the actor started it in."
        ),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it succeeded, died or was cancelled.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment=_RECORDED,
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'dead', 'cancelled')",
            name=op.f("ck_jobs_state"),
        ),
        sa.CheckConstraint("attempts BETWEEN 0 AND max_attempts", name=op.f("ck_jobs_attempts")),
        sa.CheckConstraint(
            "done >= 0 AND (total IS NULL OR total >= 0)", name=op.f("ck_jobs_progress")
        ),
        sa.CheckConstraint(
            "(state = 'running') = (leased_until IS NOT NULL)", name=op.f("ck_jobs_lease")
        ),
        sa.CheckConstraint(
            "(state IN ('queued', 'running')) = (finished_at IS NULL)", name=op.f("ck_jobs_ended")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        comment="Jobs: queued, leased to one worker at a time, fenced by their epoch.",
    )
    op.create_index("uq_jobs_live", "jobs", ["dedupe_key"], unique=True, postgresql_where=_LIVE)
    op.create_index("ix_jobs_due", "jobs", ["run_after", "id"], postgresql_where=_LIVE)
    op.create_index(op.f("ix_jobs_dedupe_key_id"), "jobs", ["dedupe_key", "id"])
    op.create_table(
        "import_uploads",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column("run_id", sa.Uuid(), nullable=False, comment="The import."),
        sa.Column(
            "key_id", sa.Text(), nullable=False, comment="Id of the master key that wraps the key."
        ),
        sa.Column(
            "wrapped_key", sa.LargeBinary(), nullable=False, comment="The file's own key, wrapped."
        ),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="Size of the file."),
        sa.Column(
            "mapping",
            sa.Text(),
            nullable=True,
            comment="The mapping document, if one came with it.",
        ),
        sa.Column(
            "record",
            sa.Text(),
            nullable=True,
            comment="The record type, if the file is in our own layout.",
        ),
        sa.Column(
            "valid_from",
            sa.Date(),
            nullable=True,
            comment="From when undated attributes hold, if stated.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment=_RECORDED,
        ),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_import_uploads_size_bytes")),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["import_runs.id"],
            name=op.f("fk_import_uploads_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_uploads")),
        sa.UniqueConstraint("run_id", name=op.f("uq_import_uploads_run_id")),
        comment="Uploaded files; removed when their import has succeeded, or after some days.",
    )
    op.create_table(
        "import_upload_chunks",
        sa.Column("upload_id", sa.Uuid(), nullable=False, comment="The file."),
        sa.Column(
            "chunk_no",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Position of the part.",
        ),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="The part, sealed."),
        sa.CheckConstraint("chunk_no >= 0", name=op.f("ck_import_upload_chunks_chunk_no")),
        sa.ForeignKeyConstraint(
            ["upload_id"],
            ["import_uploads.id"],
            name=op.f("fk_import_upload_chunks_upload_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("upload_id", "chunk_no", name=op.f("pk_import_upload_chunks")),
        comment="Parts of uploaded files, sealed with AES-256-GCM under the file's own key.",
    )
    op.execute("ALTER TABLE import_upload_chunks ALTER COLUMN content SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Drop the tables; jobs and uploads are lost."""
    op.drop_table("import_upload_chunks")
    op.drop_table("import_uploads")
    op.drop_index(op.f("ix_jobs_dedupe_key_id"), table_name="jobs")
    op.drop_index("ix_jobs_due", table_name="jobs", postgresql_where=_LIVE)
    op.drop_index("uq_jobs_live", table_name="jobs", postgresql_where=_LIVE)
    op.drop_table("jobs")
