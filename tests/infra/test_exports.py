from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from app.infra.exports import open_export


def write_and_fail(path: Path) -> None:
    """Begin an export and break off."""
    with open_export(path, {"a": int}) as file:
        file.write([(1,)])
        message = "in the middle"
        raise RuntimeError(message)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_stood_there_stays_until_the_new_file_is_complete(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tiers.{suffix}"
    path.write_text("as it was")
    with pytest.raises(RuntimeError, match="in the middle"):
        write_and_fail(path)
    assert path.read_text() == "as it was"
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_an_export_of_nobody_is_a_file_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "none.parquet"
    with open_export(path, {"a": str, "b": datetime}) as file:
        file.write([])
    assert pq.read_table(path).num_rows == 0


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "cells.csv"
    with open_export(path, {"a": str, "b": int}) as file:
        file.write([(f"{mark}1+1", -1), (f"1{mark}1", 1)])
    first = path.read_bytes().decode().splitlines(keepends=True)[1].lstrip('"')
    assert first.startswith(f"'{mark}")
