"""The process that reads a file or proves a document: one order from standard input, limits first.

What it finds goes to standard output, and why it refuses a file to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from typing import IO, Any, Final, Protocol, cast

from app.infra.confined.parent import FAILED, REFUSED
from app.infra.confined.refusal import Refused

#: Where the tasks are. Only the one that is wanted is imported.
_TASKS: Final = {
    "examine-workbook": ("app.infra.confined.workbook", "examine"),
    "read-workbook": ("app.infra.confined.workbook", "read"),
    "read-form": ("app.infra.confined.form", "read"),
    "read-parquet": ("app.infra.confined.parquet", "read"),
    "prove": ("app.infra.confined.proof", "prove"),
}


class _Task(Protocol):
    def __call__(self, order: dict[str, Any], out: IO[bytes]) -> None: ...


def main() -> int:
    """Carry out the order; the status to exit with."""
    order = json.loads(sys.stdin.buffer.read())
    words = _keep_standard_error()
    task = task_of(order["task"])
    _limit(order["limits"]["memory_bytes"])
    try:
        with sys.stdout.buffer as out:
            task(order, out)
    except Refused as refused:
        os.write(words, json.dumps(refused.args).encode())
        return REFUSED
    except BaseException:  # noqa: BLE001 - whatever it is, it comes of the file.
        return FAILED
    return 0


def task_of(name: str) -> _Task:
    """What carries out an order, imported with what it needs."""
    # Arrow imports NumPy if it is there, which takes as long as all else; no task uses it.
    sys.modules["numpy"] = None  # type: ignore[assignment] # a module that is not to be found.
    module, function = _TASKS[name]
    return cast("_Task", getattr(importlib.import_module(module), function))


def _keep_standard_error() -> int:
    """Standard error for ourselves: what libraries write there may quote the file."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device.
        os.dup2(nowhere.fileno(), 2)
    return kept


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # What was in memory is in clear: it stays out of a file that nobody asked for.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    # Neither threads of libraries nor their destructors have anything left to do.
    os._exit(main())
