"""Record files written in pieces, under their own name only once complete."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet


class RecordFile:
    """One Parquet or CSV file, by the suffix of its path, written piece by piece.

    Use as a context: on leaving normally the file takes its name, on an error it is removed.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.rows = 0
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        self._schema = schema
        if path.suffix == ".csv":
            self._writer = pyarrow.csv.CSVWriter(self._partial, schema)
        else:
            self._writer = pyarrow.parquet.ParquetWriter(
                self._partial, schema, compression="zstd", compression_level=1
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file and give it its name, or remove it after an error."""
        try:
            self._writer.close()
        finally:
            if kind is not None:
                self._partial.unlink(missing_ok=True)
        if kind is None:
            self._partial.replace(self._path)

    def write(self, columns: Mapping[str, pa.Array]) -> None:
        """Append rows given as columns, in the order of the schema."""
        piece = pa.Table.from_arrays(
            [columns[name] for name in self._schema.names], schema=self._schema
        )
        self._writer.write_table(piece)
        self.rows += piece.num_rows
