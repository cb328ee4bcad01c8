"""Evidence as people send it and fetch it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from httpx import Response

from tests.api import Caller
from tests.factories.evidence import pdf
from tests.features.overrides.desk import MIA, PURPOSE, Overrides

#: What no place may hold in clear.
SECRET: Final = b"SENTINEL-110101199001011237"
FORM: Final = {"Content-Type": "multipart/form-data; boundary=b"}
HEAD: Final = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n"
)
TAIL: Final = b"\r\n--b--\r\n"


def sized(size: int) -> bytes:
    """A PDF of just that size."""
    rest = len(pdf(b"%\n"))
    content = pdf(b"%" + b"x" * (size - rest - 10) + b"\n")
    return content.rstrip(b"\n") + b"\n" * (size - len(content.rstrip(b"\n")))


def sha256(content: bytes) -> str:
    """What a file is known by."""
    return hashlib.sha256(content).hexdigest()


@dataclass(slots=True)
class Files:
    """The evidence of one request."""

    overrides: Overrides
    id: str

    @property
    def path(self) -> str:
        """Where it is sent."""
        return f"/v1/overrides/{self.id}/evidence"

    async def send(
        self,
        content: bytes = b"",
        name: str = "a.pdf",
        kind: str = "application/pdf",
        *,
        caller: Caller | None = MIA,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Add a file; a PDF unless something else is said."""
        sent = {"file": (name, content or pdf(), kind)}
        return await self.overrides.api.call("POST", self.path, caller, headers=headers, files=sent)

    async def add(self, content: bytes = b"", name: str = "a.pdf") -> dict[str, Any]:
        """Add a PDF that is taken."""
        answer = await self.send(content, name)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def get(
        self, content_or_digest: bytes | str, caller: Caller = MIA, *, purpose: bool = True
    ) -> Response:
        """Fetch a file by what it holds, or by its digest."""
        known = content_or_digest
        digest = known if isinstance(known, str) else sha256(known)
        return await self.overrides.api.get(
            f"{self.path}/{digest}", caller, headers=PURPOSE if purpose else None
        )
