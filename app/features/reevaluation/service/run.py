"""One pass over the book: read one snapshot, decide on frames, write what changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from app.domain.errors import Conflict, Invalid
from app.features.reevaluation import repository
from app.features.reevaluation.service.frame import (
    Changes,
    Chunk,
    Judged,
    Rules,
    chunks,
    judge,
)
from app.features.reevaluation.service.reading import held_in, open_standing_book
from app.features.reevaluation.service.summary import Progress, RunSummary, Tally
from app.features.rule_sets.service import resolve_all
from app.features.scoring.service import COPIED, SNAPSHOT_PLACE, copy_decisions
from app.features.scoring.service import benchmark_versions as read_benchmark_versions
from app.features.tiers.service import STAGED, apply_staged, stage_standings
from app.infra.ahead import ahead, ahead_of_loop
from app.infra.book import Book
from app.infra.cipher import Vault, ensure_subject_keys, load_master_key
from app.infra.clock import business_day
from app.infra.database import Database, open_database
from app.infra.ids import new_id
from app.infra.settings import Settings

CHUNK_CHANGES: Final = 2_500
"""Customers who are written in one transaction."""

_NOT_YET: Final = (
    "as-of: a run cannot be applied for a day that has not come; rehearse without --apply"
)

ReportProgress = Callable[[Progress], None]


async def run(
    url: str,
    settings: Settings,
    *,
    as_of: date,
    apply: bool,
    progress: ReportProgress = lambda _: None,
) -> RunSummary:
    """Evaluate the whole book as of a day, and with `apply` store what changed.

    It may be killed at any instant: what was committed stands, and the same call goes on from
    there, since it writes only what differs from what stands.

    Args:
        url: the database.
        settings: where the temporary book may live, and the master key.
        as_of: business day of the facts; customers evaluated for a later day are refused. A day
            that has not come can only be rehearsed: once applied, nothing earlier could be.
        apply: write; without it the run only counts.
        progress: told again and again.

    Raises:
        Conflict: `run-in-progress` if another run is under way; `no-rule-set`.
        Invalid: `future-date` if a day after today is to be applied.
    """
    async with (
        open_database(url, settings) as database,
        database.sessions.begin() as guard,
        repository.only_run(guard) as is_only,
    ):
        if not is_only:
            raise Conflict(
                "run-in-progress", "Another re-evaluation is under way; wait until it has ended."
            )
        async with database.sessions.begin() as session:
            now = await repository.read_clock(session)
            if apply and as_of > business_day(now, settings.business_zone):
                raise Invalid("future-date", _NOT_YET)
            await repository.fail_abandoned(session)
        progress(Progress(0, 0, 0))
        async with open_standing_book(url, settings) as book:
            this = await _begin(database, book, as_of=as_of, applied=apply)
            writer = Writer(database, Vault(load_master_key(settings)), this)
            return await _pass(book, writer, progress)


@dataclass(frozen=True, slots=True)
class _Run:
    """What stays the same from the first batch to the last."""

    rules: Rules
    customers: int
    applied: bool

    @property
    def id(self) -> UUID:
        """Id of the run."""
        return self.rules.run_id


async def _begin(database: Database, book: Book, *, as_of: date, applied: bool) -> _Run:
    run_id = new_id()
    async with database.sessions.begin() as session:
        rules = Rules(
            run_id=run_id,
            as_of=as_of,
            evaluated_at=book.snapshot_at,
            in_force=await resolve_all(session, as_of),
            benchmark_versions=await read_benchmark_versions(session, as_of),
        )
        await repository.insert_run(
            session,
            run_id=run_id,
            as_of=as_of,
            mode="apply" if applied else "recommend",
            total=book.customers,
            snapshot_at=book.snapshot_at,
        )
    return _Run(rules, book.customers, applied)


async def _pass(book: Book, writer: Writer, progress: ReportProgress) -> RunSummary:
    """Walk through the batches, and store how the run ended."""
    this = writer.run
    total = Tally()
    try:
        async with aclosing(ahead_of_loop(_judged(book, this.rules))) as batches:
            async for judged in batches:
                total.add(judged.tally)
                if this.applied:
                    await writer.write(judged.changes, total)
                await writer.note(total)
                progress(Progress(total.customers, this.customers, total.changed))
        await writer.flush(total)
    except BaseException as error:
        cancelled = isinstance(error, asyncio.CancelledError)
        await writer.finish("cancelled" if cancelled else "failed", total)
        raise
    await writer.finish("completed", total)
    return RunSummary(this.id, this.rules.as_of, this.applied, total)


def _judged(book: Book, rules: Rules) -> Generator[Judged]:
    """The book batch by batch; the facts of the next one are computed while one is judged."""
    with closing(ahead(book.batches(rules.as_of))) as batches:
        for batch in batches:
            yield judge(batch.facts, held_in(batch), rules)


@dataclass(slots=True)
class Writer:
    """Writes the changes of a run, one transaction for each chunk."""

    database: Database
    vault: Vault
    run: _Run
    _waiting: list[Changes] = field(default_factory=list)

    async def write(self, changes: Sequence[Changes], total: Tally) -> None:
        """Write changes once there are about enough of them to fill a chunk.

        What would not fit is left for the next one: a chunk of a few costs as much as a full one.
        """
        if _rows(self._waiting) + _rows(changes) > CHUNK_CHANGES:
            await self.flush(total)
        self._waiting += changes
        if _rows(self._waiting) >= CHUNK_CHANGES:
            await self.flush(total)

    async def flush(self, total: Tally) -> None:
        """Write the changes that wait; customers who were overtaken leave the tally's changed."""
        waiting, self._waiting = self._waiting, []
        for chunk in chunks(waiting, self.run.rules, CHUNK_CHANGES):
            overtaken = await self._write_chunk(chunk)
            total.overtaken += overtaken
            total.changed -= overtaken

    async def _write_chunk(self, staged: Chunk) -> int:
        """Write a chunk and return how many were evaluated otherwise since the book was read."""
        async with self.database.sessions.begin() as session:
            overtaken = await stage_standings(session, csv=staged.standings_csv(STAGED))
            chunk = staged.without(overtaken)
            keys = await ensure_subject_keys(session, self.vault, chunk.customer_ids)
            sealed = [
                self.vault.encrypt(keys[customer_id], *SNAPSHOT_PLACE, id_, snapshot.encode())
                for customer_id, id_, snapshot in chunk.snapshots()
            ]
            await copy_decisions(session, csv=chunk.decisions_csv(COPIED, sealed))
            await apply_staged(session)
        return len(overtaken)

    async def note(self, total: Tally) -> None:
        """Store how far the run has come."""
        async with self.database.sessions.begin() as session:
            await repository.update_run(
                session, run_id=self.run.id, done=total.customers, changed=total.changed
            )

    async def finish(self, state: str, total: Tally) -> None:
        """Store how the run ended, and what it found until then."""
        async with self.database.sessions.begin() as session:
            await repository.finish_run(
                session, run_id=self.run.id, state=state, summary=total.as_json()
            )


def _rows(changes: Sequence[Changes]) -> int:
    return sum(change.rows.height for change in changes)
