"""Drafts of rule sets, and publications: nobody publishes what he had a hand in.

Revision: 5b1c9e7a44d0
Revises: 0f3a61d8c2e7
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5b1c9e7a44d0"
down_revision = "0f3a61d8c2e7"
branch_labels = None
depends_on = None

LINES = "('life', 'health', 'motor', 'property', 'liability', 'corporate', 'all')"

FUNCTIONS = """
CREATE FUNCTION guard_rule_set_draft() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.rule_set_id, NEW.product_line, NEW.based_on, NEW.created_at) IS DISTINCT FROM
            (OLD.id, OLD.rule_set_id, OLD.product_line, OLD.based_on, OLD.created_at) THEN
        PERFORM refuse_by('ck_rule_set_drafts_fixed', 'a draft stays that of its rule set');
    END IF;
    IF NEW.revision <> OLD.revision + 1 THEN
        PERFORM refuse_by('ck_rule_set_drafts_next_revision', 'every edit is the next revision');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION guard_rule_set_draft_editor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.draft_id, NEW.editor) IS DISTINCT FROM (OLD.draft_id, OLD.editor) THEN
            PERFORM refuse_by('ck_rule_set_draft_editors_stay', 'who edited a draft stays its author');
        END IF;
        RETURN NEW;
    END IF;
    IF EXISTS (SELECT FROM rule_set_drafts WHERE id = OLD.draft_id) THEN
        PERFORM refuse_by('ck_rule_set_draft_editors_stay', 'who edited a draft stays its author');
    END IF;
    RETURN OLD;
END $$;

CREATE FUNCTION guard_rule_set_publication() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stored rule_set_versions%ROWTYPE;
    open_draft rule_set_drafts%ROWTYPE;
    known text[];
BEGIN
    PERFORM require_newest();
    IF NOT EXISTS (SELECT FROM actors
            WHERE actor_digest = NEW.published_by AND 'rule_publisher' = ANY(roles)) THEN
        PERFORM refuse_by('ck_rule_set_publications_publisher', 'only a publisher publishes');
    END IF;
    IF NEW.kind = 'retired' THEN
        RETURN NEW;
    END IF;
    SELECT * INTO stored FROM rule_set_versions
        WHERE rule_set_id = NEW.rule_set_id AND version = NEW.version;
    IF stored.product_line IS DISTINCT FROM NEW.product_line THEN
        PERFORM refuse_by('ck_rule_set_publications_line', 'a version decides for its own line');
    END IF;
    IF NEW.kind = 'published' THEN
        SELECT * INTO open_draft FROM rule_set_drafts
            WHERE rule_set_id = NEW.rule_set_id FOR UPDATE;
        IF open_draft.hash IS DISTINCT FROM stored.hash THEN
            PERFORM refuse_by('ck_rule_set_publications_draft', 'what is published is the draft');
        END IF;
        SELECT array_agg(editor) INTO known FROM rule_set_draft_editors
            WHERE draft_id = open_draft.id;
    ELSE
        SELECT array_agg(DISTINCT author) INTO known
            FROM rule_set_publications AS earlier, unnest(earlier.authors) AS author
            WHERE earlier.rule_set_id = NEW.rule_set_id AND earlier.version = NEW.version;
    END IF;
    known := coalesce(known, '{}');
    IF NOT (NEW.authors @> known AND NEW.authors <@ known) THEN
        PERFORM refuse_by('ck_rule_set_publications_authors', 'all who edited it are its authors');
    END IF;
    RETURN NEW;
END $$
"""

GUARDS = (
    ("rule_set_drafts", "BEFORE UPDATE", "guard_rule_set_draft"),
    ("rule_set_draft_editors", "BEFORE UPDATE OR DELETE", "guard_rule_set_draft_editor"),
    ("rule_set_publications", "BEFORE INSERT", "guard_rule_set_publication"),
)

#: What a function of ours means by a table's name is not the caller's to say.
FIX_SEARCH_PATH = """
DO $$
DECLARE
    guard regprocedure;
BEGIN
    FOR guard IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
        AND proname LIKE 'guard\\_rule\\_set\\_%'
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp',
            guard, current_schema());
    END LOOP;
END $$
"""


def upgrade() -> None:
    """Create drafts, their editors and publications, and let versions come from drafts."""
    op.drop_constraint(op.f("ck_rule_set_versions_origin"), "rule_set_versions", type_="check")
    op.create_check_constraint(
        op.f("ck_rule_set_versions_origin"),
        "rule_set_versions",
        "origin IN ('template', 'loaded', 'published')",
    )
    op.alter_column(
        "rule_set_versions",
        "origin",
        existing_type=sa.TEXT(),
        comment="template (shipped), loaded or published.",
        existing_comment="template (shipped) or loaded.",
        existing_nullable=False,
    )
    op.create_table(
        "rule_set_drafts",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column(
            "rule_set_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="Id of the rule set, there or to come.",
        ),
        sa.Column("product_line", sa.Text(), nullable=False, comment="Line it would decide for."),
        sa.Column(
            "revision", sa.Integer(), nullable=False, comment="From 1; every edit is the next."
        ),
        sa.Column(
            "document",
            postgresql.JSON(astext_type=sa.Text()),
            nullable=False,
            comment="The document as it was written.",
        ),
        sa.Column(
            "hash", sa.Text(), nullable=False, comment="SHA-256 of the RFC 8785 JSON, resolved."
        ),
        sa.Column(
            "based_on",
            sa.Text(),
            nullable=True,
            comment="Version it was made from, as motor@1; null where it was sent.",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was opened.",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was edited last.",
        ),
        sa.CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_rule_set_drafts_hash")),
        sa.CheckConstraint(
            f"product_line IN {LINES}", name=op.f("ck_rule_set_drafts_product_line")
        ),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_rule_set_drafts_revision")),
        sa.CheckConstraint(
            "rule_set_id ~ '^[a-z][a-z0-9-]{0,63}$'", name=op.f("ck_rule_set_drafts_rule_set_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_set_drafts")),
        sa.UniqueConstraint("rule_set_id", name=op.f("uq_rule_set_drafts_rule_set_id")),
        comment="Open drafts of rule sets; a draft goes once it is published or discarded.",
    )
    op.create_table(
        "rule_set_draft_editors",
        sa.Column("draft_id", sa.Uuid(), nullable=False, comment="Which draft."),
        sa.Column("editor", sa.Text(), nullable=False, comment="Who edited it."),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False, comment="When last."),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["rule_set_drafts.id"],
            name=op.f("fk_rule_set_draft_editors_draft_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["editor"], ["actors.actor_digest"], name=op.f("fk_rule_set_draft_editors_editor")
        ),
        sa.PrimaryKeyConstraint("draft_id", "editor", name=op.f("pk_rule_set_draft_editors")),
        comment="Who edited which draft; all of them are its authors.",
    )
    op.create_table(
        "rule_set_publications",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column("rule_set_id", sa.Text(collation="C"), nullable=False, comment="Which rule set."),
        sa.Column("kind", sa.Text(), nullable=False, comment="published, republished or retired."),
        sa.Column("product_line", sa.Text(), nullable=False, comment="Line it decides for."),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=True,
            comment="Version put in force; null for a retirement.",
        ),
        sa.Column(
            "effective_on",
            sa.Date(),
            nullable=False,
            comment="First business day it decides; of a retirement, the first it no longer does.",
        ),
        sa.Column(
            "activation_id",
            sa.Uuid(),
            nullable=True,
            comment="Range it was given; gone where it never came into force.",
        ),
        sa.Column("pia_ref", sa.Text(), nullable=True, comment="Privacy assessment it rests on."),
        sa.Column(
            "authors",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Who edited what was published.",
        ),
        sa.Column("published_by", sa.Text(), nullable=False, comment="Who did it."),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False, comment="When."),
        sa.CheckConstraint(
            "kind IN ('published', 'republished', 'retired')",
            name=op.f("ck_rule_set_publications_kind"),
        ),
        sa.CheckConstraint(
            f"product_line IN {LINES}", name=op.f("ck_rule_set_publications_product_line")
        ),
        sa.CheckConstraint(
            "(kind = 'retired') = (version IS NULL)",
            name=op.f("ck_rule_set_publications_version"),
        ),
        sa.CheckConstraint(
            "(kind = 'retired') = (activation_id IS NULL)",
            name=op.f("ck_rule_set_publications_activation"),
        ),
        sa.CheckConstraint(
            "kind <> 'retired' OR product_line <> 'all'",
            name=op.f("ck_rule_set_publications_all_decides"),
        ),
        sa.CheckConstraint(
            "kind <> 'published' OR cardinality(authors) > 0",
            name=op.f("ck_rule_set_publications_authors"),
        ),
        sa.CheckConstraint(
            "published_by <> ALL (authors)",
            name=op.f("ck_rule_set_publications_publisher_is_author"),
        ),
        sa.CheckConstraint(
            "pia_ref IS NULL OR length(pia_ref) BETWEEN 1 AND 200",
            name=op.f("ck_rule_set_publications_pia_ref"),
        ),
        sa.ForeignKeyConstraint(
            ["published_by"],
            ["actors.actor_digest"],
            name=op.f("fk_rule_set_publications_published_by"),
        ),
        sa.ForeignKeyConstraint(
            ["rule_set_id", "version"],
            ["rule_set_versions.rule_set_id", "rule_set_versions.version"],
            name="fk_rule_set_publications_version",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_set_publications")),
        comment="What publishers did with rule sets; append-only.",
    )
    op.create_index(
        "ix_rule_set_publications_rule_set", "rule_set_publications", ["rule_set_id", "id"]
    )
    # One at a time, as the driver wants them; a blank line is between two of them and nowhere else.
    for function in FUNCTIONS.split("\n\n"):
        op.execute(function)
    op.execute(FIX_SEARCH_PATH)
    for table, when, function in GUARDS:
        op.execute(
            f"CREATE TRIGGER guarded {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON rule_set_publications"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_truncated BEFORE TRUNCATE ON rule_set_publications"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Drop them; a version that was published counts as loaded, which it then could have been."""
    op.drop_index("ix_rule_set_publications_rule_set", table_name="rule_set_publications")
    op.drop_table("rule_set_publications")
    op.drop_table("rule_set_draft_editors")
    op.drop_table("rule_set_drafts")
    for _, _, function in GUARDS:
        op.execute(f"DROP FUNCTION {function}()")
    op.alter_column(
        "rule_set_versions",
        "origin",
        existing_type=sa.TEXT(),
        comment="template (shipped) or loaded.",
        existing_comment="template (shipped), loaded or published.",
        existing_nullable=False,
    )
    op.drop_constraint(op.f("ck_rule_set_versions_origin"), "rule_set_versions", type_="check")
    op.execute("ALTER TABLE rule_set_versions DISABLE TRIGGER append_only")
    op.execute("UPDATE rule_set_versions SET origin = 'loaded' WHERE origin = 'published'")
    op.execute("ALTER TABLE rule_set_versions ENABLE TRIGGER append_only")
    op.create_check_constraint(
        op.f("ck_rule_set_versions_origin"),
        "rule_set_versions",
        "origin IN ('template', 'loaded')",
    )
