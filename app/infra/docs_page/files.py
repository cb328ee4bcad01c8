"""What the page is made of."""

from __future__ import annotations

from importlib import resources


def read_asset(name: str) -> str:
    """The text of a file that ships with this package."""
    asset = resources.files("app.infra.docs_page").joinpath("assets", name)
    return asset.read_text(encoding="utf-8")
