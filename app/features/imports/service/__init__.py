"""The use cases of imports."""

from app.features.imports.service.results import ImportResult, RecordCounts, Tally
from app.features.imports.service.rows import RowError, RowsRejected, write_records
from app.features.imports.service.running import ImportOptions, Surroundings, run_import

__all__ = [
    "ImportOptions",
    "ImportResult",
    "RecordCounts",
    "RowError",
    "RowsRejected",
    "Surroundings",
    "Tally",
    "run_import",
    "write_records",
]
