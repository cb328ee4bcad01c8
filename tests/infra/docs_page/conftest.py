"""The fixtures of the features: the page is tested on the whole application."""

from tests.features.conftest import api, templates

__all__ = ["api", "templates"]
