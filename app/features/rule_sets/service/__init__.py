"""The use cases of rule sets."""

from app.features.rule_sets.repository import StoredActivation, StoredVersion
from app.features.rule_sets.service.listing import (
    ListedRuleSet,
    ListedVersion,
    Template,
    list_rule_sets,
    list_templates,
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
    "ListedRuleSet",
    "ListedVersion",
    "RuleSet",
    "StoredActivation",
    "StoredVersion",
    "Template",
    "get_version",
    "install_templates",
    "list_rule_sets",
    "list_templates",
    "load_document",
    "parse_text",
    "resolve",
    "resolve_all",
    "shipped_documents",
]
