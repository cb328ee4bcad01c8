"""The fixtures of the features: contracts are tested on the whole application too."""

from __future__ import annotations

from tests.features.conftest import api, templates

__all__ = ["api", "templates"]
