"""What callers send and are answered about overrides."""

from app.features.overrides.schemas.inbox import InboxQuery, InboxRead
from app.features.overrides.schemas.read import OverrideRead
from app.features.overrides.schemas.write import (
    ApprovalCreate,
    BulkOverrideCreate,
    OverrideCreate,
    OverrideRevoke,
    OverrideWrite,
)

__all__ = [
    "ApprovalCreate",
    "BulkOverrideCreate",
    "InboxQuery",
    "InboxRead",
    "OverrideCreate",
    "OverrideRead",
    "OverrideRevoke",
    "OverrideWrite",
]
