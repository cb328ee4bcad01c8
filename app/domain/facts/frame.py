"""Facts as a Polars frame, typed as the catalogue says."""

from typing import Protocol

import polars as pl

from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import FactType


class ArrowStream(Protocol):
    """Anything that hands out its rows by the Arrow PyCapsule protocol."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A capsule of the stream."""


_TYPES: dict[FactType, type[pl.DataType]] = {
    FactType.INT: pl.Int64,
    FactType.DECIMAL: pl.Int64,
    FactType.BOOL: pl.Boolean,
    FactType.ENUM: pl.String,
    FactType.STRING: pl.String,
    FactType.DATE: pl.Date,
}

SCHEMA = pl.Schema(
    {"customer_id": pl.String} | {name: _TYPES[fact.type] for name, fact in CATALOGUE.items()}
)
"""Column types of every facts frame: `customer_id`, then the facts in the catalogue's order."""


def facts_frame(table: ArrowStream) -> pl.DataFrame:
    """A facts frame of Arrow data, as a batch of the book.

    Raises:
        polars.exceptions.PolarsError: a fact is missing, or holds what its type cannot.
    """
    frame = pl.DataFrame(table)
    return frame.select(SCHEMA.names()).cast(SCHEMA)
