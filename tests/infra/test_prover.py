"""The prover: a child proves, one at a time, each document once, and for nobody who has gone."""

from __future__ import annotations

import asyncio
import io
import pickle
import signal
import sys
from asyncio.subprocess import Process
from base64 import b64encode
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.check import Proof, check_document, prove
from app.domain.rules.compile import compile_unproved
from app.domain.rules.document import parse_document
from app.domain.rules.findings import Finding
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.writing import canonical_json, document_hash
from app.infra import prover as module
from app.infra.confined import proof as task
from app.infra.prover import Prover, ProverFailedError
from tests.domain.templates.books import raw, template
from tests.patience import PATIENCE_SECONDS
from tests.proofs import CHECK_ASIDE, PROVE_ASIDE

pytestmark = pytest.mark.anyio

NEVER_ENDS = (sys.executable, "-c", "import time; time.sleep(600)")
#: More at a time than is kept of what nobody has read.
FLOODS = """
import fcntl, os
fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 18)
while True:
    os.write(1, bytes(1 << 18))
"""
WRITES_FOR_EVER = (sys.executable, "-c", FLOODS)


def sound() -> RuleSetDocument:
    """A shipped document."""
    return template("motor").document


def flawed() -> RuleSetDocument:
    """One with a gap, a finding whose box holds cells and domains."""
    written: dict[str, Any] = dict(raw("all"))
    written["tables"] = [
        {**table, "rules": table["rules"][:-1]} if table["id"] == "tier" else table
        for table in written["tables"]
    ]
    return parse_document(written, CATALOGUE)


def another(at: int) -> RuleSetDocument:
    """Another one for every number."""
    return replace(sound(), id=f"motor-{at}")


class Desk:
    """Stands for the children: notes what they are given, and answers when it is told to."""

    def __init__(self, proof: Proof = Proof((), (), ())) -> None:  # noqa: B008 - frozen.
        self.begun: list[bytes] = []
        self.ended: list[bytes] = []
        self.goes_on = asyncio.Event()
        self.proof = proof

    async def prove(self, canonical: bytes) -> Proof:
        """Stands for `prove_aside`."""
        self.begun.append(canonical)
        try:
            await self.goes_on.wait()
        finally:
            self.ended.append(canonical)
        return self.proof

    async def until_begun(self, times: int) -> None:
        """Wait until that many were begun."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.begun) < times:  # noqa: ASYNC110 - threads write the documents.
                await asyncio.sleep(0.001)


async def until_waiting(prover: Prover, callers: int) -> None:
    """Wait until that many stand in the row behind the proof under way."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(prover._free._waiters or ()) < callers:  # noqa: ASYNC110, SLF001 - threads write the documents.
            await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def _by_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "prove_aside", PROVE_ASIDE)
    monkeypatch.setattr(module, "check_aside", CHECK_ASIDE)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk()
    monkeypatch.setattr(module, "prove_aside", made.prove)
    return made


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """The children that are started."""
    started: list[Process] = []
    start = asyncio.create_subprocess_exec

    async def noted(*command: str, **how: Any) -> Process:  # noqa: ANN401 - asyncio's own.
        started.append(await start(*command, **how))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    return started


@pytest.mark.parametrize("document", [sound(), flawed()])
async def test_a_child_proves_what_would_be_proved_here(
    document: RuleSetDocument, children: list[Process]
) -> None:
    proof = await Prover().prove(document)
    assert proof == prove(compile_unproved(document, CATALOGUE))
    assert [child.returncode for child in children] == [0]


async def test_a_child_finds_in_what_is_no_document_what_would_be_found_here(
    children: list[Process],
) -> None:
    base, broken = raw("all"), {**raw("motor"), "objective": date(2027, 1, 1)}
    found = await Prover().check(broken, {"all@1": base})
    assert found == check_document(broken, CATALOGUE, lambda _reference: base).findings
    assert "objective" in {finding.path for finding in found}
    assert [child.returncode for child in children] == [0]


async def test_what_is_no_document_waits_for_the_proof_under_way(desk: Desk) -> None:
    prover = Prover()
    proving = asyncio.create_task(prover.prove(sound()))
    await desk.until_begun(1)
    checking = asyncio.create_task(prover.check({}, {}))
    await until_waiting(prover, 1)
    assert not checking.done()
    desk.goes_on.set()
    await proving
    assert "missing-field" in {finding.code for finding in await checking}


def test_who_proves_lets_everybody_else_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    told, out = list[int](), io.BytesIO()
    monkeypatch.setattr("os.nice", told.append)
    task.prove({"document": canonical_json(sound()).decode()}, out)
    assert told == [10]
    assert pickle.loads(out.getvalue()) == prove(template("motor"))  # noqa: S301 - just written.
    checked = io.BytesIO()
    task.check({"pickled": b64encode(pickle.dumps(({}, {})))}, checked)
    assert told == [10, 10]
    assert pickle.loads(checked.getvalue()) == check_document({}, CATALOGUE).findings  # noqa: S301 - just written.


async def test_one_document_is_proved_once_by_whoever_and_whenever(desk: Desk) -> None:
    prover = Prover()
    at_once = asyncio.gather(*(prover.prove(sound()) for _ in range(4)))
    await until_waiting(prover, 3)
    desk.goes_on.set()
    proofs = await at_once
    # It is written anew, and means the same.
    same = parse_document(raw("motor"), CATALOGUE, lambda reference: raw(reference[:-2]))
    assert document_hash(same) == document_hash(sound())
    assert [*proofs, await prover.prove(same)] == [desk.proof] * 5
    assert desk.begun == [canonical_json(sound())]
    await prover.prove(another(1))
    assert len(desk.begun) == 2


async def test_one_is_proved_at_a_time_and_what_is_known_waits_for_nobody(desk: Desk) -> None:
    prover = Prover()
    desk.goes_on.set()
    await prover.prove(sound())
    desk.goes_on.clear()
    waiting = [asyncio.create_task(prover.prove(another(at))) for at in range(3)]
    await desk.until_begun(2)
    await until_waiting(prover, 2)
    assert await prover.prove(sound()) == desk.proof
    assert (len(desk.begun), len(desk.ended)) == (2, 1)
    desk.goes_on.set()
    await asyncio.gather(*waiting)
    assert desk.begun == desk.ended
    assert len(desk.begun) == 4


async def test_who_leaves_while_he_waits_has_nothing_proved(desk: Desk) -> None:
    prover = Prover()
    first = asyncio.create_task(prover.prove(another(1)))
    await desk.until_begun(1)
    second = asyncio.create_task(prover.prove(another(2)))
    third = asyncio.create_task(prover.prove(another(3)))
    await until_waiting(prover, 2)
    second.cancel()
    first.cancel()
    desk.goes_on.set()
    await third
    assert desk.begun == [canonical_json(another(at)) for at in (1, 3)]
    # What was given up is not known.
    await prover.prove(another(1))
    assert len(desk.begun) == 3


async def test_the_child_of_somebody_who_leaves_ends_and_the_next_one_is_proved(
    children: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    prover = Prover()
    with monkeypatch.context() as patched:
        patched.setattr(module, "COMMAND", NEVER_ENDS)
        leaving = asyncio.create_task(prover.prove(sound()))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not children:  # noqa: ASYNC110 - until the child is there.
                await asyncio.sleep(0.001)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert children[0].returncode == -signal.SIGKILL
    assert (await prover.prove(sound())).unsafe == ()


async def test_who_leaves_while_the_child_answers_does_not_wait_for_what_nobody_reads(
    children: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    prover = Prover()
    monkeypatch.setattr(module, "COMMAND", WRITES_FOR_EVER)
    leaving = asyncio.create_task(prover.prove(sound()))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not children or not _is_read(children[0]):  # noqa: ASYNC110 - until it writes.
            await asyncio.sleep(0.001)
    leaving.cancel()
    await asyncio.wait({leaving}, timeout=PATIENCE_SECONDS)
    assert leaving.cancelled()
    assert children[0].returncode == -signal.SIGKILL


def _is_read(child: Process) -> bool:
    """Whether something of what the child wrote has come."""
    return child.stdout is not None and bool(child.stdout._buffer)  # type: ignore[attr-defined] # noqa: SLF001 - asyncio's own.


@pytest.mark.parametrize(
    "command", [(sys.executable, "-c", "raise SystemExit(4)"), ("/no/such/interpreter",)]
)
async def test_a_child_without_a_proof_is_a_part_that_does_not_answer(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    prover = Prover()
    with monkeypatch.context() as patched:
        patched.setattr(module, "COMMAND", command)
        with pytest.raises(ProverFailedError):
            await prover.prove(sound())
    assert (await prover.prove(sound())).unsafe == ()


async def test_only_the_last_proofs_are_remembered_and_none_that_says_very_much(
    desk: Desk,
) -> None:
    prover = Prover()
    desk.goes_on.set()
    for at in range(64):
        await prover.prove(another(at))
    await prover.prove(another(0))
    assert len(desk.begun) == 64
    # Of all that are remembered the second was not asked for for longest.
    await prover.prove(another(64))
    await prover.prove(another(0))
    assert len(desk.begun) == 65
    await prover.prove(another(1))
    assert len(desk.begun) == 66
    desk.proof = Proof((Finding("", "gap", "", ""),) * 501, (), ())
    for _ in range(2):
        await prover.prove(another(65))
    assert len(desk.begun) == 68
