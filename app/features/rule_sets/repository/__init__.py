"""SQL of the rule sets."""

from app.features.rule_sets.repository.versions import (
    StoredActivation,
    StoredVersion,
    end_activations,
    find_by_hash,
    find_document,
    has_activations,
    has_more_customers,
    insert_version,
    is_in_force_from,
    list_activations,
    list_in_force,
    list_versions,
    lock_writes,
    newest_version,
    put_in_force,
)

__all__ = [
    "StoredActivation",
    "StoredVersion",
    "end_activations",
    "find_by_hash",
    "find_document",
    "has_activations",
    "has_more_customers",
    "insert_version",
    "is_in_force_from",
    "list_activations",
    "list_in_force",
    "list_versions",
    "lock_writes",
    "newest_version",
    "put_in_force",
]
