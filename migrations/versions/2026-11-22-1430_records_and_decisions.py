"""Records, decisions, rule sets, audit, and the views the facts are computed from.

Revision: 3daedd1522b9
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "3daedd1522b9"
down_revision = None
branch_labels = None
depends_on = None

#: What the facts may read, with money as integer minor units. DuckDB holds tables of the same names.
BOOK_VIEWS = {
    "customers": "SELECT customer_id, kind, credit_code IS NOT NULL AS has_credit_code"
    " FROM customers WHERE NOT EXISTS"
    " (SELECT FROM customer_aliases WHERE alias_id = customers.customer_id)",
    "scoring_inputs": "SELECT customer_id, valid_from, valid_to, birth_month, occupation_risk, smoker,"
    " heavy_drinker, health_grade, health_habit_score, driving_score, fraud_suspicion,"
    " opinion_leader, income_band, asset_band, credit_score, career_stage, family_stage"
    " FROM scoring_inputs",
    "policies": "SELECT policy_no, customer_id, product_line, product, issued_on,"
    " cooling_off_until, (object_coefficient * 100)::integer AS object_coefficient FROM policies",
    "policy_terms": "SELECT policy_no, customer_id, term_start, term_end, premium_kind,"
    " (premium * 100)::bigint AS premium, started_as, ended_on, ended_how, voluntary, due_on,"
    " paid_on FROM policy_terms",
    "claims": "SELECT customer_id, policy_no, occurred_on, reported_on, claim_count,"
    " (claimed * 100)::bigint AS claimed, (paid * 100)::bigint AS paid, paid_on, closed_on"
    " FROM claims",
    "service_uses": "SELECT customer_id, service_code, used_on FROM service_uses",
    "product_services": "SELECT product, service_code FROM product_services",
    "referrals": "SELECT customer_id, succeeded_on, (annual_premium * 100)::bigint"
    " AS annual_premium FROM referrals",
    "interactions": "SELECT customer_id, occurred_on, channel, kind, initiated_by"
    " FROM interactions",
    "surveys": "SELECT customer_id, answered_on, nps FROM surveys",
    "external_checks": "SELECT customer_id, checked_on, kind, matches FROM external_checks",
    "consents": "SELECT customer_id, purpose, given_on, withdrawn_on FROM consents",
    "market_benchmarks": "SELECT product_line, customer_kind, valid_from,"
    " (average_premium * 100)::bigint AS average_premium, benchmark_version"
    " FROM market_benchmarks",
    "model_scores": "SELECT customer_id, valid_from, uplift_3y, (clv * 100)::bigint AS clv,"
    " behaviour_cluster FROM model_scores",
    # The days from which a source counts as loaded; a payment is loaded with its term, so that a
    # later term cannot make it so.
    "source_days": "SELECT 'policy_terms' AS source, term_start AS day FROM policy_terms"
    " UNION ALL SELECT 'payments', greatest(term_start, due_on) FROM policy_terms"
    " WHERE due_on IS NOT NULL"
    " UNION ALL SELECT 'claims', reported_on FROM claims"
    " UNION ALL SELECT 'service_uses', used_on FROM service_uses"
    " UNION ALL SELECT 'product_services', DATE '0001-01-01' FROM product_services"
    " UNION ALL SELECT 'referrals', succeeded_on FROM referrals"
    " UNION ALL SELECT 'interactions', occurred_on FROM interactions",
}

APPEND_ONLY = ("decisions", "audit_events", "rule_set_versions")

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    """Create every table, the `book` views and the append-only guards."""
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column(
            "writer", sa.Text(), nullable=False, comment="The writing process, new at each start."
        ),
        sa.Column(
            "seq", sa.BigInteger(), nullable=False, comment="Position in that writer's stream."
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When."),
        sa.Column("actor_digest", sa.Text(), nullable=False, comment="HMAC of issuer and subject."),
        sa.Column("role", sa.Text(), nullable=False, comment="Active role."),
        sa.Column("purpose", sa.Text(), nullable=True, comment="Stated purpose."),
        sa.Column("route", sa.Text(), nullable=False, comment="Method and route template."),
        sa.Column(
            "subjects", postgresql.ARRAY(sa.Text()), nullable=False, comment="Customers concerned."
        ),
        sa.Column(
            "subject_count",
            sa.BigInteger(),
            nullable=True,
            comment="Customers that a file tells about.",
        ),
        sa.Column(
            "policy_version", sa.Text(), nullable=False, comment="Version of the masking matrix."
        ),
        sa.Column(
            "record_version", sa.Text(), nullable=True, comment="Version of the record shown."
        ),
        sa.Column(
            "dispositions",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Disposition by field.",
        ),
        sa.Column(
            "body_hmac", sa.LargeBinary(), nullable=True, comment="HMAC of the body that was sent."
        ),
        sa.Column("status", sa.SmallInteger(), nullable=False, comment="HTTP status."),
        sa.Column("outcome", sa.Text(), nullable=False, comment="answered, denied or changed."),
        sa.CheckConstraint(
            "outcome IN ('answered', 'denied', 'changed')", name=op.f("ck_audit_events_outcome")
        ),
        sa.CheckConstraint("status BETWEEN 100 AND 599", name=op.f("ck_audit_events_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("writer", "seq", name=op.f("uq_audit_events_writer_seq")),
        comment="Append-only audit of customer-data answers, numbered per writer.",
    )
    op.create_table(
        "benefits",
        sa.Column("code", sa.Text(), nullable=False, comment="Code."),
        sa.Column("position", sa.Integer(), nullable=False, comment="Order of display."),
        sa.Column("kind", sa.Text(), nullable=False, comment="Kind."),
        sa.Column("legal_class", sa.Text(), nullable=False, comment="service or monetary."),
        sa.Column("name_en", sa.Text(), nullable=False, comment="Name in English."),
        sa.Column("name_zh", sa.Text(), nullable=False, comment="Name in Chinese."),
        sa.Column("text_en", sa.Text(), nullable=False, comment="Text in English."),
        sa.Column("text_zh", sa.Text(), nullable=False, comment="Text in Chinese."),
        sa.Column("is_enabled", sa.Boolean(), nullable=False, comment="Offered to customers."),
        sa.Column(
            "filing_ref",
            sa.Text(),
            nullable=True,
            comment="Regulatory filing a price or cover benefit rests on.",
        ),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First business day offered."),
        sa.Column(
            "valid_to", sa.Date(), nullable=True, comment="First business day no longer offered."
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "NOT is_enabled OR filing_ref IS NOT NULL OR kind NOT IN ('premium_discount', 'cover_upgrade', 'points', 'gift', 'birthday_gift', 'referral_reward')",
            name=op.f("ck_benefits_filing"),
        ),
        sa.CheckConstraint(
            "kind IN ('adviser', 'fast_claim_lane', 'emergency_help', 'health_plan', 'birthday_gift', 'event_invitation', 'cover_upgrade', 'premium_discount', 'points', 'gift', 'referral_reward', 'education', 'legal_advice', 'safety_training', 'hazard_inspection', 'inheritance_consultation', 'tax_consultation', 'road_assistance')",
            name=op.f("ck_benefits_kind"),
        ),
        sa.CheckConstraint(
            "legal_class IN ('service', 'monetary')", name=op.f("ck_benefits_legal_class")
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_benefits_validity")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_benefits")),
        comment="Benefits; price and cover kinds need a filing reference to be enabled.",
    )
    op.create_table(
        "customers",
        sa.Column(
            "customer_id", sa.Text(collation="C"), nullable=False, comment="The insurer's own id."
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="individual or corporate."),
        sa.Column(
            "name_cipher",
            sa.LargeBinary(),
            nullable=True,
            comment="Name, AES-256-GCM under the subject's key.",
        ),
        sa.Column(
            "name_masked",
            sa.Text(),
            nullable=True,
            comment="Masked name; a corporate's name stands in full (class open).",
        ),
        sa.Column(
            "phone_cipher", sa.LargeBinary(), nullable=True, comment="Phone number, encrypted."
        ),
        sa.Column("phone_masked", sa.Text(), nullable=True, comment="Masked phone."),
        sa.Column(
            "email_cipher", sa.LargeBinary(), nullable=True, comment="E-mail address, encrypted."
        ),
        sa.Column("email_masked", sa.Text(), nullable=True, comment="Masked e-mail."),
        sa.Column(
            "id_type", sa.Text(), nullable=True, comment="Which document the ID number belongs to."
        ),
        sa.Column("id_no_cipher", sa.LargeBinary(), nullable=True, comment="ID number, encrypted."),
        sa.Column("id_no_masked", sa.Text(), nullable=True, comment="Masked ID number."),
        sa.Column(
            "birth_date_cipher", sa.LargeBinary(), nullable=True, comment="Birth date, encrypted."
        ),
        sa.Column(
            "birth_band",
            sa.Text(),
            nullable=True,
            comment="Five-year band of the birth year, as 1980-1984.",
        ),
        sa.Column("gender", sa.Text(), nullable=True, comment="Gender, where stated."),
        sa.Column("city", sa.Text(), nullable=True, comment="City of residence or seat."),
        sa.Column(
            "channel", sa.Text(), nullable=True, comment="Channel the customer came through."
        ),
        sa.Column(
            "credit_code",
            sa.Text(),
            nullable=True,
            comment="Unified social credit code of a corporate.",
        ),
        sa.Column(
            "account_manager",
            sa.Text(),
            nullable=True,
            comment="Subject of the customer's account manager.",
        ),
        sa.Column(
            "income_cipher",
            sa.LargeBinary(),
            nullable=True,
            comment="Declared yearly income, encrypted.",
        ),
        sa.Column(
            "assets_cipher", sa.LargeBinary(), nullable=True, comment="Declared assets, encrypted."
        ),
        sa.Column(
            "occupation_cipher",
            sa.LargeBinary(),
            nullable=True,
            comment="Occupation title, encrypted.",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the record last changed.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "channel IN ('agent', 'app', 'dealer', 'broker', 'bank', 'phone', 'branch', 'other')",
            name=op.f("ck_customers_channel"),
        ),
        sa.CheckConstraint(
            "credit_code IS NULL OR (kind = 'corporate' AND credit_code ~ '^[0-9A-Z]{18}$')",
            name=op.f("ck_customers_credit_code"),
        ),
        sa.CheckConstraint(
            "customer_id ~ '^[A-Za-z0-9._-]{1,64}$' AND customer_id NOT IN ('.', '..')",
            name=op.f("ck_customers_customer_id"),
        ),
        sa.CheckConstraint("gender IN ('male', 'female')", name=op.f("ck_customers_gender")),
        sa.CheckConstraint(
            "id_type IN ('resident_id', 'passport', 'permit', 'other')",
            name=op.f("ck_customers_id_type"),
        ),
        sa.CheckConstraint("kind IN ('individual', 'corporate')", name=op.f("ck_customers_kind")),
        sa.CheckConstraint(
            "(birth_date_cipher IS NULL) = (birth_band IS NULL)",
            name=op.f("ck_customers_birth_date_pair"),
        ),
        sa.CheckConstraint(
            "(email_cipher IS NULL) = (email_masked IS NULL)", name=op.f("ck_customers_email_pair")
        ),
        sa.CheckConstraint(
            "(id_no_cipher IS NULL) = (id_no_masked IS NULL)", name=op.f("ck_customers_id_no_pair")
        ),
        sa.CheckConstraint(
            "(name_cipher IS NULL) = (name_masked IS NULL)", name=op.f("ck_customers_name_pair")
        ),
        sa.CheckConstraint(
            "(phone_cipher IS NULL) = (phone_masked IS NULL)", name=op.f("ck_customers_phone_pair")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customers")),
        comment="Policyholders; identifiers are encrypted, their masked forms stored beside.",
    )
    op.create_table(
        "import_runs",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column(
            "file_name", sa.Text(), nullable=False, comment="Name of the file, without folders."
        ),
        sa.Column("file_digest", sa.Text(), nullable=False, comment="SHA-256 of the file."),
        sa.Column("mapping_digest", sa.Text(), nullable=False, comment="SHA-256 of the mapping."),
        sa.Column("state", sa.Text(), nullable=False, comment="State."),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Rows read, loaded, filtered by reason, rejected.",
        ),
        sa.Column(
            "finished_at", sa.DateTime(timezone=True), nullable=True, comment="When it ended."
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "state IN ('running', 'completed', 'failed')", name=op.f("ck_import_runs_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_runs")),
        comment="Imports; a second import of the same file and mapping resumes the first.",
    )
    op.create_table(
        "market_benchmarks",
        sa.Column("product_line", sa.Text(), nullable=False, comment="A product line, or all."),
        sa.Column("customer_kind", sa.Text(), nullable=False, comment="individual or corporate."),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First day the average holds."),
        sa.Column(
            "average_premium",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="Average yearly premium.",
        ),
        sa.Column(
            "benchmark_version",
            sa.Text(),
            nullable=False,
            comment="Which publication it comes from.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "customer_kind IN ('individual', 'corporate')",
            name=op.f("ck_market_benchmarks_customer_kind"),
        ),
        sa.CheckConstraint(
            "product_line IN ('life', 'health', 'motor', 'property', 'liability', 'all')",
            name=op.f("ck_market_benchmarks_product_line"),
        ),
        sa.CheckConstraint(
            "average_premium > 0", name=op.f("ck_market_benchmarks_average_premium")
        ),
        sa.PrimaryKeyConstraint(
            "product_line", "customer_kind", "valid_from", name=op.f("pk_market_benchmarks")
        ),
        comment="Average premiums per policyholder, effective-dated.",
    )
    op.create_table(
        "product_services",
        sa.Column("product", sa.Text(collation="C"), nullable=False, comment="Product code."),
        sa.Column(
            "service_code", sa.Text(collation="C"), nullable=False, comment="Code of the service."
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.PrimaryKeyConstraint("product", "service_code", name=op.f("pk_product_services")),
        comment="Which product entitles to which add-on service.",
    )
    op.create_table(
        "reevaluation_runs",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column("as_of", sa.Date(), nullable=False, comment="Business day."),
        sa.Column("mode", sa.Text(), nullable=False, comment="recommend or apply."),
        sa.Column("state", sa.Text(), nullable=False, comment="State of the run."),
        sa.Column(
            "snapshot_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the book was read.",
        ),
        sa.Column(
            "finished_at", sa.DateTime(timezone=True), nullable=True, comment="When the run ended."
        ),
        sa.Column(
            "customers_total", sa.Integer(), nullable=False, comment="Customers in the snapshot."
        ),
        sa.Column(
            "customers_done", sa.Integer(), nullable=False, comment="Customers evaluated so far."
        ),
        sa.Column(
            "customers_changed",
            sa.Integer(),
            nullable=False,
            comment="Customers whose outputs changed.",
        ),
        sa.Column(
            "summary",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Counts by tier, migrations, refused and failed customers.",
        ),
        sa.CheckConstraint(
            "mode IN ('recommend', 'apply')", name=op.f("ck_reevaluation_runs_mode")
        ),
        sa.CheckConstraint(
            "state IN ('running', 'completed', 'failed', 'cancelled')",
            name=op.f("ck_reevaluation_runs_state"),
        ),
        sa.CheckConstraint(
            "customers_done <= customers_total", name=op.f("ck_reevaluation_runs_customers_done")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reevaluation_runs")),
        comment="Re-evaluation runs over the whole book.",
    )
    op.create_table(
        "rule_set_versions",
        sa.Column(
            "rule_set_id", sa.Text(collation="C"), nullable=False, comment="Id of the rule set."
        ),
        sa.Column(
            "version", sa.Integer(), autoincrement=False, nullable=False, comment="Version, from 1."
        ),
        sa.Column("product_line", sa.Text(), nullable=False, comment="Line it decides for."),
        sa.Column(
            "document",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The resolved document.",
        ),
        sa.Column("hash", sa.Text(), nullable=False, comment="SHA-256 of the RFC 8785 JSON."),
        sa.Column("origin", sa.Text(), nullable=False, comment="template (shipped) or loaded."),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was stored.",
        ),
        sa.CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_rule_set_versions_hash")),
        sa.CheckConstraint(
            "origin IN ('template', 'loaded')", name=op.f("ck_rule_set_versions_origin")
        ),
        sa.CheckConstraint(
            "product_line IN ('life', 'health', 'motor', 'property', 'liability', 'corporate', 'all')",
            name=op.f("ck_rule_set_versions_product_line"),
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_rule_set_versions_version")),
        sa.PrimaryKeyConstraint("rule_set_id", "version", name=op.f("pk_rule_set_versions")),
        comment="Immutable rule-set versions; the hash is SHA-256 of the canonical document.",
    )
    op.create_table(
        "sla_policies",
        sa.Column(
            "version", sa.Integer(), autoincrement=False, nullable=False, comment="Version, from 1."
        ),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First business day."),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_sla_policies_version")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_sla_policies")),
        sa.UniqueConstraint("valid_from", name=op.f("uq_sla_policies_valid_from")),
        comment="Versions of the SLA policy; the newest valid one holds.",
    )
    op.create_table(
        "statutory_floors",
        sa.Column("service_type", sa.Text(), nullable=False, comment="Service type."),
        sa.Column(
            "qualifier", sa.Text(), nullable=False, comment="Narrower case; 'any' otherwise."
        ),
        sa.Column("days", sa.SmallInteger(), nullable=False, comment="Days."),
        sa.Column("day_kind", sa.Text(), nullable=False, comment="calendar_days or business_days."),
        sa.Column("source", sa.Text(), nullable=False, comment="Where the number comes from."),
        sa.Column(
            "confirmation", sa.Text(), nullable=False, comment="State of confirmation by counsel."
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "service_type IN ('basic_question', 'emergency_claim', 'service_request', 'complex_business', 'complaint', 'claim_decision', 'proactive_contact')",
            name=op.f("ck_statutory_floors_service_type"),
        ),
        sa.CheckConstraint("days > 0", name=op.f("ck_statutory_floors_days")),
        sa.PrimaryKeyConstraint("service_type", "qualifier", name=op.f("pk_statutory_floors")),
        comment="Statutory deadlines with source and state of confirmation.",
    )
    op.create_table(
        "subject_keys",
        sa.Column("subject_id", sa.Text(collation="C"), nullable=False, comment="The customer id."),
        sa.Column(
            "key_id", sa.Text(), nullable=False, comment="Id of the master key that wraps it."
        ),
        sa.Column(
            "wrapped_key", sa.LargeBinary(), nullable=False, comment="The data key, wrapped."
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was made.",
        ),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_subject_keys")),
        comment="Per-subject data keys, wrapped by the master key.",
    )
    op.create_table(
        "benefit_grants",
        sa.Column("code", sa.Text(), nullable=False, comment="The benefit."),
        sa.Column("tier", sa.Text(), nullable=False, comment="The tier."),
        sa.Column(
            "quota", sa.SmallInteger(), nullable=True, comment="Uses per period; null is as needed."
        ),
        sa.Column("period", sa.Text(), nullable=True, comment="month, quarter or year."),
        sa.CheckConstraint(
            "period IN ('month', 'quarter', 'year')", name=op.f("ck_benefit_grants_period")
        ),
        sa.CheckConstraint(
            "tier IN ('diamond', 'gold', 'standard')", name=op.f("ck_benefit_grants_tier")
        ),
        sa.CheckConstraint(
            "(quota IS NULL) = (period IS NULL)", name=op.f("ck_benefit_grants_quota_pair")
        ),
        sa.CheckConstraint("quota IS NULL OR quota > 0", name=op.f("ck_benefit_grants_quota")),
        sa.ForeignKeyConstraint(["code"], ["benefits.code"], name=op.f("fk_benefit_grants_code")),
        sa.PrimaryKeyConstraint("code", "tier", name=op.f("pk_benefit_grants")),
        comment="Benefits by tier with quota per period; no quota means as needed.",
    )
    op.create_table(
        "consents",
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="Who consented."),
        sa.Column("purpose", sa.Text(), nullable=False, comment="What the data may serve."),
        sa.Column("given_on", sa.Date(), nullable=False, comment="First day it holds."),
        sa.Column(
            "basis", sa.Text(), server_default="consent", nullable=False, comment="Legal basis."
        ),
        sa.Column(
            "text_version", sa.Text(), nullable=True, comment="Version of the text agreed to."
        ),
        sa.Column(
            "withdrawn_on", sa.Date(), nullable=True, comment="First day it no longer holds."
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "purpose IN ('health_data', 'lifestyle_data', 'credit_data', 'third_party', 'behaviour', 'personalisation')",
            name=op.f("ck_consents_purpose"),
        ),
        sa.CheckConstraint("withdrawn_on >= given_on", name=op.f("ck_consents_withdrawn_on")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_consents_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_id", "purpose", "given_on", name=op.f("pk_consents")),
        comment="Consents by purpose, with the text agreed to.",
    )
    op.create_table(
        "customer_aliases",
        sa.Column(
            "alias_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="The id that was merged away.",
        ),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="The survivor."),
        sa.Column("merged_on", sa.Date(), nullable=False, comment="Business day of the merge."),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "alias_id ~ '^[A-Za-z0-9._-]{1,64}$' AND alias_id NOT IN ('.', '..')",
            name=op.f("ck_customer_aliases_alias_id"),
        ),
        sa.CheckConstraint("alias_id <> customer_id", name=op.f("ck_customer_aliases_not_itself")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_customer_aliases_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("alias_id", name=op.f("pk_customer_aliases")),
        comment="Old ids of merged customers, each pointing at the survivor.",
    )
    op.create_index(
        op.f("ix_customer_aliases_customer_id"), "customer_aliases", ["customer_id"], unique=False
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="Of whom."),
        sa.Column("as_of", sa.Date(), nullable=False, comment="Business day of the facts."),
        sa.Column(
            "cause",
            sa.Text(),
            nullable=False,
            comment="api, timer, event:<id>, run:<id> or override:<id>.",
        ),
        sa.Column(
            "rule_set_id",
            sa.Text(collation="C"),
            nullable=False,
            comment="The rule set that decided.",
        ),
        sa.Column("rule_set_version", sa.Integer(), nullable=False, comment="Its version."),
        sa.Column("rule_set_hash", sa.Text(), nullable=False, comment="Its hash."),
        sa.Column(
            "primary_line", sa.Text(), nullable=True, comment="The customer's primary line, if any."
        ),
        sa.Column("score", sa.SmallInteger(), nullable=False, comment="Weighted score, 0 to 1000."),
        sa.Column(
            "dimensions",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Dimension scores, 0 to 1000 each.",
        ),
        sa.Column("segment", sa.Text(), nullable=False, comment="Value segment."),
        sa.Column("life_cycle_stage", sa.Text(), nullable=False, comment="Life-cycle stage."),
        sa.Column(
            "risk_grade", sa.Text(), nullable=False, comment="Risk grade, A is the lowest risk."
        ),
        sa.Column("tier_evaluated", sa.Text(), nullable=False, comment="Tier the rules give."),
        sa.Column(
            "tier_applied", sa.Text(), nullable=False, comment="Tier served, after stability."
        ),
        sa.Column(
            "outcomes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Every table's outcome by name.",
        ),
        sa.Column(
            "fired",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Rules that fired, by table.",
        ),
        sa.Column(
            "reasons",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Reason codes with points and lost points.",
        ),
        sa.Column(
            "gap",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="What would reach a better tier.",
        ),
        sa.Column(
            "facts_completeness",
            sa.Numeric(precision=5, scale=4),
            nullable=False,
            comment="Non-null inputs over inputs.",
        ),
        sa.Column(
            "snapshot_cipher",
            sa.LargeBinary(),
            nullable=False,
            comment="The facts as evaluated, encrypted under the subject's key.",
        ),
        sa.Column(
            "risk_model_version",
            sa.Text(),
            nullable=True,
            comment="Version of the risk model that the rule set names, if it names one.",
        ),
        sa.Column(
            "benchmark_version",
            sa.Text(),
            nullable=True,
            comment="Version of the market benchmark.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "cause ~ '^(api|timer|event:.+|run:.+|override:.+)$'", name=op.f("ck_decisions_cause")
        ),
        sa.CheckConstraint(
            "life_cycle_stage IN ('new', 'stable', 'at_risk', 'dormant', 'lapsed')",
            name=op.f("ck_decisions_life_cycle_stage"),
        ),
        sa.CheckConstraint(
            "primary_line IN ('life', 'health', 'motor', 'property', 'liability')",
            name=op.f("ck_decisions_primary_line"),
        ),
        sa.CheckConstraint(
            "risk_grade IN ('A', 'B', 'C', 'D', 'E')", name=op.f("ck_decisions_risk_grade")
        ),
        sa.CheckConstraint(
            "segment IN ('high_net_worth', 'mid_market', 'potential', 'base')",
            name=op.f("ck_decisions_segment"),
        ),
        sa.CheckConstraint(
            "tier_applied IN ('diamond', 'gold', 'standard')",
            name=op.f("ck_decisions_tier_applied"),
        ),
        sa.CheckConstraint(
            "tier_evaluated IN ('diamond', 'gold', 'standard')",
            name=op.f("ck_decisions_tier_evaluated"),
        ),
        sa.CheckConstraint(
            "facts_completeness BETWEEN 0 AND 1", name=op.f("ck_decisions_facts_completeness")
        ),
        sa.CheckConstraint("score BETWEEN 0 AND 1000", name=op.f("ck_decisions_score")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_decisions_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["rule_set_id", "rule_set_version"],
            ["rule_set_versions.rule_set_id", "rule_set_versions.version"],
            name=op.f("fk_decisions_rule_set_id_rule_set_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        comment="Append-only tier decisions with everything a replay needs.",
    )
    op.create_index(
        op.f("ix_decisions_customer_id_recorded_at"),
        "decisions",
        ["customer_id", "recorded_at"],
        unique=False,
    )
    op.create_table(
        "external_checks",
        sa.Column(
            "check_no", sa.Text(collation="C"), nullable=False, comment="The source's number."
        ),
        sa.Column(
            "customer_id", sa.Text(collation="C"), nullable=False, comment="Whose declaration."
        ),
        sa.Column("checked_on", sa.Date(), nullable=False, comment="Business day."),
        sa.Column("kind", sa.Text(), nullable=False, comment="credit, medical or occupation."),
        sa.Column("matches", sa.Boolean(), nullable=False, comment="The declaration agrees."),
        sa.Column(
            "declared_cipher",
            sa.LargeBinary(),
            nullable=True,
            comment="What the customer declared, encrypted.",
        ),
        sa.Column(
            "verified_cipher",
            sa.LargeBinary(),
            nullable=True,
            comment="What the third party says, encrypted.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "kind IN ('credit', 'medical', 'occupation')", name=op.f("ck_external_checks_kind")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_external_checks_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("check_no", name=op.f("pk_external_checks")),
        comment="Declared against verified, by third parties; the texts are encrypted.",
    )
    op.create_index(
        op.f("ix_external_checks_customer_id"), "external_checks", ["customer_id"], unique=False
    )
    op.create_table(
        "import_chunks",
        sa.Column("run_id", sa.Uuid(), nullable=False, comment="The import."),
        sa.Column(
            "chunk_no",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Position of the chunk.",
        ),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="What the chunk did.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint("chunk_no >= 0", name=op.f("ck_import_chunks_chunk_no")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_runs.id"], name=op.f("fk_import_chunks_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "chunk_no", name=op.f("pk_import_chunks")),
        comment="Committed chunks of an import.",
    )
    op.create_table(
        "interactions",
        sa.Column(
            "interaction_no", sa.Text(collation="C"), nullable=False, comment="The source's number."
        ),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="With whom."),
        sa.Column("occurred_on", sa.Date(), nullable=False, comment="Business day."),
        sa.Column("channel", sa.Text(), nullable=False, comment="Channel."),
        sa.Column("kind", sa.Text(), nullable=False, comment="What it was, as app_login."),
        sa.Column("topic", sa.Text(), nullable=True, comment="Topic code."),
        sa.Column("initiated_by", sa.Text(), nullable=False, comment="customer or insurer."),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "channel IN ('app', 'web', 'hotline', 'branch', 'event', 'social', 'agent', 'mail')",
            name=op.f("ck_interactions_channel"),
        ),
        sa.CheckConstraint(
            "initiated_by IN ('customer', 'insurer')", name=op.f("ck_interactions_initiated_by")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_interactions_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("interaction_no", name=op.f("pk_interactions")),
        comment="Contacts: app log-ins, calls, visits, campaign touches, complaints.",
    )
    op.create_index(
        op.f("ix_interactions_customer_id"), "interactions", ["customer_id"], unique=False
    )
    op.create_table(
        "model_scores",
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="Of whom."),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First day the outputs hold."),
        sa.Column(
            "uplift_3y",
            sa.Integer(),
            nullable=True,
            comment="Expected premium growth over three years, per cent.",
        ),
        sa.Column(
            "clv",
            sa.Numeric(precision=18, scale=2),
            nullable=True,
            comment="Customer life-time value.",
        ),
        sa.Column("behaviour_cluster", sa.Text(), nullable=True, comment="Behaviour cluster."),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_model_scores_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_id", "valid_from", name=op.f("pk_model_scores")),
        comment="Model outputs: uplift, life-time value, behaviour cluster.",
    )
    op.create_table(
        "policies",
        sa.Column(
            "policy_no",
            sa.Text(collation="C"),
            nullable=False,
            comment="The insurer's policy number.",
        ),
        sa.Column(
            "customer_id", sa.Text(collation="C"), nullable=False, comment="The policyholder."
        ),
        sa.Column(
            "product_line",
            sa.Text(),
            nullable=False,
            comment="life, health, motor, property or liability.",
        ),
        sa.Column("product", sa.Text(), nullable=False, comment="Product code."),
        sa.Column("issued_on", sa.Date(), nullable=False, comment="Business day of issue."),
        sa.Column(
            "cooling_off_until",
            sa.Date(),
            nullable=True,
            comment="Last day of the cooling-off period.",
        ),
        sa.Column(
            "object_kind", sa.Text(), nullable=True, comment="What is insured, as car or home."
        ),
        sa.Column(
            "object_coefficient",
            sa.Numeric(precision=6, scale=2),
            nullable=True,
            comment="Actuarial coefficient of the object, 1.00 is average.",
        ),
        sa.Column("channel", sa.Text(), nullable=True, comment="Sales channel."),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "product_line IN ('life', 'health', 'motor', 'property', 'liability')",
            name=op.f("ck_policies_product_line"),
        ),
        sa.CheckConstraint(
            "cooling_off_until >= issued_on", name=op.f("ck_policies_cooling_off_until")
        ),
        sa.CheckConstraint("object_coefficient > 0", name=op.f("ck_policies_object_coefficient")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_policies_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("policy_no", name=op.f("pk_policies")),
        sa.UniqueConstraint(
            "policy_no", "customer_id", name=op.f("uq_policies_policy_no_customer_id")
        ),
        comment="Insurance contracts; the customer is the policyholder.",
    )
    op.create_index(op.f("ix_policies_customer_id"), "policies", ["customer_id"], unique=False)
    op.create_table(
        "referrals",
        sa.Column(
            "referral_no", sa.Text(collation="C"), nullable=False, comment="The source's number."
        ),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="Who referred."),
        sa.Column(
            "referred_customer_id",
            sa.Text(collation="C"),
            nullable=True,
            comment="Who came, where known as a customer.",
        ),
        sa.Column(
            "succeeded_on", sa.Date(), nullable=False, comment="Day the referred business began."
        ),
        sa.Column(
            "annual_premium",
            sa.Numeric(precision=18, scale=2),
            nullable=True,
            comment="Yearly premium of the referred business.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint("annual_premium >= 0", name=op.f("ck_referrals_annual_premium")),
        sa.CheckConstraint(
            "referred_customer_id <> customer_id", name=op.f("ck_referrals_not_itself")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_referrals_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("referral_no", name=op.f("pk_referrals")),
        comment="Successful referrals in number and quality.",
    )
    op.create_index(op.f("ix_referrals_customer_id"), "referrals", ["customer_id"], unique=False)
    op.create_table(
        "rule_set_activations",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column("product_line", sa.Text(), nullable=False, comment="The line."),
        sa.Column("rule_set_id", sa.Text(collation="C"), nullable=False, comment="The rule set."),
        sa.Column("version", sa.Integer(), nullable=False, comment="Its version."),
        sa.Column(
            "valid",
            postgresql.DATERANGE(),
            nullable=False,
            comment="Business days it is in force, end exclusive.",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was put in force.",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("product_line"), "="),
            (sa.column("valid"), "&&"),
            using="gist",
            name="one_per_line",
        ),
        sa.CheckConstraint(
            "product_line IN ('life', 'health', 'motor', 'property', 'liability', 'corporate', 'all')",
            name=op.f("ck_rule_set_activations_product_line"),
        ),
        sa.CheckConstraint("NOT isempty(valid)", name=op.f("ck_rule_set_activations_valid")),
        sa.ForeignKeyConstraint(
            ["rule_set_id", "version"],
            ["rule_set_versions.rule_set_id", "rule_set_versions.version"],
            name=op.f("fk_rule_set_activations_rule_set_id_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_set_activations")),
        comment="When which version is in force; ranges of one line never overlap.",
    )
    op.create_table(
        "scoring_inputs",
        sa.Column(
            "customer_id", sa.Text(collation="C"), nullable=False, comment="Whose attributes."
        ),
        sa.Column(
            "valid_from", sa.Date(), nullable=False, comment="First business day these values hold."
        ),
        sa.Column(
            "valid_to",
            sa.Date(),
            nullable=True,
            comment="First business day they no longer hold; null while open.",
        ),
        sa.Column(
            "birth_month",
            sa.Date(),
            nullable=True,
            comment="First day of the birth month; the day is only kept encrypted.",
        ),
        sa.Column(
            "occupation_risk",
            sa.Text(),
            nullable=True,
            comment="Occupation class: low, medium, high.",
        ),
        sa.Column("smoker", sa.Boolean(), nullable=True, comment="Smokes."),
        sa.Column("heavy_drinker", sa.Boolean(), nullable=True, comment="Drinks heavily."),
        sa.Column("health_grade", sa.Text(), nullable=True, comment="Health grade A (best) to E."),
        sa.Column(
            "health_habit_score",
            sa.SmallInteger(),
            nullable=True,
            comment="Wearables' habit score, 0 to 100.",
        ),
        sa.Column(
            "driving_score",
            sa.SmallInteger(),
            nullable=True,
            comment="Telematics driving score, 0 to 100.",
        ),
        sa.Column(
            "fraud_suspicion",
            sa.Boolean(),
            nullable=True,
            comment="Claims department suspects fraud.",
        ),
        sa.Column(
            "opinion_leader",
            sa.Boolean(),
            nullable=True,
            comment="Known opinion leader (意见领袖).",
        ),
        sa.Column("income_band", sa.SmallInteger(), nullable=True, comment="Income band 1 to 7."),
        sa.Column("asset_band", sa.SmallInteger(), nullable=True, comment="Asset band 1 to 7."),
        sa.Column(
            "credit_score", sa.SmallInteger(), nullable=True, comment="Credit score 300 to 950."
        ),
        sa.Column("career_stage", sa.Text(), nullable=True, comment="Career stage."),
        sa.Column("family_stage", sa.Text(), nullable=True, comment="Family stage."),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "career_stage IN ('student', 'early', 'rising', 'established', 'peak', 'retired')",
            name=op.f("ck_scoring_inputs_career_stage"),
        ),
        sa.CheckConstraint(
            "family_stage IN ('single', 'couple', 'young_children', 'grown_children', 'empty_nest')",
            name=op.f("ck_scoring_inputs_family_stage"),
        ),
        sa.CheckConstraint(
            "health_grade IN ('A', 'B', 'C', 'D', 'E')", name=op.f("ck_scoring_inputs_health_grade")
        ),
        sa.CheckConstraint(
            "occupation_risk IN ('low', 'medium', 'high')",
            name=op.f("ck_scoring_inputs_occupation_risk"),
        ),
        sa.CheckConstraint("asset_band BETWEEN 1 AND 7", name=op.f("ck_scoring_inputs_asset_band")),
        sa.CheckConstraint(
            "credit_score BETWEEN 300 AND 950", name=op.f("ck_scoring_inputs_credit_score")
        ),
        sa.CheckConstraint(
            "driving_score BETWEEN 0 AND 100", name=op.f("ck_scoring_inputs_driving_score")
        ),
        sa.CheckConstraint(
            "extract(day FROM birth_month) = 1", name=op.f("ck_scoring_inputs_birth_month")
        ),
        sa.CheckConstraint(
            "health_habit_score BETWEEN 0 AND 100",
            name=op.f("ck_scoring_inputs_health_habit_score"),
        ),
        sa.CheckConstraint(
            "income_band BETWEEN 1 AND 7", name=op.f("ck_scoring_inputs_income_band")
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_scoring_inputs_validity")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_scoring_inputs_customer_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "valid_to"],
            ["scoring_inputs.customer_id", "scoring_inputs.valid_from"],
            name=op.f("fk_scoring_inputs_customer_id_valid_to"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("customer_id", "valid_from", name=op.f("pk_scoring_inputs")),
        comment="Dated scoring attributes; only the evaluation reads them.",
    )
    op.create_index(
        "uq_scoring_inputs_end",
        "scoring_inputs",
        ["customer_id", "valid_to"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NOT NULL"),
    )
    op.create_index(
        "uq_scoring_inputs_open",
        "scoring_inputs",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "service_uses",
        sa.Column(
            "use_no",
            sa.Text(collation="C"),
            nullable=False,
            comment="The source's number of the use.",
        ),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="Who used it."),
        sa.Column("service_code", sa.Text(), nullable=False, comment="Code of the service."),
        sa.Column("used_on", sa.Date(), nullable=False, comment="Business day."),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_service_uses_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("use_no", name=op.f("pk_service_uses")),
        comment="Uses of add-on services (health management, road assistance, …).",
    )
    op.create_index(
        op.f("ix_service_uses_customer_id"), "service_uses", ["customer_id"], unique=False
    )
    op.create_table(
        "sla_entries",
        sa.Column("policy_version", sa.Integer(), nullable=False, comment="The policy."),
        sa.Column(
            "position",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Order of matching.",
        ),
        sa.Column("tier", sa.Text(), nullable=True, comment="Tier matched; null is any."),
        sa.Column("service_type", sa.Text(), nullable=False, comment="Service type matched."),
        sa.Column(
            "product_line", sa.Text(), nullable=True, comment="Product line matched; null is any."
        ),
        sa.Column(
            "qualifier",
            sa.Text(),
            nullable=True,
            comment="Narrower case matched, as compulsory_motor; null is any.",
        ),
        sa.Column("clock", sa.Text(), nullable=False, comment="Which clock runs."),
        sa.Column(
            "response_seconds",
            sa.Integer(),
            nullable=True,
            comment="Promise of a first response, seconds of the clock.",
        ),
        sa.Column(
            "response_days",
            sa.SmallInteger(),
            nullable=True,
            comment="Promise of a first response, days of the clock.",
        ),
        sa.Column(
            "resolution_seconds",
            sa.Integer(),
            nullable=True,
            comment="Promise of a resolution, seconds of the clock.",
        ),
        sa.Column(
            "resolution_days",
            sa.SmallInteger(),
            nullable=True,
            comment="Promise of a resolution, days of the clock.",
        ),
        sa.Column(
            "contacts_per_month",
            sa.SmallInteger(),
            nullable=True,
            comment="Promised proactive contacts a month.",
        ),
        sa.Column(
            "milestones",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Further promises: name and seconds.",
        ),
        sa.Column(
            "automated_first",
            sa.Boolean(),
            nullable=False,
            comment="Automated service answers first.",
        ),
        sa.Column("note_en", sa.Text(), nullable=True, comment="Note in English."),
        sa.Column("note_zh", sa.Text(), nullable=True, comment="Note in Chinese."),
        sa.CheckConstraint(
            "clock IN ('elapsed', 'business_hours', 'business_days', 'calendar_days', 'recurring')",
            name=op.f("ck_sla_entries_clock"),
        ),
        sa.CheckConstraint(
            "product_line IN ('life', 'health', 'motor', 'property', 'liability')",
            name=op.f("ck_sla_entries_product_line"),
        ),
        sa.CheckConstraint(
            "service_type IN ('basic_question', 'emergency_claim', 'service_request', 'complex_business', 'complaint', 'claim_decision', 'proactive_contact')",
            name=op.f("ck_sla_entries_service_type"),
        ),
        sa.CheckConstraint(
            "tier IN ('diamond', 'gold', 'standard')", name=op.f("ck_sla_entries_tier")
        ),
        sa.CheckConstraint(
            "coalesce(response_seconds, response_days, resolution_seconds, resolution_days, contacts_per_month) > 0",
            name=op.f("ck_sla_entries_target"),
        ),
        sa.ForeignKeyConstraint(
            ["policy_version"], ["sla_policies.version"], name=op.f("fk_sla_entries_policy_version")
        ),
        sa.PrimaryKeyConstraint("policy_version", "position", name=op.f("pk_sla_entries")),
        comment="Rows of an SLA policy; the first match by position wins.",
    )
    op.create_table(
        "surveys",
        sa.Column(
            "survey_no", sa.Text(collation="C"), nullable=False, comment="The source's number."
        ),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="Who answered."),
        sa.Column("answered_on", sa.Date(), nullable=False, comment="Business day."),
        sa.Column("nps", sa.SmallInteger(), nullable=False, comment="0 (never) to 10 (surely)."),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint("nps BETWEEN 0 AND 10", name=op.f("ck_surveys_nps")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_surveys_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("survey_no", name=op.f("pk_surveys")),
        comment="NPS survey answers.",
    )
    op.create_index(op.f("ix_surveys_customer_id"), "surveys", ["customer_id"], unique=False)
    op.create_table(
        "claims",
        sa.Column(
            "claim_no",
            sa.Text(collation="C"),
            nullable=False,
            comment="The insurer's claim number.",
        ),
        sa.Column("policy_no", sa.Text(collation="C"), nullable=False, comment="The policy."),
        sa.Column(
            "customer_id", sa.Text(collation="C"), nullable=False, comment="The policyholder."
        ),
        sa.Column("occurred_on", sa.Date(), nullable=False, comment="Day of loss."),
        sa.Column(
            "reported_on", sa.Date(), nullable=False, comment="Day the insurer learned of it."
        ),
        sa.Column(
            "claim_count",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="How many claims the record stands for (aggregated sources).",
        ),
        sa.Column(
            "claimed", sa.Numeric(precision=18, scale=2), nullable=True, comment="Amount claimed."
        ),
        sa.Column(
            "paid", sa.Numeric(precision=18, scale=2), nullable=True, comment="Amount paid in all."
        ),
        sa.Column("paid_on", sa.Date(), nullable=True, comment="Day of payment."),
        sa.Column(
            "closed_on",
            sa.Date(),
            nullable=True,
            comment="Day the claim was closed; null while open.",
        ),
        sa.Column(
            "personal_injury",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="A person was hurt.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint("claim_count >= 1", name=op.f("ck_claims_claim_count")),
        sa.CheckConstraint("claimed >= 0", name=op.f("ck_claims_claimed")),
        sa.CheckConstraint("closed_on >= reported_on", name=op.f("ck_claims_closed_on")),
        sa.CheckConstraint("paid >= 0", name=op.f("ck_claims_paid")),
        sa.CheckConstraint("paid_on >= reported_on", name=op.f("ck_claims_paid_on")),
        sa.CheckConstraint("paid_on IS NULL OR paid IS NOT NULL", name=op.f("ck_claims_paid_pair")),
        sa.CheckConstraint("reported_on >= occurred_on", name=op.f("ck_claims_reported_on")),
        sa.ForeignKeyConstraint(
            ["policy_no", "customer_id"],
            ["policies.policy_no", "policies.customer_id"],
            name=op.f("fk_claims_policy_no_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("claim_no", name=op.f("pk_claims")),
        comment="Claims; visible from the day they were reported.",
    )
    op.create_index(op.f("ix_claims_customer_id"), "claims", ["customer_id"], unique=False)
    op.create_table(
        "policy_parties",
        sa.Column("policy_no", sa.Text(collation="C"), nullable=False, comment="The policy."),
        sa.Column(
            "party_no",
            sa.SmallInteger(),
            autoincrement=False,
            nullable=False,
            comment="Position of the party in the policy.",
        ),
        sa.Column("role", sa.Text(), nullable=False, comment="insured, beneficiary or payer."),
        sa.Column("relation", sa.Text(), nullable=False, comment="Relation to the policyholder."),
        sa.Column(
            "birth_month", sa.Date(), nullable=True, comment="First day of the party's birth month."
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "relation IN ('self', 'spouse', 'child', 'parent', 'employer', 'other')",
            name=op.f("ck_policy_parties_relation"),
        ),
        sa.CheckConstraint(
            "role IN ('insured', 'beneficiary', 'payer')", name=op.f("ck_policy_parties_role")
        ),
        sa.CheckConstraint(
            "extract(day FROM birth_month) = 1", name=op.f("ck_policy_parties_birth_month")
        ),
        sa.ForeignKeyConstraint(
            ["policy_no"], ["policies.policy_no"], name=op.f("fk_policy_parties_policy_no")
        ),
        sa.PrimaryKeyConstraint("policy_no", "party_no", name=op.f("pk_policy_parties")),
        comment="Parties of a policy, without names.",
    )
    op.create_table(
        "policy_terms",
        sa.Column("policy_no", sa.Text(collation="C"), nullable=False, comment="The policy."),
        sa.Column("term_start", sa.Date(), nullable=False, comment="First day of the term."),
        sa.Column(
            "premium_kind", sa.Text(), nullable=False, comment="regular, single, top_up or paid_up."
        ),
        sa.Column(
            "customer_id", sa.Text(collation="C"), nullable=False, comment="The policyholder."
        ),
        sa.Column(
            "term_end", sa.Date(), nullable=False, comment="First day after the agreed term."
        ),
        sa.Column(
            "premium",
            sa.Numeric(precision=18, scale=2),
            nullable=False,
            comment="Premium of the term at its yearly rate.",
        ),
        sa.Column("pay_mode", sa.Text(), nullable=False, comment="How often the premium is paid."),
        sa.Column(
            "started_as", sa.Text(), nullable=False, comment="new, renewal or reinstatement."
        ),
        sa.Column(
            "ended_on",
            sa.Date(),
            nullable=True,
            comment="First day without cover, where the term has ended.",
        ),
        sa.Column("ended_how", sa.Text(), nullable=True, comment="How the term ended."),
        sa.Column(
            "voluntary",
            sa.Boolean(),
            nullable=True,
            comment="The renewal was the customer's own act.",
        ),
        sa.Column("due_on", sa.Date(), nullable=True, comment="Day the premium fell due."),
        sa.Column("paid_on", sa.Date(), nullable=True, comment="Day it was paid."),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "ended_how IN ('expired', 'renewed', 'lapsed', 'surrendered', 'cancelled', 'withdrawn', 'claimed')",
            name=op.f("ck_policy_terms_ended_how"),
        ),
        sa.CheckConstraint(
            "pay_mode IN ('yearly', 'half_yearly', 'quarterly', 'monthly', 'once', 'none')",
            name=op.f("ck_policy_terms_pay_mode"),
        ),
        sa.CheckConstraint(
            "premium_kind IN ('regular', 'single', 'top_up', 'paid_up')",
            name=op.f("ck_policy_terms_premium_kind"),
        ),
        sa.CheckConstraint(
            "started_as IN ('new', 'renewal', 'reinstatement')",
            name=op.f("ck_policy_terms_started_as"),
        ),
        sa.CheckConstraint(
            "(ended_on IS NULL) = (ended_how IS NULL)", name=op.f("ck_policy_terms_ended_pair")
        ),
        sa.CheckConstraint("ended_on >= term_start", name=op.f("ck_policy_terms_ended_on")),
        sa.CheckConstraint("premium >= 0", name=op.f("ck_policy_terms_premium")),
        sa.CheckConstraint("term_end > term_start", name=op.f("ck_policy_terms_term_end")),
        sa.ForeignKeyConstraint(
            ["policy_no", "customer_id"],
            ["policies.policy_no", "policies.customer_id"],
            name=op.f("fk_policy_terms_policy_no_customer_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "policy_no", "term_start", "premium_kind", name=op.f("pk_policy_terms")
        ),
        comment="One row per policy year; a term is in force from start to the earlier end.",
    )
    op.create_index(
        op.f("ix_policy_terms_customer_id"), "policy_terms", ["customer_id"], unique=False
    )
    op.create_index(
        "ix_policy_terms_due_on",
        "policy_terms",
        ["due_on"],
        unique=False,
        postgresql_using="brin",
    )
    op.create_table(
        "scoring_states",
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="Whose state."),
        sa.Column("decision_id", sa.Uuid(), nullable=False, comment="Newest decision."),
        sa.Column("tier", sa.Text(), nullable=False, comment="Tier held."),
        sa.Column("since", sa.Date(), nullable=False, comment="Business day it began to be held."),
        sa.Column(
            "last_downgrade_on",
            sa.Date(),
            nullable=True,
            comment="Business day of the last downgrade.",
        ),
        sa.Column(
            "first_lower_on",
            sa.Date(),
            nullable=True,
            comment="First day the evaluated tier was lower than the held one.",
        ),
        sa.Column(
            "grace_until", sa.Date(), nullable=True, comment="Day a waiting downgrade takes effect."
        ),
        sa.Column(
            "evaluated_on",
            sa.Date(),
            nullable=False,
            comment="Business day of the newest evaluation.",
        ),
        sa.Column(
            "evaluated_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the newest evaluation was made.",
        ),
        sa.Column(
            "outputs_digest",
            sa.LargeBinary(),
            nullable=False,
            comment="Digest of the newest decision's outputs; a run writes only where it differs.",
        ),
        sa.CheckConstraint(
            "tier IN ('diamond', 'gold', 'standard')", name=op.f("ck_scoring_states_tier")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_scoring_states_customer_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name=op.f("fk_scoring_states_decision_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_scoring_states")),
        comment="Newest decision and stability clocks per customer.",
    )
    op.create_table(
        "tier_assignments",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUIDv7."),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False, comment="Whose tier."),
        sa.Column("tier", sa.Text(), nullable=False, comment="The tier served."),
        sa.Column("source", sa.Text(), nullable=False, comment="evaluated, override or grace."),
        sa.Column("decision_id", sa.Uuid(), nullable=False, comment="Decision that set it."),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First business day."),
        sa.Column(
            "valid_to",
            sa.Date(),
            nullable=True,
            comment="First business day it no longer served; equal to valid_from if replaced the same day.",
        ),
        sa.Column(
            "serves_from",
            sa.Date(),
            sa.Computed(
                "CASE WHEN valid_to IS NULL OR valid_to > valid_from THEN valid_from END",
                persisted=True,
            ),
            nullable=True,
            comment="valid_from of what served for a day at least; null if replaced the same day.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row was written (provenance; never business time).",
        ),
        sa.CheckConstraint(
            "source IN ('evaluated', 'override', 'grace')", name=op.f("ck_tier_assignments_source")
        ),
        sa.CheckConstraint(
            "tier IN ('diamond', 'gold', 'standard')", name=op.f("ck_tier_assignments_tier")
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_tier_assignments_validity")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.customer_id"],
            name=op.f("fk_tier_assignments_customer_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name=op.f("fk_tier_assignments_decision_id")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "valid_to"],
            ["tier_assignments.customer_id", "tier_assignments.serves_from"],
            name=op.f("fk_tier_assignments_customer_id_valid_to"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier_assignments")),
        sa.UniqueConstraint(
            "customer_id", "serves_from", name=op.f("uq_tier_assignments_customer_id_serves_from")
        ),
        comment="Tier assignments; one is open per customer.",
    )
    op.create_index(
        op.f("ix_tier_assignments_customer_id_valid_from"),
        "tier_assignments",
        ["customer_id", "valid_from"],
        unique=False,
    )
    op.create_index(
        "uq_tier_assignments_end",
        "tier_assignments",
        ["customer_id", "valid_to"],
        unique=True,
        postgresql_where=sa.text("valid_to > valid_from"),
    )
    op.create_index(
        "uq_tier_assignments_open",
        "tier_assignments",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.execute("CREATE SCHEMA book")
    for name, query in BOOK_VIEWS.items():
        op.execute(f"CREATE VIEW book.{name} AS {query}")
    op.execute(REFUSE_CHANGE)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_truncated BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Drop them all."""
    op.execute("DROP SCHEMA book CASCADE")
    op.drop_index(
        "uq_tier_assignments_open",
        table_name="tier_assignments",
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_index(
        "uq_tier_assignments_end",
        table_name="tier_assignments",
        postgresql_where=sa.text("valid_to > valid_from"),
    )
    op.drop_index(op.f("ix_tier_assignments_customer_id_valid_from"), table_name="tier_assignments")
    op.drop_table("tier_assignments")
    op.drop_table("scoring_states")
    op.drop_index("ix_policy_terms_due_on", table_name="policy_terms", postgresql_using="brin")
    op.drop_index(op.f("ix_policy_terms_customer_id"), table_name="policy_terms")
    op.drop_table("policy_terms")
    op.drop_table("policy_parties")
    op.drop_index(op.f("ix_claims_customer_id"), table_name="claims")
    op.drop_table("claims")
    op.drop_index(op.f("ix_surveys_customer_id"), table_name="surveys")
    op.drop_table("surveys")
    op.drop_table("sla_entries")
    op.drop_index(op.f("ix_service_uses_customer_id"), table_name="service_uses")
    op.drop_table("service_uses")
    op.drop_index(
        "uq_scoring_inputs_open",
        table_name="scoring_inputs",
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_index(
        "uq_scoring_inputs_end",
        table_name="scoring_inputs",
        postgresql_where=sa.text("valid_to IS NOT NULL"),
    )
    op.drop_table("scoring_inputs")
    op.drop_table("rule_set_activations")
    op.drop_index(op.f("ix_referrals_customer_id"), table_name="referrals")
    op.drop_table("referrals")
    op.drop_index(op.f("ix_policies_customer_id"), table_name="policies")
    op.drop_table("policies")
    op.drop_table("model_scores")
    op.drop_index(op.f("ix_interactions_customer_id"), table_name="interactions")
    op.drop_table("interactions")
    op.drop_table("import_chunks")
    op.drop_index(op.f("ix_external_checks_customer_id"), table_name="external_checks")
    op.drop_table("external_checks")
    op.drop_index(op.f("ix_decisions_customer_id_recorded_at"), table_name="decisions")
    op.drop_table("decisions")
    op.drop_index(op.f("ix_customer_aliases_customer_id"), table_name="customer_aliases")
    op.drop_table("customer_aliases")
    op.drop_table("consents")
    op.drop_table("benefit_grants")
    op.drop_table("subject_keys")
    op.drop_table("statutory_floors")
    op.drop_table("sla_policies")
    op.drop_table("rule_set_versions")
    op.drop_table("reevaluation_runs")
    op.drop_table("product_services")
    op.drop_table("market_benchmarks")
    op.drop_table("import_runs")
    op.drop_table("customers")
    op.drop_table("benefits")
    op.drop_table("audit_events")
    op.execute("DROP FUNCTION refuse_change")
