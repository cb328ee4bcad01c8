"""The import desk, for faults within the test's own transaction."""

from tests.features.imports.conftest import desk, vault

__all__ = ["desk", "vault"]
