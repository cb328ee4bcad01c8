"""Pages: a limit, and a sealed cursor that only its own caller can go on with."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Collection, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from app.domain.privacy.actor import Actor
from app.infra.cipher import MasterKey
from app.infra.problems import FieldError, ProblemError

_NONCE_BYTES: Final = 12


class PageQuery(BaseModel):
    """Which page of a listing is asked for; a listing may add its filters."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=200, description="Entries of a page, at most.")
    cursor: str | None = Field(
        default=None,
        max_length=512,
        pattern="^[A-Za-z0-9_-]+$",
        description="`next_cursor` of the page before; the first page without it.",
    )


def require_known_fields(request: Request, fields: Collection[str]) -> None:
    """See to it that a caller asks about nothing but what there is to ask about.

    What is unknown and what is closed to a role are refused alike.

    Raises:
        ProblemError: `field-not-permitted`.
    """
    if not set(request.query_params) <= set(fields):
        raise ProblemError("field-not-permitted")


class Cursors:
    """Seals the place where a page ended.

    A cursor is encrypted, since the place may tell of rows the caller is not shown, and bound to
    the listing, the caller and his role, so that nobody goes on with another's.

    Args:
        master: the master key, from which the cursors' own key is derived.
        listing: what is listed, with its parameters, as `tier-history:C1`.
        actor: who lists.
    """

    def __init__(self, master: MasterKey, listing: str, actor: Actor) -> None:
        self._aead = AESGCM(master.derive("cursor"))
        bound = [listing, actor.issuer, actor.subject, actor.role.value]
        self._bound = json.dumps(bound, ensure_ascii=False).encode()

    def seal(self, place: Sequence[str]) -> str:
        """The cursor of a place."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._aead.encrypt(nonce, json.dumps(list(place)).encode(), self._bound)
        return _written(nonce + sealed)

    def open(self, cursor: str) -> list[str]:
        """The place of a cursor.

        Raises:
            ProblemError: it is not one of ours, or was made for another caller, role or listing.
        """
        try:
            text = self._aead.decrypt(*_read(cursor), self._bound)
        except (binascii.Error, InvalidTag, ValueError):
            refused = FieldError(("query", "cursor"), "cursor_invalid")
            raise ProblemError("validation", errors=[refused]) from None
        return [str(part) for part in json.loads(text)]


def _read(cursor: str) -> tuple[bytes, bytes]:
    """Nonce and sealed place; ValueError unless written as we write them.

    Two spellings of one cursor would be two cursors that mean the same.
    """
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    if _written(raw) != cursor:
        raise ValueError
    return raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
