"""A file is on its way to the disk while it comes: little of it is ever in memory."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Final

import pytest
from sqlalchemy import text

from app.infra.database import AsyncSession
from app.infra.multipart import _HANDED_ON_BYTES
from app.infra.spool import BLOCK_BYTES, SealedSpool
from tests.features.imports.feed import Feed

pytestmark = pytest.mark.anyio

PIECE: Final = b"C0000001,individual,\n" * 3_000
HEAD: Final = b"customer_id,kind,gender\n"
LARGE: Final = 5_000_000 // len(PIECE)
FORM: Final = {"Content-Type": "multipart/form-data; boundary=b"}
FRAME: Final = b"--b\r\nContent-Disposition: form-data; name="
#: What may have come without being on the disk: what is handed on at a time, and one piece.
MOST_WAITING: Final = _HANDED_ON_BYTES + 2 * len(PIECE)


@dataclass
class Upload:
    """A file that is sent piece by piece, and what has become of it."""

    pieces: int
    sent: int = 0
    spooled: int = 0
    waiting: list[int] = field(default_factory=list)
    in_the_spool: list[int] = field(default_factory=list)

    async def body(self) -> AsyncIterator[bytes]:
        """The form, of which the file comes last."""
        yield FRAME + b'"record"\r\n\r\ncustomers\r\n'
        yield FRAME + b'"file"; filename="customers.csv"\r\n\r\n' + HEAD
        self.sent += len(HEAD)
        for _ in range(self.pieces):
            # The piece before has been dealt with by now.
            self.waiting.append(self.sent - self.spooled)
            self.sent += len(PIECE)
            # A copy: the same bytes again would take no memory.
            yield bytes(bytearray(PIECE))
        yield b"\r\n--b--\r\n"


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Upload:
    """A large upload, whose way into the spool is looked at."""
    upload = Upload(LARGE)
    write_all = SealedSpool.write_all

    def watch(spool: SealedSpool, pieces: Iterable[bytes]) -> None:
        taken = list(pieces)
        write_all(spool, taken)
        upload.spooled += sum(map(len, taken))
        upload.in_the_spool.append(len(spool._waiting))  # noqa: SLF001 - what is not sealed.

    monkeypatch.setattr(SealedSpool, "write_all", watch)
    return upload


async def test_a_file_goes_to_the_disk_in_pieces_while_it_comes(
    feed: Feed, session: AsyncSession, watched: Upload
) -> None:
    answer = await feed.request("POST", "/v1/imports", content=watched.body(), headers=FORM)
    assert answer.status_code == 202, answer.text
    size = len(HEAD) + LARGE * len(PIECE)
    assert (watched.sent, watched.spooled) == (size, size)
    assert await session.scalar(text("SELECT size_bytes FROM import_uploads")) == size
    assert max(watched.waiting) <= MOST_WAITING
    assert max(watched.in_the_spool) < BLOCK_BYTES


async def test_a_larger_file_takes_no_more_memory(feed: Feed) -> None:
    async def peak(pieces: int) -> int:
        gc.collect()
        tracemalloc.start()
        try:
            answer = await feed.request(
                "POST", "/v1/imports", content=Upload(pieces).body(), headers=FORM
            )
            found = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert answer.status_code == 202, answer.text
        return found

    # What is only made once, such as statements, is made.
    await peak(1)
    # Kept in memory it would be twice as much; a block more or less is the allocator's.
    assert await peak(3 * LARGE) - await peak(LARGE) < LARGE * len(PIECE)
