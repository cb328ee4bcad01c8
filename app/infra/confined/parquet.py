"""Parquet files as batches of rows, none of which is large.

A value that a file holds once may stand in every row of it, and a page say of itself what it likes,
so that sizes are known only once the rows are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from app.infra.confined.refusal import Refused

LARGEST_BATCH_BYTES: Final = 64 << 20
_READ_BYTES: Final = 1 << 20


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema that batches have: values themselves, no places in a dictionary."""
    return pa.schema([field.with_type(_plain(field.type)) for field in schema])


def read(order: dict[str, Any], out: IO[bytes]) -> None:
    """Write the batches of a file's columns as an Arrow stream.

    Raises:
        Refused: a part is damaged, or a row is far too large.
    """
    try:
        with pq.ParquetFile(order["path"], pre_buffer=False, buffer_size=_READ_BYTES) as opened:
            schema = plain_schema(opened.schema_arrow)
            columns = order["columns"]
            wanted = pa.schema([schema.field(name) for name in columns])
            with pa.ipc.new_stream(out, wanted) as stream:
                for batch in opened.iter_batches(order["rows"], columns=columns, use_threads=False):
                    for part in light_parts(_cast(batch.select(columns), wanted)):
                        stream.write_batch(part)
    except (pa.ArrowInvalid, OSError):
        # Arrow calls damaged contents an input error too.
        what = "a part of the file is damaged"
        raise Refused("", what, "copy it again from its source") from None


def light_parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in parts that are small enough to be handed on.

    Raises:
        Refused: a row is larger than a batch may be.
    """
    if batch.nbytes <= LARGEST_BATCH_BYTES:
        yield batch
        return
    if batch.num_rows == 1:
        what = f"a row of more than {LARGEST_BATCH_BYTES:,} bytes"
        raise Refused("", what, "leave out what is no value of a customer")
    half = batch.num_rows // 2
    yield from light_parts(batch.slice(0, half))
    yield from light_parts(batch.slice(half))


def _cast(batch: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    return batch if batch.schema.equals(wanted) else batch.cast(wanted)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
