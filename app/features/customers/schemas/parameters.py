"""What routes about customers share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from app.infra.locale import Locale

CustomerId = Annotated[
    str,
    Path(
        pattern="^[A-Za-z0-9._-]{1,64}$",
        description="The insurer's own id, case-sensitive; an id merged away finds the survivor.",
        examples=["C-1001"],
    ),
]


def in_language(locale: Locale) -> dict[str, str]:
    """Headers of an answer with texts for people."""
    return {"Content-Language": locale.value, "Vary": "Accept-Language"}
