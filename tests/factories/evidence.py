"""Small files of each type that evidence may be, whole and honest."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Final

TEXT: Final = "尊敬的客户经理：兹证明上述并购已完成。\r\n\tSee the attached contract.\n".encode()

#: One grey pixel.
JPEG: Final = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300"
    + "01" * 64
    + "ffc0000b080001000101011100ffc40014000100000000000000000000000000000009"
    "ffc40014100100000000000000000000000000000000ffda0008010100003f0054dfffd9"
)


def pdf(body: bytes = b"") -> bytes:
    """A page with nothing on it, but what is put in."""
    objects = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\n" + body
    table = b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1/Root 1 0 R>>\n"
    return objects + table + b"startxref\n%d\n%%%%EOF\n" % len(objects)


def png_chunk(kind: bytes, data: bytes = b"") -> bytes:
    """A chunk with its length and checksum."""
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def png(*further: bytes, pixels: bytes = b"\x00\x00") -> bytes:
    """One grey pixel, with further chunks before it."""
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", bytes.fromhex("00000001000000010800000000")),
            *further,
            png_chunk(b"IDAT", zlib.compress(pixels)),
            png_chunk(b"IEND"),
        ]
    )


def archive() -> bytes:
    """A ZIP with one file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as opened:
        opened.writestr("run.js", "alert(1)")
    return target.getvalue()
