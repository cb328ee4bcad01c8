"""The rule sets that travel with the package, as their authors wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

from app.infra.documents import read_document

_FOLDER: Final = "app.templates"
_SUFFIX: Final = ".yaml"


@cache
def shipped_templates() -> Mapping[str, Mapping[str, object]]:
    """Each by what other documents extend it as, like `motor@1`, in the order of their names."""
    files = sorted(resources.files(_FOLDER).iterdir(), key=lambda file: file.name)
    return MappingProxyType(
        {
            f"{file.name.removesuffix(_SUFFIX)}@1": read_document(file.read_text(encoding="utf-8"))
            for file in files
            if file.name.endswith(_SUFFIX)
        }
    )
