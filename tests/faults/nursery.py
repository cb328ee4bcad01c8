"""Child processes that are there at once: forks of one process that has loaded what they need.

A worker that is started to be killed takes seconds to load its libraries and milliseconds to die.
Each child is a process of its own, with the environment, the arguments and the pipes it was given;
it is not measured by coverage, which a killed process could not report.

The nursery itself is `python -m tests.faults.nursery DESCRIPTOR`.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, Self, TextIO

from app.features.rule_sets.service import shipped_documents
from tests.paths import ROOT
from tests.unmeasured import unmeasured

#: Programs whose libraries are loaded before any of them is wanted.
PROGRAMS: Final = (
    *("import_child", "interrupted_child", "job_child"),
    *("run_child", "simulation_child", "stopped_child"),
)
_NUMBER: Final = struct.Struct("i")
_PIPES: Final = 4
_MOST: Final = 1 << 16


class Child:
    """A running program, to be used like `subprocess.Popen` in text mode.

    Args:
        stdin: our end of its standard input.
        stdout: our end of its standard output.
        stderr: the file of its standard errors, which may be as many as they like.
        told: where its id and then its exit status are told.
    """

    def __init__(
        self, *, stdin: TextIO, stdout: TextIO, stderr: BinaryIO, told: socket.socket
    ) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.returncode: int | None = None
        self._stderr = stderr
        self._told = told
        self.pid = self._hear()

    def _hear(self) -> int:
        [number] = _NUMBER.unpack(self._told.recv(_NUMBER.size))
        return int(number)

    def poll(self) -> int | None:
        """Its exit status, if it has ended."""
        try:
            return self.wait(0)
        except BlockingIOError:
            return None

    def wait(self, timeout: float) -> int:
        """Its exit status; a signal counts negatively.

        Raises:
            TimeoutError: it has not ended within so many seconds.
        """
        if self.returncode is None:
            self._told.settimeout(timeout)
            self.returncode = self._hear()
        return self.returncode

    def errors(self) -> str:
        """What it wrote to its standard errors up to now."""
        self._stderr.seek(0)
        return self._stderr.read().decode()

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        """The child."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it, if it still runs, and close what there is between us."""
        self.kill()
        for opened in (self.stdin, self.stdout, self._stderr, self._told):
            opened.close()


class Nursery:
    """Where children are ordered."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders

    def start(self, module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Child:
        """A child that runs a module as `python -m` does, in the folder of the project.

        Args:
            module: the name of a module.
            arguments: what follows it on the command line.
            env: what is added to our environment.
        """
        order = {
            "arguments": [module, *arguments],
            "env": {**unmeasured(), **(env or {})},
        }
        (reading, stdin), (stdout, writing) = os.pipe(), os.pipe()
        told, telling = socket.socketpair()
        stderr = TemporaryFile()  # noqa: SIM115 - the child closes it.
        with telling:
            theirs = [reading, writing, stderr.fileno(), telling.fileno()]
            socket.send_fds(self._orders, [json.dumps(order).encode() + b"\n"], theirs)
        os.close(reading)
        os.close(writing)
        return Child(
            stdin=os.fdopen(stdin, "w"), stdout=os.fdopen(stdout), stderr=stderr, told=told
        )


@contextmanager
def open_nursery() -> Iterator[Nursery]:
    """A nursery that is closed after the block."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            nursery = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=ROOT,
                env=unmeasured(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        with nursery:
            yield Nursery(ours)
            # It ends when nobody can order any more.
            ours.close()


def await_order(orders: socket.socket) -> dict[str, Any] | None:
    """In each child its order; in the nursery nothing, once it is closed."""
    # Guardians are forgotten when they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, theirs, _, _ = socket.recv_fds(orders, _MOST, _PIPES)
        if not order:
            return None
        while not order.endswith(b"\n"):
            order += orders.recv(_MOST)
        if os.fork() == 0:
            orders.close()
            tend(theirs)
            found: dict[str, Any] = json.loads(order)
            return found
        for descriptor in theirs:
            os.close(descriptor)


def tend(theirs: list[int]) -> None:
    """Fork a child, in which this returns; its guardian tells its id, and what became of it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *pipes, telling = theirs
    child = os.fork()
    if child == 0:
        for target, pipe in enumerate(pipes):
            os.dup2(pipe, target)
        for descriptor in theirs:
            os.close(descriptor)
        return
    for pipe in pipes:
        os.close(pipe)
    os.write(telling, _NUMBER.pack(child))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.write(telling, _NUMBER.pack(status))
    os._exit(0)


def main(descriptor: str) -> None:
    """Load what all children need, and become one after another of them."""
    names = [f"tests.faults.{program}" for program in PROGRAMS]
    for name in names:
        import_module(name)
    for name in names:
        # They are run as the main module, each anew.
        del sys.modules[name]
    # The tables that are compiled here need not be compiled in each child that decides by them.
    shipped_documents()
    with socket.socket(fileno=int(descriptor)) as orders:
        order = await_order(orders)
    if order is not None:
        os.environ.clear()
        os.environ.update(order["env"])
        sys.argv[1:] = order["arguments"][1:]
        runpy.run_module(order["arguments"][0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
