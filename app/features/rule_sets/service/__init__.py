"""The use cases of rule sets."""

from app.features.rule_sets.repository import StoredActivation, StoredVersion
from app.features.rule_sets.repository.drafts import StoredDraft
from app.features.rule_sets.service.activating import (
    activate,
    deactivate,
    list_activations,
    lock_activations,
    store_published,
)
from app.features.rule_sets.service.drafts import (
    Draft,
    DraftOpening,
    DraftSource,
    Editing,
    OpenDraft,
    compile_draft,
    discard_draft,
    find_open_draft,
    get_draft,
    get_open_draft,
    open_draft,
    readable_for,
    revise_draft,
)
from app.features.rule_sets.service.listing import (
    ListedRuleSet,
    ListedVersion,
    Template,
    list_rule_sets,
    list_templates,
)
from app.features.rule_sets.service.uploads import UnreadableError, read_upload, require_plain
from app.features.rule_sets.service.versions import (
    BEGINNING,
    RuleSet,
    get_version,
    install_templates,
    load_document,
    resolve,
    resolve_all,
    shipped_documents,
)

__all__ = [
    "BEGINNING",
    "Draft",
    "DraftOpening",
    "DraftSource",
    "Editing",
    "ListedRuleSet",
    "ListedVersion",
    "OpenDraft",
    "RuleSet",
    "StoredActivation",
    "StoredDraft",
    "StoredVersion",
    "Template",
    "UnreadableError",
    "activate",
    "compile_draft",
    "deactivate",
    "discard_draft",
    "find_open_draft",
    "get_draft",
    "get_open_draft",
    "get_version",
    "install_templates",
    "list_activations",
    "list_rule_sets",
    "list_templates",
    "load_document",
    "lock_activations",
    "open_draft",
    "read_upload",
    "readable_for",
    "require_plain",
    "resolve",
    "resolve_all",
    "revise_draft",
    "shipped_documents",
    "store_published",
]
