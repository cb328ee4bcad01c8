"""The use cases of imports."""

from app.features.imports.service.merging import Merge, merge_customer
from app.features.imports.service.ordering import (
    JOB_KIND,
    UPLOAD_PLACE,
    ImportOrder,
    Ordered,
    check_choice,
    get_ordered,
    order_import,
)
from app.features.imports.service.reading import OrderedImport, get_import, rejected_lines
from app.features.imports.service.results import ImportResult, RecordCounts, Tally
from app.features.imports.service.rows import RowError, RowsRejected, write_records
from app.features.imports.service.running import Choice, ImportOptions, Surroundings, run_import
from app.features.imports.service.working import (
    do_import,
    remove_left_behind_files,
    remove_unwanted_uploads,
)

__all__ = [
    "JOB_KIND",
    "UPLOAD_PLACE",
    "Choice",
    "ImportOptions",
    "ImportOrder",
    "ImportResult",
    "Merge",
    "Ordered",
    "OrderedImport",
    "RecordCounts",
    "RowError",
    "RowsRejected",
    "Surroundings",
    "Tally",
    "check_choice",
    "do_import",
    "get_import",
    "get_ordered",
    "merge_customer",
    "order_import",
    "rejected_lines",
    "remove_left_behind_files",
    "remove_unwanted_uploads",
    "run_import",
    "write_records",
]
