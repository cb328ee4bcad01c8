"""XML from outside: what is read, and what stops the reading."""

from xml.etree import ElementTree as ET

import pytest

from app.infra.documents import UnreadableError
from app.infra.xml_trees import MAX_BYTES, read_xml, write_xml

BOMB = (
    b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">'
    b'<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><a>&d;</a>'
)


def test_a_tree_comes_back_as_it_was_written() -> None:
    root = ET.Element("a", {"xmlns": "urn:x", "xmlns:t": "urn:t", "t:k": 'q"<\n'})
    ET.SubElement(root, "b").text = "高 & <i>"
    back = read_xml(write_xml(root))
    assert back.tag == "{urn:x}a"
    assert back.attrib == {"{urn:t}k": 'q"<\n'}
    assert back[0].tag == "{urn:x}b"
    assert back[0].text == "高 & <i>"


def test_other_encodings_that_are_declared_are_read() -> None:
    text = '<?xml version="1.0" encoding="{}"?><a>é</a>'
    assert read_xml(text.format("iso-8859-1").encode("iso-8859-1")).text == "é"
    assert read_xml(text.format("utf-16").encode("utf-16")).text == "é"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "syntax"),
        (b"a: 1", "syntax"),
        (b"<a>", "syntax"),
        (b"<a></b>", "syntax"),
        (b"<a/><b/>", "syntax"),
        (b"<a>&b;</a>", "syntax"),
        (b"<a>\x00</a>", "syntax"),
        (b"<a>\xff</a>", "syntax"),
        (b"<t:a/>", "syntax"),
        (BOMB, "doctype"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "doctype"),
        (b'<!DOCTYPE a [<!ENTITY e SYSTEM "http://localhost/">]><a>&e;</a>', "doctype"),
        (b"<!DOCTYPE a><a/>", "doctype"),
        (b"<a>" * 41 + b"</a>" * 41, "depth"),
        (b"<a>" * 200_000, "depth"),
        (b"<a>" + b"<b/>" * 500_000 + b"</a>", "length"),
        (b"<a>" + b" " * MAX_BYTES, "length"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "encoding"),
        (b'<?xml version="1.0" encoding="rot13"?><a/>', "encoding"),
    ],
)
def test_what_is_not_plain_xml_is_refused(body: bytes, rule: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_xml(body)
    assert caught.value.rule == rule
    assert ";" in caught.value.detail
