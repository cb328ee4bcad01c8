"""XLSX workbooks written by hand, so that a test can make every mistake there is."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
#: Style 1 is a day, style 2 five digits with zeros in front.
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="00000"/>'
    '</numFmts><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/>'
    '<xf numFmtId="164"/></cellXfs></styleSheet>'
)


@dataclass(frozen=True)
class Cell:
    """A cell with a style or of a kind of its own."""

    value: object
    style: int = 0
    kind: str = "n"


def rows_of(rows: Sequence[Sequence[object]], first_row: int = 1) -> str:
    """Rows as the XML of a sheet; None is no cell."""
    return "".join(
        f'<row r="{number}">'
        + "".join(
            _cell(f"{chr(64 + column)}{number}", value)
            for column, value in enumerate(row, 1)
            if value is not None
        )
        + "</row>"
        for number, row in enumerate(rows, first_row)
    )


def _cell(place: str, value: object) -> str:
    if isinstance(value, str):
        text = value.replace("&", "&amp;").replace("<", "&lt;")
        return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'
    cell = value if isinstance(value, Cell) else Cell(value)
    if isinstance(cell.value, bool):
        return f'<c r="{place}" t="b"><v>{int(cell.value)}</v></c>'
    return f'<c r="{place}" s="{cell.style}" t="{cell.kind}"><v>{cell.value}</v></c>'


def workbook(
    sheets: Mapping[str, str] | str, *, after: str = "", extra: Mapping[str, bytes] | None = None
) -> bytes:
    """A workbook of sheets, each the XML of its rows; `after` follows the rows."""
    named = {"Sheet1": sheets} if isinstance(sheets, str) else sheets
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
            'ContentType="application/xml"/></Types>',
        )
        package.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        links = "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(named, 1)
        )
        package.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>{links}</sheets></workbook>',
        )
        targets = "".join(
            f'<Relationship Id="r{n}" Type="{LINKS}/worksheet" Target="worksheets/s{n}.xml"/>'
            for n in range(1, len(named) + 1)
        )
        package.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}/relationships">{targets}'
            f'<Relationship Id="st" Type="{LINKS}/styles" Target="styles.xml"/></Relationships>',
        )
        package.writestr("xl/styles.xml", STYLES)
        for number, rows in enumerate(named.values(), 1):
            package.writestr(
                f"xl/worksheets/s{number}.xml",
                f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{after}</worksheet>',
            )
        for name, raw in (extra or {}).items():
            package.writestr(name, raw)
    return content.getvalue()
