"""What a person at the terminal sees: progress, tables, and errors of one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

#: Results go to standard output, everything said on the way to standard error.
out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)

Advance = Callable[[int, int], None]


class RateColumn(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        """The present speed, or nothing before there is one."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="progress.data.speed")


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """A bar with rate and time left; call the function it gives with (done, total).

    Where nobody watches, one line at the end says how many and how long.
    """
    if not err.is_terminal:
        with _counted(title) as advance:
            yield advance
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(compact=True),
        console=err,
    ) as bar:
        task = bar.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield advance


@contextmanager
def _counted(title: str) -> Iterator[Advance]:
    started, reached = perf_counter(), 0

    def count(done: int, _total: int) -> None:
        nonlocal reached
        reached = done

    yield count
    say(f"{title}: {reached:,} in {perf_counter() - started:.1f} s")


def say(message: str) -> None:
    """One line on the way, to standard error."""
    err.print(message)


def fail(message: str) -> None:
    """One line that says what is wrong and what to do, to standard error."""
    # Places in documents have brackets too: tables[2].rules[SEG1].
    err.print(f"[bold red]error:[/] {escape(message)}", markup=True)


def wants_traceback() -> bool:
    """Whether whoever debugs asked for the whole story (TIERING_DEBUG=1)."""
    return os.environ.get("TIERING_DEBUG") == "1"
