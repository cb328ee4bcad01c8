"""What a file of evidence is: what its bytes say, if its sender says the same."""

from __future__ import annotations

import re
import tracemalloc
import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.overrides.media import EXTENSIONS, EvidenceJudge
from app.domain.words import EVIDENCE_TYPES, EvidenceType
from tests.factories.evidence import JPEG, TEXT, archive, pdf, png, png_chunk

HONEST: dict[EvidenceType, bytes] = {
    "application/pdf": pdf(),
    "image/png": png(),
    "image/jpeg": JPEG,
    "text/plain": TEXT,
}
ZIPPED = archive()


def judged(content: bytes, declared: str, name: str, *, piece: int = 1 << 16) -> str:
    judge = EvidenceJudge()
    for start in range(0, len(content), piece):
        judge.feed(content[start : start + piece])
    assert judge.size_bytes == len(content)
    return judge.verdict(declared=declared, file_name=name)


def as_honest(content: bytes, kind: EvidenceType) -> str | None:
    """What a file is found to be whose sender calls it so; None if it is refused."""
    try:
        return judged(content, kind, f"a.{EXTENSIONS[kind][0]}")
    except Invalid:
        return None


@pytest.mark.parametrize("kind", EVIDENCE_TYPES)
@pytest.mark.parametrize("piece", [1, 2, 3, 7, 8, 9, 100, 1 << 20])
def test_an_honest_file_is_what_it_says_however_it_comes(kind: EvidenceType, piece: int) -> None:
    for extension in EXTENSIONS[kind]:
        for name in (f"a.{extension}", f"合同.final.{extension.upper()}"):
            assert judged(HONEST[kind], kind, name, piece=piece) == kind


@pytest.mark.parametrize("kind", EVIDENCE_TYPES)
@pytest.mark.parametrize("said", EVIDENCE_TYPES)
def test_bytes_declaration_and_name_agree_or_it_is_refused(
    kind: EvidenceType, said: EvidenceType
) -> None:
    for declared, named in ((said, kind), (kind, said), (said, said)):
        name = f"a.{EXTENSIONS[named][0]}"
        if said == kind:
            assert judged(HONEST[kind], declared, name) == kind
        else:
            with pytest.raises(Invalid, match="accepted: application/pdf") as refused:
                judged(HONEST[kind], declared, name)
            assert refused.value.type == "evidence-type"


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ("application/octet-stream", "a.txt"),
        ("", "a.txt"),
        ("text", "a.txt"),
        ("text/plain/x", "a.txt"),
        ("text/html", "a.txt"),
        ("text/plain; charset=utf-16", "a.txt"),
        ('text/plain; charset="gb18030"', "a.txt"),
        ("text/plain, image/png", "a.txt"),
        ("text/plain", "a"),
        ("text/plain", ".txt"),
        ("text/plain", "a.txt.exe"),
        ("text/plain", "a.txt "),
        ("text/plain", "a.htm"),
        ("text/plain", ""),
    ],
)
def test_a_declaration_that_says_nothing_or_something_else(declared: str, name: str) -> None:
    with pytest.raises(Invalid, match="accepted"):
        judged(TEXT, declared, name)


@pytest.mark.parametrize(
    "declared", ["TEXT/PLAIN", " text/plain ;charset=UTF-8", 'text/plain; charset="utf-8"; x=y']
)
def test_a_declaration_in_other_words(declared: str) -> None:
    assert judged(TEXT, declared, "a.txt") == "text/plain"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "text/plain"),
        (b"<html><script>alert(1)</script></html>", "application/pdf"),
        (b"%PDF-1.7\n<html>\nstartxref\n0\n%%EOF", "application/pdf"),
        (b"%PDF-1.7\n<!DOCTYPE html>\nstartxref\n0\n%%EOF", "application/pdf"),
        (pdf() + b"<html></html>", "application/pdf"),
        (pdf() + ZIPPED, "application/pdf"),
        (pdf(ZIPPED), "application/pdf"),
        (b"\n" + pdf(), "application/pdf"),
        (pdf().replace(b"startxref", b"startxxxx"), "application/pdf"),
        (b"%PDF-", "application/pdf"),
        (b"%PDF-1.7\n%%EOF", "application/pdf"),
        (png() + b"\x00", "image/png"),
        (png() + ZIPPED, "image/png"),
        (png() + png_chunk(b"IEND"), "image/png"),
        (png(png_chunk(b"zzZz", b"<script >")), "image/png"),
        (png(png_chunk(b"zzZz", pdf())), "image/png"),
        (png(png_chunk(b"IHDR", bytes(13))), "image/png"),
        (png(png_chunk(b"1234")), "image/png"),
        (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IDAT") + png_chunk(b"IEND"), "image/png"),
        (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR") + png_chunk(b"IEND"), "image/png"),
        (b"\x89PNG\r\n\x1a\nMZ and then something else\x00\x00\x00\x00IEND\xaeB`\x82", "image/png"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (JPEG + b"\x00", "image/jpeg"),
        (JPEG + ZIPPED, "image/jpeg"),
        (JPEG[:2] + b"\xff\xfe\x00\x08<svg />" + JPEG[2:], "image/jpeg"),
        (JPEG.replace(b"\xff\xc0", b"\xff\xc8"), "image/jpeg"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\xff\xd8\xff\xd9", "image/jpeg"),
        (b"\xff\xd8\xff\xe0\x00\x01" + JPEG[4:], "image/jpeg"),
        (b"\xff\xd8\xff\xd8" + JPEG[4:], "image/jpeg"),
        (b"\xff\xd8\xff\xe0\x00\x04ab something else \xff\xd9", "image/jpeg"),
        (ZIPPED, "text/plain"),
        (b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff", "text/plain"),
        (b"\x7fELF\x02\x01\x01", "text/plain"),
        ("Brief".encode("utf-16"), "text/plain"),
        ("Brief".encode("utf-16-le"), "text/plain"),
        ("客户".encode("gb18030"), "text/plain"),
        (b"Caf\xe9", "text/plain"),
        (b"cut off \xe5\xae", "text/plain"),
        (b"a\x00b", "text/plain"),
        (b"a\x1b[2Jb", "text/plain"),
        (b"a\x0cb", "text/plain"),
        (b"a\x7fb", "text/plain"),
        ("a\u0085b".encode(), "text/plain"),
        ("pay \u202e001\u202c".encode(), "text/plain"),
        ("a\u2066b".encode(), "text/plain"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "text/plain"),
        (b"  <?xml version='1.0'?><a/>", "text/plain"),
        (b"\xef\xbb\xbf<!-- x --><p>", "text/plain"),
        (b"Dear all <SCRIPT src=x>", "text/plain"),
        (b"<?php system($_GET[0]);", "text/plain"),
        (b"#!/bin/sh\nrm -r /\n", "text/plain"),
        (b"%!PS-Adobe-3.0\n", "text/plain"),
        (b"{\\rtf1 x}", "text/plain"),
        (b"x " + pdf().replace(b"\xe2\xe3\xcf\xd3", b""), "text/plain"),
    ],
)  # fmt: skip
def test_a_file_that_lies_about_its_type_is_refused(content: bytes, kind: EvidenceType) -> None:
    assert as_honest(content, kind) is None


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "\ufeffwith a byte order mark",
        "<john@example.com> wrote: 3 < 5 > 2",
        "الحمد لله",
        "👨\u200d👩\u200d👧 family",
        "=SUM(A1) +1 -1 @x",
        "MZ is a country's code, PK another's",
    ],
)
def test_a_text_may_say_anything(text: str) -> None:
    assert as_honest(text.encode(), "text/plain") == "text/plain"


@given(st.sampled_from(EVIDENCE_TYPES[:3]), st.data())
def test_a_file_that_was_cut_off_is_refused(kind: EvidenceType, data: st.DataObject) -> None:
    content = HONEST[kind].rstrip(b"\n")
    assert as_honest(content, kind) == kind
    cut = data.draw(st.integers(0, len(content) - 1))
    assert as_honest(content[:cut], kind) is None


@given(st.integers(0, len(HONEST["image/png"]) - 1), st.integers(1, 255))
def test_a_picture_is_refused_of_which_one_byte_was_changed(place: int, change: int) -> None:
    damaged = bytearray(HONEST["image/png"])
    damaged[place] ^= change
    assert as_honest(bytes(damaged), "image/png") is None


@given(st.binary(max_size=300), st.sampled_from(EVIDENCE_TYPES), st.integers(1, 50))
def test_nothing_that_is_sent_is_an_error_of_ours(
    content: bytes, kind: EvidenceType, piece: int
) -> None:
    for whole in (content, HONEST[kind] + content, HONEST[kind][:20] + content, content + ZIPPED):
        found = as_honest(whole, kind)
        assert found in {None, kind}
        if found is not None:
            assert judged(whole, kind, f"a.{EXTENSIONS[kind][0]}", piece=piece) == kind


@given(st.text(max_size=200))
def test_a_text_is_one_by_the_same_rule_wherever_it_is_cut(text: str) -> None:
    content = text.encode(errors="ignore")
    whole = as_honest(content, "text/plain")
    try:
        cut: str | None = judged(content, "text/plain", "a.txt", piece=1)
    except Invalid:
        cut = None
    assert whole == cut
    if whole is not None:
        assert re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", content.decode()) is None


def test_bytes_that_fill_the_room_between_segments_are_passed_over() -> None:
    assert as_honest(JPEG[:2] + b"\xff\xff" + JPEG[2:], "image/jpeg") == "image/jpeg"


def test_an_archive_hidden_before_a_long_comment_is_found() -> None:
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as opened:
        opened.writestr("a", "b")
        opened.comment = b"\nstartxref\n0\n%%EOF".rjust(65_535, b" ")
    hidden = pdf()[:60] + target.getvalue()
    with zipfile.ZipFile(BytesIO(hidden)) as opened:
        assert opened.read("a") == b"b"
    assert as_honest(hidden, "application/pdf") is None


def test_a_large_picture_takes_no_more_memory_than_a_small_one() -> None:
    pixels = bytes(range(256)) * 30_000
    chunk = png_chunk(b"zzZz", pixels)
    content = png(chunk)
    pieces = [content[start : start + 50_000] for start in range(0, len(content), 50_000)]
    tracemalloc.start()
    try:
        judge = EvidenceJudge()
        for piece in pieces:
            judge.feed(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert judge.verdict(declared="image/png", file_name="a.png") == "image/png"
    assert peak < 1_000_000 < len(content)
