"""JSON lines without personal data.

A line is the event's template, never its arguments, unless it is one of ours; of an exception it
tells type, SQLSTATE and frames, never a message, a cause's message or a `DETAIL`, since those quote
rows. Paths are told as route templates only, by `app.infra.request_id`.
"""

from __future__ import annotations

import asyncio
import logging
import logging.config
import traceback
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import TracebackType
from typing import Any, Final, TextIO, TypeAlias

from pydantic_core import to_json

ExceptionInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

#: Loggers whose arguments hold no personal data.
TRUSTED: Final = ("app", "alembic")
#: What the server tells of itself. Its other messages are not told at all, since it puts paths into
#: some, and the message of an exception into others.
_SERVER: Final = "uvicorn"
_SERVER_TELLS: Final = frozenset(
    {
        "Started server process [%d]",
        "Waiting for application startup.",
        "Application startup complete.",
        "Application startup failed. Exiting.",
        "Uvicorn running on %s://%s:%d (Press CTRL+C to quit)",
        "Uvicorn running on %s://[%s]:%d (Press CTRL+C to quit)",
        "Shutting down",
        "Waiting for connections to close. (CTRL+C to force quit)",
        "Waiting for background tasks to complete. (CTRL+C to force quit)",
        "Cancel %s running task(s), timeout graceful shutdown exceeded",
        "Waiting for application shutdown.",
        "Application shutdown complete.",
        "Application shutdown failed. Exiting.",
        "Finished server process [%d]",
        "Invalid HTTP request received.",
        "Exception in ASGI application",
        "Exception in 'lifespan' protocol",
        "ASGI callable returned without starting response.",
        "ASGI callable returned without completing response.",
    }
)
#: What our own calls may add by `extra=`.
FIELDS: Final = (
    "request_id",
    "trace_id",
    "route",
    "status",
    "milliseconds",
    "reason",
    "count",
    "run_id",
    "job_id",
    "override_id",
    "kind",
    "attempt",
    "constraint",
)

_UNTOLD: Final = "a message of the server"

_LONGEST_CHAIN = 5
_MOST_FRAMES = 30


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(_LONGEST_CHAIN):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def describe_exception(error: BaseException) -> dict[str, object]:
    """What may be told of an exception: types, SQLSTATEs and where it went."""
    chain = list(_chain(error))
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    return {
        "types": [f"{type(link).__module__}.{type(link).__qualname__}" for link in chain],
        "sqlstates": [
            state for link in chain if isinstance(state := getattr(link, "sqlstate", None), str)
        ],
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


@cache
def _is_trusted(name: str) -> bool:
    return any(name == trusted or name.startswith(f"{trusted}.") for trusted in TRUSTED)


class ExceptionScrubber(logging.Filter):
    """Takes an exception off a record and leaves what may be told of it.

    It belongs on every handler, so that no formatter of any library ever sees the exception.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Scrub the record; it is always kept."""
        info: ExceptionInfo | None = record.exc_info
        if info is not None and info[1] is not None:
            record.exception = describe_exception(info[1])
        record.exc_info = None
        record.exc_text = None
        record.stack_info = None
        if isinstance(record.args, tuple) and any(
            isinstance(argument, BaseException) for argument in record.args
        ):
            record.args = tuple(
                type(argument).__name__ if isinstance(argument, BaseException) else argument
                for argument in record.args
            )
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, object] = {
            "at": f"{_second(int(record.created))}.{int(record.msecs):03}+00:00",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _event(record),
        }
        told = vars(record)
        line.update({name: told[name] for name in FIELDS if name in told})
        if "exception" in told:
            line["exception"] = told["exception"]
        return to_json(line, fallback=lambda value: type(value).__name__).decode()


class GatheringHandler(logging.StreamHandler[TextIO]):
    """Writes the lines of one turn of the event loop together.

    Under load that spares a call of the operating system for each request. A warning and whatever
    is worse is written at once, with what waits before it, and so is every line outside of a loop.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self._waiting: list[str] = []
        self._writes_next: asyncio.AbstractEventLoop | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line; the handler's lock is held."""
        try:
            self._waiting.append(self.format(record))
            loop = asyncio.get_running_loop() if record.levelno < logging.WARNING else None
        except RuntimeError:
            loop = None
        except Exception:  # noqa: BLE001 - a line that cannot be told is no reason to fail.
            self.handleError(record)
            return
        if loop is None:
            self.flush()
        elif self._writes_next is not loop:
            # Another loop may have ended before its turn came.
            self._writes_next = loop
            loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what waits."""
        with self.lock or nullcontext():
            lines, self._waiting, self._writes_next = self._waiting, [], None
            # Nobody may read any more; whoever wanted a line told goes on with his work.
            with suppress(OSError, ValueError):
                if lines:
                    self.stream.write("\n".join([*lines, ""]))
                super().flush()


@lru_cache(2)
def _second(timestamp: int) -> str:
    """A second of UTC; most lines are of the one before."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _event(record: logging.LogRecord) -> str:
    template = record.msg
    if not isinstance(template, str):
        return type(template).__name__
    if record.name.partition(".")[0] == _SERVER:
        return record.getMessage().strip() if template.strip() in _SERVER_TELLS else _UNTOLD
    return record.getMessage() if _is_trusted(record.name) else template


def uvicorn_logging(level: str = "INFO") -> dict[str, Any]:
    """The logging configuration of the process, in the form that uvicorn and `dictConfig` take."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"scrub": {"()": ExceptionScrubber}},
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {
            "stderr": {
                "()": GatheringHandler,
                "stream": "ext://sys.stderr",
                "formatter": "json",
                "filters": ["scrub"],
            }
        },
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {
            # Its lines hold paths and query strings; app.access tells the route instead.
            "uvicorn.access": {"level": "CRITICAL", "propagate": False},
            "uvicorn": {"level": level, "handlers": [], "propagate": True},
            # Its warnings quote the upload, and are whole before they come here.
            "python_multipart": {"level": "CRITICAL"},
            "httpx": {"level": "WARNING"},
            "asyncio": {"level": "WARNING"},
        },
    }


def configure_logging(level: str = "INFO") -> None:
    """Log JSON lines to the standard error, in every process that is not uvicorn's own."""
    # What no line of ours tells is not looked up for it.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - as its manual has it.
    logging.config.dictConfig(uvicorn_logging(level))
