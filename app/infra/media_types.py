"""What bodies and files are called."""

from __future__ import annotations

from typing import Final

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
JSON: Final = "application/json"
YAML: Final = "application/yaml"
DMN: Final = "application/dmn+xml"
PMML: Final = "application/pmml+xml"
