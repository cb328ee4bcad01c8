"""The import desk, for faults within the test's own transaction, and a nursery of processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.nursery import Nursery, open_nursery
from tests.features.imports.conftest import desk, vault

__all__ = ["desk", "nursery", "vault"]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with open_nursery() as opened:
        yield opened
