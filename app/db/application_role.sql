-- What the service itself may do in the database, once another role owns the tables. Apply it as
-- the owner after every `tiering migrate`, to a login role that is no superuser and owns nothing:
--
--     psql "$TIERING_DATABASE_URL" -v role=tiering_app -f application_role.sql
--
-- So whoever holds the service's password changes or deletes nothing of what is append-only,
-- switches no trigger off, and meets every rule of overrides as a named constraint.
\set ON_ERROR_STOP on
BEGIN;
GRANT USAGE ON SCHEMA public, book TO :"role";
GRANT SELECT ON ALL TABLES IN SCHEMA public, book TO :"role";
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"role";

-- The revision is the owner's to write.
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM :"role";

-- What is never changed.
REVOKE UPDATE, DELETE ON
    audit_events, decisions, rule_set_versions, rule_set_publications,
    rule_set_authors,
    override_versions, override_reads, override_evidence, outbox_events
    FROM :"role";
REVOKE UPDATE ON evidence_chunks FROM :"role";

-- What is never deleted.
REVOKE DELETE ON
    actors, evidence_files, override_requests, overrides, override_approvals, override_delegations,
    rule_set_draft_editors
    FROM :"role";
COMMIT;
