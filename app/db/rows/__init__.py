"""One table per file; importing this package registers them all on the metadata."""

from __future__ import annotations

from app.db.rows.actor import ActorRow
from app.db.rows.audit_event import AuditEventRow
from app.db.rows.benefit import BenefitGrantRow, BenefitRow
from app.db.rows.claim import ClaimRow
from app.db.rows.consent import ConsentRow
from app.db.rows.customer import CustomerRow
from app.db.rows.customer_alias import CustomerAliasRow
from app.db.rows.decision import DecisionRow
from app.db.rows.evidence import EvidenceChunkRow, EvidenceFileRow, OverrideEvidenceRow
from app.db.rows.external_check import ExternalCheckRow
from app.db.rows.idempotency_key import IdempotencyKeyRow
from app.db.rows.import_run import ImportChunkRow, ImportRunRow
from app.db.rows.import_upload import ImportUploadChunkRow, ImportUploadRow
from app.db.rows.interaction import InteractionRow
from app.db.rows.job import JobRow
from app.db.rows.market_benchmark import MarketBenchmarkRow
from app.db.rows.model_score import ModelScoreRow
from app.db.rows.outbox_event import OutboxEventRow
from app.db.rows.override import OverrideRow
from app.db.rows.override_approval import (
    OverrideApprovalRow,
    OverrideDelegationRow,
    OverrideReadRow,
)
from app.db.rows.override_request import OverrideRequestRow, OverrideVersionRow
from app.db.rows.policy import PolicyPartyRow, PolicyRow
from app.db.rows.policy_term import PolicyTermRow
from app.db.rows.reevaluation_run import ReevaluationRunRow
from app.db.rows.referral import ReferralRow
from app.db.rows.rule_set import RuleSetActivationRow, RuleSetVersionRow
from app.db.rows.rule_set_draft import RuleSetAuthorRow, RuleSetDraftEditorRow, RuleSetDraftRow
from app.db.rows.rule_set_publication import RuleSetPublicationRow
from app.db.rows.schedule import ScheduleRow
from app.db.rows.scoring_input import ScoringInputRow
from app.db.rows.scoring_state import ScoringStateRow
from app.db.rows.search_attempt import SearchAttemptRow
from app.db.rows.service_use import ProductServiceRow, ServiceUseRow
from app.db.rows.simulation import SimulationRow
from app.db.rows.simulation_mover import SimulationMoverRow
from app.db.rows.sla_policy import SlaEntryRow, SlaPolicyRow, StatutoryFloorRow
from app.db.rows.subject_key import SubjectKeyRow
from app.db.rows.survey import SurveyRow
from app.db.rows.tier_assignment import TierAssignmentRow
from app.db.rows.verification_attempt import VerificationAttemptRow

__all__ = [
    "ActorRow",
    "AuditEventRow",
    "BenefitGrantRow",
    "BenefitRow",
    "ClaimRow",
    "ConsentRow",
    "CustomerAliasRow",
    "CustomerRow",
    "DecisionRow",
    "EvidenceChunkRow",
    "EvidenceFileRow",
    "ExternalCheckRow",
    "IdempotencyKeyRow",
    "ImportChunkRow",
    "ImportRunRow",
    "ImportUploadChunkRow",
    "ImportUploadRow",
    "InteractionRow",
    "JobRow",
    "MarketBenchmarkRow",
    "ModelScoreRow",
    "OutboxEventRow",
    "OverrideApprovalRow",
    "OverrideDelegationRow",
    "OverrideEvidenceRow",
    "OverrideReadRow",
    "OverrideRequestRow",
    "OverrideRow",
    "OverrideVersionRow",
    "PolicyPartyRow",
    "PolicyRow",
    "PolicyTermRow",
    "ProductServiceRow",
    "ReevaluationRunRow",
    "ReferralRow",
    "RuleSetActivationRow",
    "RuleSetAuthorRow",
    "RuleSetDraftEditorRow",
    "RuleSetDraftRow",
    "RuleSetPublicationRow",
    "RuleSetVersionRow",
    "ScheduleRow",
    "ScoringInputRow",
    "ScoringStateRow",
    "SearchAttemptRow",
    "ServiceUseRow",
    "SimulationMoverRow",
    "SimulationRow",
    "SlaEntryRow",
    "SlaPolicyRow",
    "StatutoryFloorRow",
    "SubjectKeyRow",
    "SurveyRow",
    "TierAssignmentRow",
    "VerificationAttemptRow",
]
