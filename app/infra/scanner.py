"""The scan hook: a command of the deployment judges a file before it is stored.

The command reads the file from its standard input and says what it found by its exit status, as
`clamdscan --no-summary -` does: 0 nothing, 1 something. It gets none of our environment but the
path and the language, and what it prints is not kept, since it may quote what it read.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shlex
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from app.infra.settings import Settings

log = logging.getLogger(__name__)

#: For a file of the largest size, the wait for other scans included.
_PATIENCE_SECONDS: Final = 30.0
#: Commands that one process runs at a time; a scanner takes memory, and a processor.
_AT_A_TIME: Final = 4
_CLEAN: Final = 0
_FOUND: Final = 1
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ")


class ScannerFailedError(OSError):
    """The scanner is not there, did not end in time, or does not know."""


class Scanner:
    """Runs the scan hook of a deployment.

    Args:
        settings: where the command stands; without one every file is clean.
        patience_seconds: how long one file may take.
    """

    def __init__(self, settings: Settings, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        command = settings.evidence_scanner
        self._command = [] if command is None else shlex.split(command)
        self._patience = patience_seconds
        self._free = asyncio.Semaphore(_AT_A_TIME)

    async def is_clean(self, blocks: Iterable[bytes]) -> bool:
        """Whether the scanner has nothing against a file.

        Args:
            blocks: the file; taken piece by piece.

        Raises:
            ScannerFailedError: it could not be scanned.
        """
        if not self._command:
            return True
        try:
            async with asyncio.timeout(self._patience), self._free:
                status = await self._run(blocks)
        except (OSError, TimeoutError) as error:
            log.warning("the scanner failed", extra={"reason": type(error).__name__})
            raise ScannerFailedError("the scanner does not answer") from error
        if status not in {_CLEAN, _FOUND}:
            log.warning("the scanner failed", extra={"reason": f"exit status {status}"})
            raise ScannerFailedError("the scanner could not judge")
        return status == _CLEAN

    async def _run(self, blocks: Iterable[bytes]) -> int | None:
        """The exit status; None where the command let off before the end and found nothing."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
            # Its own group, so that what it started ends with it.
            start_new_session=True,
        )
        try:
            was_read = await _feed(process, blocks)
            status = await process.wait()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        return status if was_read or status == _FOUND else None


async def _feed(process: Process, blocks: Iterable[bytes]) -> bool:
    """Whether the command took the whole file."""
    stdin = process.stdin
    if stdin is None:
        return False
    try:
        for block in blocks:
            stdin.write(block)
            await stdin.drain()
        stdin.close()
        await stdin.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True
