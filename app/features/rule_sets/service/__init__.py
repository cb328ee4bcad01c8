"""The use cases of rule sets."""

from app.features.rule_sets.repository import StoredActivation, StoredVersion
from app.features.rule_sets.service.changes import Changes, list_changes, list_version_changes
from app.features.rule_sets.service.checking import (
    Checked,
    CheckedFinding,
    Counted,
    check_raw,
    check_upload,
)
from app.features.rule_sets.service.counting import Count, Uncounted
from app.features.rule_sets.service.listing import (
    ListedRuleSet,
    ListedVersion,
    Template,
    list_rule_sets,
    list_templates,
)
from app.features.rule_sets.service.representations import PMML, SUFFIXES, represent
from app.features.rule_sets.service.uploads import (
    DMN,
    JSON,
    READABLE,
    YAML,
    read_decisions,
    read_upload,
)
from app.features.rule_sets.service.versions import (
    BEGINNING,
    RuleSet,
    get_version,
    install_templates,
    load_document,
    parse_text,
    resolve,
    resolve_all,
    shipped_documents,
)

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
    "ListedRuleSet",
    "ListedVersion",
    "RuleSet",
    "StoredActivation",
    "StoredVersion",
    "Template",
    "Uncounted",
    "check_raw",
    "check_upload",
    "get_version",
    "install_templates",
    "list_changes",
    "list_rule_sets",
    "list_templates",
    "list_version_changes",
    "load_document",
    "parse_text",
    "read_decisions",
    "read_upload",
    "represent",
    "resolve",
    "resolve_all",
    "shipped_documents",
]
