"""One line for whatever can go wrong under a command."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from app.domain.errors import DomainError

_DISK_FULL = "53100"
_CONNECTION = ("08", "28", "3D", "57P")


def explain(error: Exception) -> str:
    """What happened and what to do; it repeats no value, SQL or password."""
    if isinstance(error, DomainError):
        return str(error)
    for cause in _chain(error):
        state = str(getattr(cause, "sqlstate", None) or "")
        if state == _DISK_FULL or getattr(cause, "errno", None) == errno.ENOSPC:
            return "the disk is full; free room and repeat the command, it goes on where it was"
        if state.startswith(_CONNECTION) or isinstance(cause, ConnectionError | TimeoutError):
            return (
                "the database cannot be reached or does not let us in; check that it runs, and "
                "TIERING_DATABASE_URL"
            )
        if isinstance(cause, OSError) and cause.filename is not None:
            return f"{cause.filename}: {(cause.strerror or 'it cannot be used').lower()}"
        if state:
            return f"the database refused (SQLSTATE {state}); TIERING_DEBUG=1 shows where"
    return f"unexpected {type(error).__name__}; TIERING_DEBUG=1 shows where"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it, the driver's own error under SQLAlchemy's included."""
    while error is not None:
        yield error
        error = getattr(error, "orig", None) or error.__cause__ or error.__context__
