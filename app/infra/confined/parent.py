"""The process that has a file read: it starts the child, takes what it writes, judges its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

from app.domain.errors import Conflict
from app.infra.confined.refusal import Refused

#: How the child ends: it has told on its standard error why the file is refused.
REFUSED: Final = 3
#: How it ends when reading went wrong as nobody foresaw, as for want of memory.
FAILED: Final = 4
_STOPPED: Final = frozenset({-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP})
_LAST_WORDS_SECONDS: Final = 5
_KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")
COMMAND: Final = (sys.executable, "-P", "-m", "app.infra.confined.child")


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading a file may take; of a proof only the memory is limited.

    Args:
        memory_bytes: address space of the child; a workbook of ten million cells takes most of it.
        unpacked_bytes: what all parts of a workbook unpack to.
        cells: in a sheet, counted from its first row and column.
    """

    memory_bytes: int = 2 << 30
    unpacked_bytes: int = 1 << 30
    cells: int = 10_000_000


LIMITS: Final = Limits()


@contextmanager
def confined(order: Mapping[str, object]) -> Iterator[IO[bytes]]:
    """What a child writes that carries out an order; it is to be read to its end.

    Raises:
        Refused: the file cannot be read, or cannot be read within the limits.
        Conflict: no child could be started, or somebody stopped it.
    """
    with _start() as child:
        if child.stdin is None or child.stdout is None:  # pragma: no cover - both are pipes.
            message = "a child with pipes"
            raise TypeError(message)
        try:
            # A child that is gone already is judged by how it ended.
            with suppress(BrokenPipeError), child.stdin as sending:
                sending.write(written(order))
            yield child.stdout
        except Exception as error:  # noqa: BLE001 - what a cut stream is called differs.
            raise verdict(child) or error from None
        except BaseException:
            child.kill()
            raise
        if (refusal := verdict(child)) is not None:
            raise refusal


def written(order: Mapping[str, object]) -> bytes:
    """An order as the child reads it from its standard input."""
    return json.dumps({**order, "limits": asdict(LIMITS)}).encode()


def environment() -> dict[str, str]:
    """What a child knows of its surroundings: nothing of our environment, which may hold keys."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    places = os.pathsep.join(place or str(Path.cwd()) for place in sys.path)
    # One memory pool and few arenas, so that what is reserved is about what is used.
    memory = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2"}
    return {**kept, **memory, "PYTHONPATH": places}


def _start() -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the interpreter and a module of ours.
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            # Not of our terminal's group: who interrupts us there interrupts the import, and does
            # not judge the file.
            start_new_session=True,
        )
    except OSError as error:
        what = (error.strerror or "no process").lower()
        raise Conflict("reader-stopped", f"the file's reader does not start: {what}") from None


def verdict(child: subprocess.Popen[bytes]) -> Exception | None:
    """What the child's end says of the file."""
    try:
        status = child.wait(_LAST_WORDS_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        status = child.wait()
    if status == 0:
        return None
    if status == REFUSED and child.stderr is not None:
        return Refused(*json.loads(child.stderr.read()))
    if status in _STOPPED:
        return Conflict("reader-stopped", "the reading of the file was stopped; it begins anew")
    if status > 0 and status != FAILED:
        return Conflict("reader-stopped", "the file's reader does not start: look at the install")
    most = LIMITS.memory_bytes >> 20
    what = f"it breaks what reads it, or takes more than {most:,} MB of memory to read"
    return Refused("", what, "export it again, as CSV or in several files")
