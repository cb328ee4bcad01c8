"""The use cases of scoring."""

from app.features.scoring.service.chunks import COPIED, benchmark_versions, copy_decisions
from app.features.scoring.service.decisions import (
    Replay,
    TracedDecision,
    get_decision,
    replay_decision,
    trace_decision,
)
from app.features.scoring.service.evaluate import (
    SNAPSHOT_PLACE,
    Stored,
    evaluate_customer,
    evaluate_customers,
)
from app.features.scoring.service.what_if import Trial, try_facts

__all__ = [
    "COPIED",
    "SNAPSHOT_PLACE",
    "Replay",
    "Stored",
    "TracedDecision",
    "Trial",
    "benchmark_versions",
    "copy_decisions",
    "evaluate_customer",
    "evaluate_customers",
    "get_decision",
    "replay_decision",
    "trace_decision",
    "try_facts",
]
