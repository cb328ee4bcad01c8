"""Who wrote a document stays its author when its draft is discarded and opened again by another.

Revision: 8d40c1f7a9e3
Revises: 5c9e27ab41d0
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "8d40c1f7a9e3"
down_revision = "5c9e27ab41d0"
branch_labels = None
depends_on = None

#: Whatever stores a revision or an editor, both are noted with it.
FUNCTIONS = """
CREATE FUNCTION guard_rule_set_revision_authors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rule_set_authors (rule_set_id, hash, author)
        SELECT NEW.rule_set_id, NEW.hash, editor FROM rule_set_draft_editors
        WHERE draft_id = NEW.id ON CONFLICT DO NOTHING;
    RETURN NEW;
END $$;

CREATE FUNCTION guard_rule_set_editor_author() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rule_set_authors (rule_set_id, hash, author)
        SELECT rule_set_id, hash, NEW.editor FROM rule_set_drafts
        WHERE id = NEW.draft_id ON CONFLICT DO NOTHING;
    RETURN NEW;
END $$
"""

PUBLICATION = """
CREATE OR REPLACE FUNCTION guard_rule_set_publication() RETURNS trigger LANGUAGE plpgsql AS $$
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
        {known_of_draft}
    ELSE
        SELECT array_agg(DISTINCT author) INTO known
            FROM rule_set_publications AS earlier, unnest(earlier.authors) AS author
            WHERE earlier.rule_set_id = NEW.rule_set_id AND earlier.version = NEW.version;
    END IF;
    known := coalesce(known, '{{}}');
    IF NOT (NEW.authors @> known AND NEW.authors <@ known) THEN
        PERFORM refuse_by('ck_rule_set_publications_authors', 'all who edited it are its authors');
    END IF;
    RETURN NEW;
END $$
"""
ALL_WHO_WROTE_IT = """SELECT array_agg(author) INTO known FROM rule_set_authors
            WHERE rule_set_id = NEW.rule_set_id AND hash = stored.hash;"""
EDITORS_OF_DRAFT = """SELECT array_agg(editor) INTO known FROM rule_set_draft_editors
            WHERE draft_id = open_draft.id;"""

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
    """Create the table, which remembers who edits what is open by now."""
    op.create_table(
        "rule_set_authors",
        sa.Column("rule_set_id", sa.Text(collation="C"), nullable=False, comment="Of which."),
        sa.Column("hash", sa.Text(), nullable=False, comment="Which document, resolved."),
        sa.Column("author", sa.Text(), nullable=False, comment="Who had a hand in it."),
        sa.ForeignKeyConstraint(
            ["author"], ["actors.actor_digest"], name=op.f("fk_rule_set_authors_author")
        ),
        sa.PrimaryKeyConstraint("rule_set_id", "hash", "author", name=op.f("pk_rule_set_authors")),
        comment="Who wrote which document, whatever became of its draft; append-only.",
    )
    op.execute(
        "INSERT INTO rule_set_authors (rule_set_id, hash, author)"
        " SELECT rule_set_id, hash, editor FROM rule_set_drafts AS draft"
        " JOIN rule_set_draft_editors AS editor ON editor.draft_id = draft.id"
        " UNION SELECT rule_set_id, hash, author FROM rule_set_publications"
        " JOIN rule_set_versions USING (rule_set_id, version), unnest(authors) AS author"
    )
    for function in FUNCTIONS.split("\n\n"):
        op.execute(function)
    op.execute(PUBLICATION.format(known_of_draft=ALL_WHO_WROTE_IT))
    op.execute(FIX_SEARCH_PATH)
    op.execute(
        "CREATE TRIGGER remembered AFTER UPDATE ON rule_set_drafts"
        " FOR EACH ROW EXECUTE FUNCTION guard_rule_set_revision_authors()"
    )
    op.execute(
        "CREATE TRIGGER remembered AFTER INSERT OR UPDATE ON rule_set_draft_editors"
        " FOR EACH ROW EXECUTE FUNCTION guard_rule_set_editor_author()"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON rule_set_authors"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER never_truncated BEFORE TRUNCATE ON rule_set_authors"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Forget who wrote what is no open draft."""
    op.execute("DROP TRIGGER remembered ON rule_set_draft_editors")
    op.execute("DROP TRIGGER remembered ON rule_set_drafts")
    op.execute(PUBLICATION.format(known_of_draft=EDITORS_OF_DRAFT))
    op.execute("DROP FUNCTION guard_rule_set_editor_author()")
    op.execute("DROP FUNCTION guard_rule_set_revision_authors()")
    op.drop_table("rule_set_authors")
    op.execute(FIX_SEARCH_PATH)
