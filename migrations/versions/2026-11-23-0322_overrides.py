"""Overrides with two keys: every rule of theirs is a constraint or a trigger as well as code.

Revision: 0f3a61d8c2e7
Revises: e4a87c03b5d1
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0f3a61d8c2e7"
down_revision = "e4a87c03b5d1"
branch_labels = None
depends_on = None


#: Raises what looks like the violation of a named constraint, since a trigger is one here.
FUNCTIONS = """
CREATE FUNCTION refuse_by(constraint_name text, reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', reason USING ERRCODE = 'check_violation', CONSTRAINT = constraint_name;
END $$;

-- A transaction that keeps to an old snapshot would judge by roles that somebody has no more.
CREATE FUNCTION require_newest() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        PERFORM refuse_by('ck_overrides_read_committed', 'who may do what is asked of the newest rows');
    END IF;
END $$;

CREATE FUNCTION officer_of(department text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE department WHEN 'risk' THEN 'risk_officer' WHEN 'business' THEN 'business_officer' END
$$;

-- Whether somebody's newest token makes him an officer of one department, and of no other.
CREATE FUNCTION may_turn_key(who text, department text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM actors WHERE actor_digest = who AND officer_of(department) = ANY(roles)
            AND NOT roles @> ARRAY['risk_officer', 'business_officer']
    )
$$;

CREATE FUNCTION manages_customer(who text, customer text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM customers JOIN actors ON actors.subject = customers.account_manager
        WHERE customers.customer_id = customer AND actors.actor_digest = who
    )
$$;

CREATE FUNCTION manages_request(who text, request uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM overrides WHERE request_id = request AND state = 'requested'
            AND manages_customer(who, customer_id)
    )
$$;

CREATE FUNCTION has_two_keys(request uuid, of_version integer, customer text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    WITH counting AS (
        SELECT * FROM override_approvals
        WHERE request_id = request AND version = of_version AND voided_at IS NULL
    ), keys AS (
        SELECT * FROM counting WHERE decision = 'approve' AND may_turn_key(approver, department)
            AND NOT manages_customer(approver, customer)
            AND (on_behalf_of IS NULL OR (may_turn_key(on_behalf_of, department)
                AND NOT manages_customer(on_behalf_of, customer)))
    )
    SELECT NOT EXISTS (SELECT FROM counting WHERE decision = 'reject') AND EXISTS (
        SELECT FROM keys AS risk JOIN keys AS business
            ON NOT ARRAY[risk.approver, risk.on_behalf_of]
                && array_remove(ARRAY[business.approver, business.on_behalf_of], NULL)
        WHERE risk.department = 'risk' AND business.department = 'business'
    )
$$;

CREATE FUNCTION guard_actor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.issued_at < OLD.issued_at OR (NEW.actor_digest, NEW.issuer, NEW.subject)
            IS DISTINCT FROM (OLD.actor_digest, OLD.issuer, OLD.subject) THEN
        PERFORM refuse_by('ck_actors_newest', 'an older token says nothing about a newer one');
    END IF;
    IF NEW.issued_at = OLD.issued_at AND NOT NEW.roles @> OLD.roles THEN
        PERFORM refuse_by('ck_actors_newest', 'nobody loses a role without a newer token');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION guard_override_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.is_bulk, NEW.requested_by, NEW.requested_at, NEW.expires_at) IS DISTINCT FROM
            (OLD.id, OLD.is_bulk, OLD.requested_by, OLD.requested_at, OLD.expires_at) THEN
        PERFORM refuse_by('ck_override_requests_fixed', 'who asked, and when, stays');
    END IF;
    IF NEW.version <> OLD.version AND (NEW.version <> OLD.version + 1 OR NOT EXISTS (
            SELECT FROM overrides WHERE request_id = NEW.id AND state = 'requested')) THEN
        PERFORM refuse_by('ck_override_requests_next_version',
            'a request that waits goes from one version to the next');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION guard_override() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked override_requests%ROWTYPE;
    said override_versions%ROWTYPE;
BEGIN
    PERFORM require_newest();
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'requested' THEN
            PERFORM refuse_by('ck_overrides_begins_requested', 'an override begins as a request');
        END IF;
        SELECT * INTO asked FROM override_requests WHERE id = NEW.request_id FOR NO KEY UPDATE;
        IF NOT asked.is_bulk AND NEW.id <> NEW.request_id THEN
            PERFORM refuse_by('ck_overrides_single', 'the one override of a request has its id');
        END IF;
        IF EXISTS (SELECT FROM override_reads WHERE request_id = NEW.request_id) THEN
            PERFORM refuse_by('ck_overrides_before_reading', 'nobody is added to what was read');
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state NOT IN ('requested', 'active') THEN
        PERFORM refuse_by('ck_overrides_closed_for_good', 'what is closed is never opened');
    END IF;
    IF (NEW.id, NEW.request_id, NEW.customer_id) IS DISTINCT FROM
            (OLD.id, OLD.request_id, OLD.customer_id) THEN
        PERFORM refuse_by('ck_overrides_fixed', 'an override stays whose it is');
    END IF;
    IF OLD.state = 'active' AND
            (NEW.version, NEW.tier, NEW.mode, NEW.valid_from, NEW.valid_until, NEW.activated_at,
                NEW.evaluated_tier, NEW.decision_id) IS DISTINCT FROM
            (OLD.version, OLD.tier, OLD.mode, OLD.valid_from, OLD.valid_until, OLD.activated_at,
                OLD.evaluated_tier, OLD.decision_id) THEN
        PERFORM refuse_by('ck_overrides_fixed', 'what was approved stays as it was approved');
    END IF;
    IF NEW.version < OLD.version OR (NEW.version = OLD.version AND
            (NEW.tier, NEW.mode, NEW.valid_until, NEW.evaluated_tier, NEW.decision_id) IS DISTINCT FROM
            (OLD.tier, OLD.mode, OLD.valid_until, OLD.evaluated_tier, OLD.decision_id)) THEN
        PERFORM refuse_by('ck_overrides_fixed', 'what is asked for changes with the next version');
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF (OLD.state, NEW.state) NOT IN (('requested', 'active'), ('requested', 'rejected'),
            ('requested', 'withdrawn'), ('requested', 'expired'),
            ('active', 'ended'), ('active', 'revoked')) THEN
        PERFORM refuse_by('ck_overrides_transition', 'there is no such step');
    END IF;
    SELECT * INTO STRICT asked FROM override_requests WHERE id = NEW.request_id FOR NO KEY UPDATE;
    SELECT * INTO STRICT said FROM override_versions
        WHERE request_id = NEW.request_id AND version = NEW.version;
    IF NEW.state = 'active' THEN
        IF asked.version <> NEW.version OR (said.tier, said.mode, said.valid_until)
                IS DISTINCT FROM (NEW.tier, NEW.mode, NEW.valid_until) THEN
            PERFORM refuse_by('ck_overrides_as_approved', 'it serves as it was approved');
        END IF;
        IF NEW.activated_at IS NULL OR NEW.activated_at >= asked.expires_at THEN
            PERFORM refuse_by('ck_overrides_in_time', 'the request has expired');
        END IF;
        IF NOT has_two_keys(NEW.request_id, NEW.version, NEW.customer_id) THEN
            PERFORM refuse_by('ck_overrides_two_keys',
                'one officer of risk and one of business must have approved this version');
        END IF;
    ELSIF NEW.state = 'rejected' AND NOT EXISTS (
            SELECT FROM override_approvals WHERE request_id = NEW.request_id
                AND version = NEW.version AND decision = 'reject' AND approver = NEW.closed_by) THEN
        PERFORM refuse_by('ck_overrides_rejecter', 'nobody has rejected this version');
    ELSIF NEW.state = 'expired' AND NEW.closed_at < asked.expires_at
            AND NEW.closed_on < NEW.valid_until THEN
        PERFORM refuse_by('ck_overrides_expired_early', 'its time is not over');
    ELSIF NEW.state = 'withdrawn' AND NEW.closed_because <> 'merge'
            AND NEW.closed_by IS DISTINCT FROM asked.requested_by THEN
        PERFORM refuse_by('ck_overrides_withdrawer', 'who asked withdraws, and nobody else');
    ELSIF NEW.state = 'revoked' AND (NEW.closed_by = asked.requested_by
            OR NOT (may_turn_key(NEW.closed_by, 'risk')
                OR may_turn_key(NEW.closed_by, 'business'))) THEN
        PERFORM refuse_by('ck_overrides_revoker', 'an officer who did not ask for it revokes');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION guard_override_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked override_requests%ROWTYPE;
BEGIN
    PERFORM require_newest();
    SELECT * INTO asked FROM override_requests WHERE id = NEW.request_id FOR NO KEY UPDATE;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.voided_at IS NOT NULL OR NEW.voided_at IS NULL
                OR to_jsonb(NEW) - 'voided_at' <> to_jsonb(OLD) - 'voided_at' THEN
            PERFORM refuse_by('ck_override_approvals_fixed', 'what was decided stays');
        END IF;
        IF NEW.decision = 'reject' OR NOT EXISTS (
                SELECT FROM overrides WHERE request_id = NEW.request_id AND state = 'requested')
                OR (may_turn_key(NEW.approver, NEW.department)
                    AND NOT manages_request(NEW.approver, NEW.request_id)
                    AND (NEW.on_behalf_of IS NULL OR (may_turn_key(NEW.on_behalf_of, NEW.department)
                        AND NOT manages_request(NEW.on_behalf_of, NEW.request_id)))) THEN
            PERFORM refuse_by('ck_override_approvals_void',
                'what was approved is void while it waits, if who approved may not any more');
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.voided_at IS NOT NULL THEN
        PERFORM refuse_by('ck_override_approvals_fixed', 'nobody decides what is void');
    END IF;
    IF asked.version <> NEW.version THEN
        PERFORM refuse_by('ck_override_approvals_current_version', 'there is a newer version');
    END IF;
    IF NEW.decided_at >= asked.expires_at OR NOT EXISTS (
            SELECT FROM overrides WHERE request_id = NEW.request_id AND state = 'requested') THEN
        PERFORM refuse_by('ck_override_approvals_waiting', 'the request waits no more');
    END IF;
    IF EXISTS (SELECT FROM actors WHERE actor_digest = NEW.approver
            AND roles @> ARRAY['risk_officer', 'business_officer']) THEN
        PERFORM refuse_by('ck_override_approvals_two_roles', 'who has both roles counts for none');
    END IF;
    IF NOT may_turn_key(NEW.approver, NEW.department) THEN
        PERFORM refuse_by('ck_override_approvals_role', 'he is no officer of the department');
    END IF;
    IF manages_request(NEW.approver, NEW.request_id)
            OR manages_request(NEW.on_behalf_of, NEW.request_id) THEN
        PERFORM refuse_by('ck_override_approvals_account_manager',
            'the account manager does not decide about his customer');
    END IF;
    IF NEW.on_behalf_of IS NOT NULL AND NOT may_turn_key(NEW.on_behalf_of, NEW.department) THEN
        PERFORM refuse_by('ck_override_approvals_delegator', 'who is away is no officer any more');
    END IF;
    IF NEW.delegation_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM override_delegations WHERE id = NEW.delegation_id AND ended_at IS NULL
                AND (NEW.decided_at AT TIME ZONE 'UTC')::date BETWEEN valid_from - 1 AND valid_to) THEN
        PERFORM refuse_by('ck_override_approvals_delegation_runs', 'the delegation does not run');
    END IF;
    IF EXISTS (SELECT FROM override_delegations WHERE delegator = NEW.approver AND ended_at IS NULL
            AND (NEW.decided_at AT TIME ZONE 'UTC')::date BETWEEN valid_from + 1 AND valid_to - 2) THEN
        PERFORM refuse_by('ck_override_approvals_away', 'who is away takes his delegation back first');
    END IF;
    IF EXISTS (SELECT FROM override_approvals WHERE request_id = NEW.request_id
            AND version = NEW.version AND voided_at IS NULL
            AND (approver IN (NEW.approver, NEW.on_behalf_of)
                OR on_behalf_of IN (NEW.approver, NEW.on_behalf_of))) THEN
        PERFORM refuse_by('ck_override_approvals_different_people',
            'nobody acts twice in one request');
    END IF;
    RETURN NEW;
END $$;

-- What is read is fixed: a reader and whoever adds to a version wait for each other.
CREATE FUNCTION guard_override_read() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM override_requests WHERE id = NEW.request_id FOR SHARE;
    RETURN NEW;
END $$;

CREATE FUNCTION guard_override_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM require_newest();
    PERFORM FROM override_requests WHERE id = NEW.request_id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM override_reads
            WHERE request_id = NEW.request_id AND version = NEW.version) THEN
        PERFORM refuse_by('ck_override_evidence_before_reading', 'nothing is added to what was read');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION guard_override_delegation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM require_newest();
    IF TG_OP = 'UPDATE' THEN
        IF OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL
                OR to_jsonb(NEW) - 'ended_at' <> to_jsonb(OLD) - 'ended_at' THEN
            PERFORM refuse_by('ck_override_delegations_fixed', 'a delegation is only taken back');
        END IF;
        RETURN NEW;
    END IF;
    PERFORM FROM actors WHERE actor_digest IN (NEW.delegator, NEW.delegate)
        ORDER BY actor_digest FOR NO KEY UPDATE;
    IF NOT may_turn_key(NEW.delegator, NEW.department)
            OR NOT may_turn_key(NEW.delegate, NEW.department) THEN
        PERFORM refuse_by('ck_override_delegations_officers',
            'both are officers of the department, and of no other');
    END IF;
    IF EXISTS (SELECT FROM override_delegations WHERE delegator = NEW.delegate AND ended_at IS NULL
            AND valid_from < NEW.valid_to AND valid_to > NEW.valid_from) THEN
        PERFORM refuse_by('ck_override_delegations_chain', 'who is away acts for nobody');
    END IF;
    RETURN NEW;
END $$;

-- The day of the database, in a zone that no session chooses.
CREATE FUNCTION database_day() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (now() AT TIME ZONE 'UTC')::date
$$;

CREATE FUNCTION guard_evidence_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.retained_until < OLD.retained_until THEN
        PERFORM refuse_by('ck_evidence_files_retention', 'retention is never shortened');
    END IF;
    IF OLD.wrapped_key IS NOT NULL AND NEW.wrapped_key IS NULL
            AND OLD.retained_until > database_day() THEN
        PERFORM refuse_by('ck_evidence_files_retention', 'evidence is kept for its retention');
    END IF;
    IF (NEW.id, NEW.sha256, NEW.media_type, NEW.size_bytes) IS DISTINCT FROM
            (OLD.id, OLD.sha256, OLD.media_type, OLD.size_bytes) THEN
        PERFORM refuse_by('ck_evidence_files_fixed', 'evidence stays what it is');
    END IF;
    -- Another key in its place would be the end of the content too.
    IF NEW.wrapped_key IS NOT NULL AND OLD.wrapped_key IS NOT NULL
            AND (NEW.key_id, NEW.wrapped_key) IS DISTINCT FROM (OLD.key_id, OLD.wrapped_key) THEN
        PERFORM refuse_by('ck_evidence_files_fixed', 'the key stays as long as the content');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION guard_evidence_chunk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM evidence_files
            WHERE id = OLD.evidence_id AND retained_until > database_day()) THEN
        PERFORM refuse_by('ck_evidence_files_retention', 'evidence is kept for its retention');
    END IF;
    RETURN OLD;
END $$;

CREATE FUNCTION guard_overriding_assignment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM overrides WHERE id = NEW.override_id AND state = 'active'
            AND customer_id = NEW.customer_id) THEN
        PERFORM refuse_by('ck_tier_assignments_override_active',
            'only an active override of the customer replaces his tier');
    END IF;
    RETURN NEW;
END $$;
"""

#: Else a session would put a temporary table of its own before one that a guard asks.
FIX_SEARCH_PATH = """
DO $$
DECLARE
    guard regprocedure;
BEGIN
    FOR guard IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
        AND (proname LIKE 'guard\\_%' OR proname IN ('refuse_by', 'require_newest', 'officer_of',
            'may_turn_key', 'manages_customer', 'manages_request', 'has_two_keys', 'database_day'))
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp',
            guard, current_schema());
    END LOOP;
END $$
"""

#: Table, when, and the function that guards it.
GUARDS = (
    ("actors", "BEFORE UPDATE", "guard_actor"),
    ("override_requests", "BEFORE UPDATE", "guard_override_request"),
    ("overrides", "BEFORE INSERT OR UPDATE", "guard_override"),
    ("override_reads", "BEFORE INSERT", "guard_override_read"),
    ("override_evidence", "BEFORE INSERT", "guard_override_evidence"),
    ("override_approvals", "BEFORE INSERT OR UPDATE", "guard_override_approval"),
    ("override_delegations", "BEFORE INSERT OR UPDATE", "guard_override_delegation"),
    ("evidence_files", "BEFORE UPDATE", "guard_evidence_file"),
    ("evidence_chunks", "BEFORE DELETE", "guard_evidence_chunk"),
)
#: Nothing of these is ever changed or deleted, nothing of those ever deleted.
APPEND_ONLY = ("override_versions", "override_reads", "override_evidence")
NEVER_DELETED = (
    "actors",
    "override_requests",
    "overrides",
    "override_approvals",
    "override_delegations",
    "evidence_files",
)

#: What keeps evidence for its retention.
ALWAYS = (
    ("evidence_files", "guarded"),
    ("evidence_files", "never_deleted"),
    ("evidence_files", "never_truncated"),
    ("evidence_chunks", "guarded"),
    ("evidence_chunks", "never_changed"),
    ("evidence_chunks", "never_truncated"),
)


def upgrade() -> None:
    op.create_table(
        "actors",
        sa.Column(
            "actor_digest",
            sa.Text(),
            nullable=False,
            comment="HMAC of issuer and subject, as in the audit.",
        ),
        sa.Column("issuer", sa.Text(), nullable=False, comment="Who vouches for him."),
        sa.Column("subject", sa.Text(), nullable=False, comment="His id there."),
        sa.Column(
            "roles",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Roles of his newest token.",
        ),
        sa.Column(
            "issued_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When that token was issued; never goes back.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.PrimaryKeyConstraint("actor_digest", name=op.f("pk_actors")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_actors_issuer_subject")),
        comment="People of the staff, with the roles of their newest verified token.",
    )
    op.create_table(
        "evidence_files",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column("sha256", sa.Text(), nullable=False, comment="SHA-256 of the content."),
        sa.Column("media_type", sa.Text(), nullable=False, comment="What its bytes say it is."),
        sa.Column("size_bytes", sa.Integer(), nullable=False, comment="Size of the content."),
        sa.Column(
            "key_id", sa.Text(), nullable=False, comment="Id of the master key that wraps the key."
        ),
        sa.Column(
            "wrapped_key",
            sa.LargeBinary(),
            nullable=True,
            comment="The file's own key, wrapped; null once the content was removed.",
        ),
        sa.Column(
            "retained_until",
            sa.Date(),
            nullable=False,
            comment="First day it may be removed; only ever later.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "media_type IN ('application/pdf', 'image/png', 'image/jpeg', 'text/plain')",
            name=op.f("ck_evidence_files_media_type"),
        ),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_evidence_files_sha256")),
        sa.CheckConstraint(
            "size_bytes BETWEEN 1 AND 10485760", name=op.f("ck_evidence_files_size_bytes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_files")),
        sa.UniqueConstraint("sha256", name=op.f("uq_evidence_files_sha256")),
        comment="Files of evidence by content; after its retention only the digest of one is left.",
    )
    op.create_table(
        "outbox_events",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="What happened, such as override-requested."
        ),
        sa.Column(
            "customer_ids",
            postgresql.ARRAY(sa.Text(collation="C")),
            nullable=False,
            comment="To whom.",
        ),
        sa.Column(
            "payload",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Ids and words of the step.",
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False, comment="When."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_events")),
        comment="What happened, for whoever wants to know; ids may commit out of order.",
    )
    op.create_index(
        "ix_outbox_events_customers",
        "outbox_events",
        ["customer_ids"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_table(
        "evidence_chunks",
        sa.Column("evidence_id", sa.Uuid(), nullable=False, comment="The file."),
        sa.Column(
            "chunk_no",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Position of the part.",
        ),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="The part, sealed."),
        sa.CheckConstraint("chunk_no >= 0", name=op.f("ck_evidence_chunks_chunk_no")),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence_files.id"], name=op.f("fk_evidence_chunks_evidence_id")
        ),
        sa.PrimaryKeyConstraint("evidence_id", "chunk_no", name=op.f("pk_evidence_chunks")),
        comment="Parts of evidence, sealed with AES-256-GCM under the file's own key.",
    )
    op.create_table(
        "override_delegations",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column("delegator", sa.Text(), nullable=False, comment="Who is away."),
        sa.Column("delegate", sa.Text(), nullable=False, comment="Who acts for him."),
        sa.Column("department", sa.Text(), nullable=False, comment="Of both."),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First business day away."),
        sa.Column("valid_to", sa.Date(), nullable=False, comment="First business day back."),
        sa.Column(
            "ended_at", sa.DateTime(timezone=True), nullable=True, comment="When it was taken back."
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        postgresql.ExcludeConstraint(
            (sa.text("delegator"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            where=sa.text("ended_at IS NULL"),
            using="gist",
            name="ex_override_delegations_one_at_a_time",
        ),
        sa.CheckConstraint(
            "department IN ('risk', 'business')", name=op.f("ck_override_delegations_department")
        ),
        sa.CheckConstraint(
            "delegate <> delegator", name=op.f("ck_override_delegations_delegate_is_delegator")
        ),
        sa.CheckConstraint(
            "valid_to > valid_from AND valid_to <= valid_from + 92",
            name=op.f("ck_override_delegations_validity"),
        ),
        sa.ForeignKeyConstraint(
            ["delegate"], ["actors.actor_digest"], name=op.f("fk_override_delegations_delegate")
        ),
        sa.ForeignKeyConstraint(
            ["delegator"], ["actors.actor_digest"], name=op.f("fk_override_delegations_delegator")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override_delegations")),
        sa.UniqueConstraint(
            "id",
            "delegator",
            "delegate",
            "department",
            name=op.f("uq_override_delegations_id_delegator_delegate_department"),
        ),
        comment="Delegations for absence; one runs per absent officer.",
    )
    op.create_table(
        "override_requests",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column(
            "is_bulk",
            sa.Boolean(),
            nullable=False,
            comment="Whether it is for many customers; otherwise its one override has its id.",
        ),
        sa.Column("version", sa.Integer(), nullable=False, comment="Version that is decided on."),
        sa.Column("requested_by", sa.Text(), nullable=False, comment="Who asks."),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When he asked first.",
        ),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When nobody can decide on it any more.",
        ),
        sa.Column(
            "reminded_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When its officers were reminded.",
        ),
        sa.Column(
            "key_id", sa.Text(), nullable=False, comment="Id of the master key that wraps the key."
        ),
        sa.Column(
            "wrapped_key",
            sa.LargeBinary(),
            nullable=False,
            comment="The request's own key, wrapped; it seals what people wrote.",
        ),
        sa.CheckConstraint(
            "expires_at > requested_at AND expires_at <= requested_at + interval '72:00:00'",
            name=op.f("ck_override_requests_expiry"),
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_override_requests_version")),
        sa.ForeignKeyConstraint(
            ["requested_by"],
            ["actors.actor_digest"],
            name=op.f("fk_override_requests_requested_by"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override_requests")),
        sa.UniqueConstraint(
            "id", "requested_by", name=op.f("uq_override_requests_id_requested_by")
        ),
        comment="Requests for overrides; decided on as one, whatever the number of customers.",
    )
    op.create_table(
        "override_versions",
        sa.Column("request_id", sa.Uuid(), nullable=False, comment="Of which request."),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False, comment="From 1."),
        sa.Column("tier", sa.Text(), nullable=False, comment="Tier asked for."),
        sa.Column("mode", sa.Text(), nullable=False, comment="pin, floor or ceiling."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Reason code."),
        sa.Column(
            "valid_until",
            sa.Date(),
            nullable=False,
            comment="First business day it no longer serves.",
        ),
        sa.Column("written_on", sa.Date(), nullable=False, comment="Business day of the version."),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False, comment="When."),
        sa.Column(
            "statement_cipher", sa.LargeBinary(), nullable=False, comment="Why, in words, sealed."
        ),
        sa.Column(
            "statement_characters", sa.Integer(), nullable=False, comment="Length of the statement."
        ),
        sa.Column(
            "salt",
            sa.LargeBinary(),
            nullable=False,
            comment="Random bytes in the digest, so that it tells nothing of the statement.",
        ),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the whole content."),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_override_versions_digest")),
        sa.CheckConstraint(
            "mode IN ('pin', 'floor', 'ceiling')", name=op.f("ck_override_versions_mode")
        ),
        sa.CheckConstraint(
            "reason IN ('merger', 'litigation', 'key_relationship', 'objection', 'complaint', 'hardship', 'regulatory', 'data_correction')",
            name=op.f("ck_override_versions_reason"),
        ),
        sa.CheckConstraint(
            "tier IN ('diamond', 'gold', 'standard')", name=op.f("ck_override_versions_tier")
        ),
        sa.CheckConstraint(
            "statement_characters >= 20", name=op.f("ck_override_versions_statement")
        ),
        sa.CheckConstraint(
            "valid_until > written_on AND valid_until <= written_on + 366",
            name=op.f("ck_override_versions_validity"),
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_override_versions_version")),
        sa.CheckConstraint(
            "abs(written_on - (written_at AT TIME ZONE 'UTC')::date) <= 1",
            name=op.f("ck_override_versions_written_on"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["override_requests.id"], name=op.f("fk_override_versions_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", "version", name=op.f("pk_override_versions")),
        sa.UniqueConstraint(
            "request_id",
            "version",
            "digest",
            name=op.f("uq_override_versions_request_id_version_digest"),
        ),
        comment="Versions of requests for overrides; append-only.",
    )
    op.create_table(
        "override_evidence",
        sa.Column("request_id", sa.Uuid(), nullable=False, comment="Of which request."),
        sa.Column(
            "version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Of which version.",
        ),
        sa.Column("evidence_id", sa.Uuid(), nullable=False, comment="The file."),
        sa.Column(
            "file_name_cipher",
            sa.LargeBinary(),
            nullable=False,
            comment="What the file was called, sealed under the request's key.",
        ),
        sa.Column(
            "added_at", sa.DateTime(timezone=True), nullable=False, comment="When it was uploaded."
        ),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["evidence_files.id"], name=op.f("fk_override_evidence_evidence_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_id", "version"],
            ["override_versions.request_id", "override_versions.version"],
            name="fk_override_evidence_version",
        ),
        sa.PrimaryKeyConstraint(
            "request_id", "version", "evidence_id", name=op.f("pk_override_evidence")
        ),
        comment="Which version of a request rests on which evidence; append-only.",
    )
    op.create_table(
        "override_reads",
        sa.Column("request_id", sa.Uuid(), nullable=False, comment="Of which request."),
        sa.Column(
            "version",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Version that was shown.",
        ),
        sa.Column("reader", sa.Text(), nullable=False, comment="Who read it."),
        sa.Column("digest", sa.Text(), nullable=False, comment="Digest of what was shown."),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False, comment="When first."),
        sa.ForeignKeyConstraint(
            ["reader"], ["actors.actor_digest"], name=op.f("fk_override_reads_reader")
        ),
        sa.ForeignKeyConstraint(
            ["request_id", "version", "digest"],
            [
                "override_versions.request_id",
                "override_versions.version",
                "override_versions.digest",
            ],
            name="fk_override_reads_version",
        ),
        sa.PrimaryKeyConstraint("request_id", "version", "reader", name=op.f("pk_override_reads")),
        sa.UniqueConstraint(
            "request_id",
            "version",
            "reader",
            "digest",
            name=op.f("uq_override_reads_request_id_version_reader_digest"),
        ),
        comment="Who was shown which version of a request; append-only.",
    )
    op.create_table(
        "overrides",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column(
            "request_id", sa.Uuid(), nullable=False, comment="The request it is decided on by."
        ),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="Whose tier."),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="Version of the request it says."
        ),
        sa.Column("tier", sa.Text(), nullable=False, comment="Tier asked for."),
        sa.Column("mode", sa.Text(), nullable=False, comment="pin, floor or ceiling."),
        sa.Column(
            "valid_until",
            sa.Date(),
            nullable=False,
            comment="First business day it no longer serves.",
        ),
        sa.Column(
            "evaluated_tier",
            sa.Text(),
            nullable=False,
            comment="Tier the rules gave when the version was written.",
        ),
        sa.Column("decision_id", sa.Uuid(), nullable=False, comment="The decision that said so."),
        sa.Column("state", sa.Text(), nullable=False, comment="Where it stands."),
        sa.Column("valid_from", sa.Date(), nullable=True, comment="First business day it served."),
        sa.Column(
            "activated_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When both keys had turned.",
        ),
        sa.Column(
            "closed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was decided against, or ended.",
        ),
        sa.Column("closed_on", sa.Date(), nullable=True, comment="Business day of that."),
        sa.Column("closed_because", sa.Text(), nullable=True, comment="What closed it."),
        sa.Column(
            "closed_by",
            sa.Text(),
            nullable=True,
            comment="Who closed it; null where the clock or a merge did.",
        ),
        sa.Column(
            "closing_statement_cipher",
            sa.LargeBinary(),
            nullable=True,
            comment="Why it was revoked, sealed.",
        ),
        sa.Column(
            "reminded_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When its near end was announced.",
        ),
        sa.CheckConstraint(
            "(state IN ('active', 'ended', 'revoked')) = (valid_from IS NOT NULL)"
            " AND (valid_from IS NULL) = (activated_at IS NULL)",
            name=op.f("ck_overrides_served"),
        ),
        sa.CheckConstraint(
            "(state IN ('requested', 'active')) = (closed_at IS NULL) AND (closed_at IS NULL) = (closed_on IS NULL) AND (closed_at IS NULL) = (closed_because IS NULL)",
            name=op.f("ck_overrides_closed"),
        ),
        sa.CheckConstraint(
            "closed_because IN ('rejected', 'withdrawn', 'expired', 'validity', 'revoked', 'superseded', 'merge')",
            name=op.f("ck_overrides_closed_because"),
        ),
        sa.CheckConstraint(
            "closed_because IS NULL OR closed_because = state"
            " OR (state = 'withdrawn' AND closed_because = 'merge')"
            " OR (state = 'ended' AND closed_because IN ('validity', 'superseded', 'merge'))",
            name=op.f("ck_overrides_cause"),
        ),
        sa.CheckConstraint(
            "closed_because <> 'validity' OR closed_on >= valid_until",
            name=op.f("ck_overrides_ended_early"),
        ),
        sa.CheckConstraint(
            "evaluated_tier IN ('diamond', 'gold', 'standard')",
            name=op.f("ck_overrides_evaluated_tier"),
        ),
        sa.CheckConstraint("mode IN ('pin', 'floor', 'ceiling')", name=op.f("ck_overrides_mode")),
        sa.CheckConstraint(
            "state IN ('requested', 'active', 'rejected', 'withdrawn', 'expired', 'ended', 'revoked')",
            name=op.f("ck_overrides_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('revoked', 'rejected') OR closed_by IS NOT NULL",
            name=op.f("ck_overrides_closer"),
        ),
        sa.CheckConstraint(
            "tier IN ('diamond', 'gold', 'standard')", name=op.f("ck_overrides_tier")
        ),
        sa.CheckConstraint("valid_from < valid_until", name=op.f("ck_overrides_validity")),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["actors.actor_digest"], name=op.f("fk_overrides_closed_by")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name=op.f("fk_overrides_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name=op.f("fk_overrides_decision_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_id", "version"],
            ["override_versions.request_id", "override_versions.version"],
            name="fk_overrides_version",
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["override_requests.id"], name=op.f("fk_overrides_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overrides")),
        sa.UniqueConstraint(
            "request_id", "customer_id", name=op.f("uq_overrides_request_id_customer_id")
        ),
        comment="Overrides by customer; one waits and one serves at most.",
    )
    op.create_index("ix_overrides_customer", "overrides", ["customer_id"], unique=False)
    op.create_index("ix_overrides_state", "overrides", ["state", "valid_until"], unique=False)
    op.create_index(
        "uq_overrides_active",
        "overrides",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "uq_overrides_pending",
        "overrides",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )
    op.create_table(
        "override_approvals",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column("request_id", sa.Uuid(), nullable=False, comment="Of which request."),
        sa.Column("version", sa.Integer(), nullable=False, comment="Version decided on."),
        sa.Column("digest", sa.Text(), nullable=False, comment="Digest of that version."),
        sa.Column(
            "requested_by", sa.Text(), nullable=False, comment="Who asks, who cannot decide."
        ),
        sa.Column("approver", sa.Text(), nullable=False, comment="Who decided."),
        sa.Column("department", sa.Text(), nullable=False, comment="For which department."),
        sa.Column(
            "delegation_id",
            sa.Uuid(),
            nullable=True,
            comment="The delegation he acted by, if he did.",
        ),
        sa.Column(
            "on_behalf_of", sa.Text(), nullable=True, comment="The absent officer whose key it is."
        ),
        sa.Column("decision", sa.Text(), nullable=False, comment="approve or reject."),
        sa.Column(
            "statement_cipher", sa.LargeBinary(), nullable=False, comment="Why, in words, sealed."
        ),
        sa.Column(
            "statement_characters", sa.Integer(), nullable=False, comment="Length of the statement."
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False, comment="When."),
        sa.Column(
            "voided_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was found that the approver may not decide any more.",
        ),
        sa.CheckConstraint(
            "decision IN ('approve', 'reject')", name=op.f("ck_override_approvals_decision")
        ),
        sa.CheckConstraint(
            "department IN ('risk', 'business')", name=op.f("ck_override_approvals_department")
        ),
        sa.CheckConstraint(
            "(delegation_id IS NULL) = (on_behalf_of IS NULL)",
            name=op.f("ck_override_approvals_delegation_pair"),
        ),
        sa.CheckConstraint(
            "approver <> requested_by", name=op.f("ck_override_approvals_approver_is_requester")
        ),
        sa.CheckConstraint(
            "on_behalf_of <> approver AND on_behalf_of <> requested_by",
            name=op.f("ck_override_approvals_on_behalf_of"),
        ),
        sa.CheckConstraint(
            "statement_characters >= 20", name=op.f("ck_override_approvals_statement")
        ),
        sa.ForeignKeyConstraint(
            ["approver"], ["actors.actor_digest"], name=op.f("fk_override_approvals_approver")
        ),
        sa.ForeignKeyConstraint(
            ["delegation_id", "on_behalf_of", "approver", "department"],
            [
                "override_delegations.id",
                "override_delegations.delegator",
                "override_delegations.delegate",
                "override_delegations.department",
            ],
            name="fk_override_approvals_delegation",
        ),
        sa.ForeignKeyConstraint(
            ["request_id", "requested_by"],
            ["override_requests.id", "override_requests.requested_by"],
            name="fk_override_approvals_requester",
        ),
        sa.ForeignKeyConstraint(
            ["request_id", "version", "approver", "digest"],
            [
                "override_reads.request_id",
                "override_reads.version",
                "override_reads.reader",
                "override_reads.digest",
            ],
            name="fk_override_approvals_read",
        ),
        sa.ForeignKeyConstraint(
            ["request_id", "version", "digest"],
            [
                "override_versions.request_id",
                "override_versions.version",
                "override_versions.digest",
            ],
            name="fk_override_approvals_version",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override_approvals")),
        comment="Approvals and rejections; append-only but for their becoming void.",
    )
    op.create_index(
        "uq_override_approvals_department",
        "override_approvals",
        ["request_id", "version", "department"],
        unique=True,
        postgresql_where=sa.text("voided_at IS NULL"),
    )
    op.create_index(
        "uq_override_approvals_person",
        "override_approvals",
        ["request_id", "version", "approver"],
        unique=True,
        postgresql_where=sa.text("voided_at IS NULL"),
    )
    op.add_column(
        "decisions",
        sa.Column(
            "override_id",
            sa.Uuid(),
            nullable=True,
            comment="Override that the tier served took into account, if any.",
        ),
    )
    op.alter_column(
        "decisions",
        "tier_applied",
        existing_type=sa.TEXT(),
        comment="Tier served, after stability and override.",
        existing_comment="Tier served, after stability.",
        existing_nullable=False,
    )
    op.add_column(
        "scoring_states",
        sa.Column(
            "returned_on",
            sa.Date(),
            nullable=True,
            comment="Business day the tier held began to serve again after an override.",
        ),
    )
    op.alter_column(
        "scoring_states",
        "tier",
        existing_type=sa.TEXT(),
        comment="Tier held by evaluation; an override may serve another.",
        existing_comment="Tier held.",
        existing_nullable=False,
    )
    op.add_column(
        "tier_assignments",
        sa.Column(
            "override_id",
            sa.Uuid(),
            nullable=True,
            comment="Override that replaced the evaluated tier; null where none did.",
        ),
    )
    op.create_check_constraint(
        op.f("ck_tier_assignments_override"),
        "tier_assignments",
        "(source = 'override') = (override_id IS NOT NULL)",
    )
    op.create_foreign_key(
        op.f("fk_tier_assignments_override_id"),
        "tier_assignments",
        "overrides",
        ["override_id"],
        ["id"],
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
        "CREATE TRIGGER guarded_override BEFORE INSERT OR UPDATE OF override_id, source"
        " ON tier_assignments FOR EACH ROW"
        " WHEN (NEW.override_id IS NOT NULL) EXECUTE FUNCTION guard_overriding_assignment()"
    )
    op.execute(
        "CREATE TRIGGER never_changed BEFORE UPDATE ON evidence_chunks"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for table in NEVER_DELETED:
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for table in (*APPEND_ONLY, *NEVER_DELETED, "evidence_chunks"):
        op.execute(
            f"CREATE TRIGGER never_truncated BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    # Also where a session calls itself a replica, which switches ordinary triggers off.
    for table, trigger in ALWAYS:
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def downgrade() -> None:
    op.execute("DROP TRIGGER guarded_override ON tier_assignments")
    op.drop_constraint(op.f("ck_tier_assignments_override"), "tier_assignments", type_="check")
    op.drop_constraint(
        op.f("fk_tier_assignments_override_id"), "tier_assignments", type_="foreignkey"
    )
    op.drop_column("tier_assignments", "override_id")
    op.alter_column(
        "scoring_states",
        "tier",
        existing_type=sa.TEXT(),
        comment="Tier held.",
        existing_comment="Tier held by evaluation; an override may serve another.",
        existing_nullable=False,
    )
    op.drop_column("scoring_states", "returned_on")
    op.alter_column(
        "decisions",
        "tier_applied",
        existing_type=sa.TEXT(),
        comment="Tier served, after stability.",
        existing_comment="Tier served, after stability and override.",
        existing_nullable=False,
    )
    op.drop_column("decisions", "override_id")
    op.drop_index(
        "uq_override_approvals_person",
        table_name="override_approvals",
        postgresql_where=sa.text("voided_at IS NULL"),
    )
    op.drop_index(
        "uq_override_approvals_department",
        table_name="override_approvals",
        postgresql_where=sa.text("voided_at IS NULL"),
    )
    op.drop_table("override_approvals")
    op.drop_index(
        "uq_overrides_pending",
        table_name="overrides",
        postgresql_where=sa.text("state = 'requested'"),
    )
    op.drop_index(
        "uq_overrides_active", table_name="overrides", postgresql_where=sa.text("state = 'active'")
    )
    op.drop_index("ix_overrides_state", table_name="overrides")
    op.drop_index("ix_overrides_customer", table_name="overrides")
    op.drop_table("overrides")
    op.drop_table("override_reads")
    op.drop_table("override_evidence")
    op.drop_table("override_versions")
    op.drop_table("override_requests")
    op.drop_table("override_delegations")
    op.drop_table("evidence_chunks")
    op.drop_index("ix_outbox_events_customers", table_name="outbox_events", postgresql_using="gin")
    op.drop_table("outbox_events")
    op.drop_table("evidence_files")
    op.drop_table("actors")
    for function in (
        "guard_overriding_assignment()",
        *(f"{function}()" for _, _, function in GUARDS),
        "has_two_keys(uuid, integer, text)",
        "manages_request(text, uuid)",
        "manages_customer(text, text)",
        "may_turn_key(text, text)",
        "officer_of(text)",
        "require_newest()",
        "database_day()",
        "refuse_by(text, text)",
    ):
        op.execute(f"DROP FUNCTION {function}")
