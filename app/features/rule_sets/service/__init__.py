"""The use cases of rule sets."""

from app.features.rule_sets.repository import StoredActivation, StoredVersion
from app.features.rule_sets.service.activating import (
    activate,
    deactivate,
    list_activations,
    lock_activations,
    store_published,
)
from app.features.rule_sets.service.changes import (
    Changes,
    list_draft_changes,
    list_version_changes,
)
from app.features.rule_sets.service.checking import (
    Checked,
    CheckedFinding,
    Counted,
    check_raw,
    check_upload,
)
from app.features.rule_sets.service.counting import Count, Uncounted
from app.features.rule_sets.service.drafts import (
    DraftOpening,
    DraftSource,
    Editing,
    OpenDraft,
    compile_draft,
    discard_draft,
    find_open_draft,
    get_draft,
    get_open_draft,
    list_authors,
    open_draft,
    readable_for,
    revise_draft,
)
from app.features.rule_sets.service.listing import (
    ListedRuleSet,
    Listing,
    Template,
    list_all,
    list_rule_sets,
    list_templates,
)
from app.features.rule_sets.service.reading import read_body
from app.features.rule_sets.service.versions import (
    BEGINNING,
    RuleSet,
    get_version,
    install_templates,
    load_document,
    load_raw,
    read_written,
    require_version,
    resolve,
    resolve_all,
    shipped_documents,
)
from app.features.rule_sets.service.wording import WordedFinding
from app.infra.exchange.reading import READABLE, read_decisions
from app.infra.exchange.writing import SUFFIXES, represent
from app.infra.media_types import DMN, JSON, PMML, YAML

__all__ = [
    "BEGINNING",
    "DMN",
    "JSON",
    "PMML",
    "READABLE",
    "SUFFIXES",
    "YAML",
    "Changes",
    "Checked",
    "CheckedFinding",
    "Count",
    "Counted",
    "DraftOpening",
    "DraftSource",
    "Editing",
    "ListedRuleSet",
    "Listing",
    "OpenDraft",
    "RuleSet",
    "StoredActivation",
    "StoredVersion",
    "Template",
    "Uncounted",
    "WordedFinding",
    "activate",
    "check_raw",
    "check_upload",
    "compile_draft",
    "deactivate",
    "discard_draft",
    "find_open_draft",
    "get_draft",
    "get_open_draft",
    "get_version",
    "install_templates",
    "list_activations",
    "list_all",
    "list_authors",
    "list_draft_changes",
    "list_rule_sets",
    "list_templates",
    "list_version_changes",
    "load_document",
    "load_raw",
    "lock_activations",
    "open_draft",
    "read_body",
    "read_decisions",
    "read_written",
    "readable_for",
    "represent",
    "require_version",
    "resolve",
    "resolve_all",
    "revise_draft",
    "shipped_documents",
    "store_published",
]
