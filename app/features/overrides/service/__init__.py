"""The use cases of overrides."""

from app.features.overrides.repository.inbox import InboxFilter
from app.features.overrides.service.cases import Acting, Case, get_case
from app.features.overrides.service.clockwork import Due, Tick, keep_time
from app.features.overrides.service.closing import revoke, withdraw
from app.features.overrides.service.deciding import Decided, Verdict, decide
from app.features.overrides.service.downloading import OpenedFile, open_evidence
from app.features.overrides.service.evidence import (
    Arrival,
    NamedFile,
    remove_expired_evidence,
)
from app.features.overrides.service.reading import (
    InboxPage,
    Listed,
    Told,
    list_requests,
    tell_case,
)
from app.features.overrides.service.requests import (
    CustomersRefusedError,
    add_evidence,
    create_request,
    lock_revisable,
    revise,
)

__all__ = [
    "Acting",
    "Arrival",
    "Case",
    "CustomersRefusedError",
    "Decided",
    "Due",
    "InboxFilter",
    "InboxPage",
    "Listed",
    "NamedFile",
    "OpenedFile",
    "Tick",
    "Told",
    "Verdict",
    "add_evidence",
    "create_request",
    "decide",
    "get_case",
    "keep_time",
    "list_requests",
    "lock_revisable",
    "open_evidence",
    "remove_expired_evidence",
    "revise",
    "revoke",
    "tell_case",
    "withdraw",
]
