"""The fixtures of the features: the page is tested on the whole application."""

from tests.features.conftest import (
    api,
    database,
    keys,
    rules_in_stock,
    settings,
    stock,
    templates,
)

__all__ = [
    "api",
    "database",
    "keys",
    "rules_in_stock",
    "settings",
    "stock",
    "templates",
]
