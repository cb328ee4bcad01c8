"""Versions: installing the shipped ones, loading others, and finding who decides."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache
from threading import Lock
from typing import Final

from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.compile import compile_rule_set
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.document import parse_document
from app.domain.rules.findings import DocumentError
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.overlay import EXTENDS
from app.domain.rules.self_test import run_tests
from app.domain.rules.writing import document_hash, document_json
from app.domain.words import ALL
from app.features.rule_sets import repository
from app.features.rule_sets.repository import StoredVersion
from app.features.rule_sets.service.reading import in_turn
from app.infra.database import AsyncSession
from app.infra.documents import read_document
from app.infra.templates import shipped_templates

BEGINNING: Final = date(1900, 1, 1)
"""Where time begins for rule sets: before any record."""

_VERSION_NUMBER: Final = re.compile("[1-9][0-9]{0,8}")
_CACHE_SIZE: Final = 64
#: Compiled rule sets by hash. A stored version never changes, so what is in here is never stale.
_compiled: OrderedDict[str, CompiledRuleSet] = OrderedDict()
_compiled_guard: Final = Lock()
#: They are compiled off the event loop, each by whoever needs it first while others wait for him,
#: and not behind what callers wrote, which may take longer to read.
_COMPILING: Final = ThreadPoolExecutor(1, "compile")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A stored version and what it compiles to."""

    stored: StoredVersion
    compiled: CompiledRuleSet


async def install_templates(session: AsyncSession) -> None:
    """Store the shipped rule sets; in a new database they also decide, each for its line.

    Safe to repeat. Where anything decides already, a template that is new or changed with a release
    becomes a version that decides for nobody until somebody loads it: an upgrade of the software
    moves no customer.
    """
    # Proving them takes a while, in which nobody else should have to wait.
    documents = shipped_documents()
    await repository.lock_writes(session)
    is_new = not await repository.has_activations(session)
    for document in documents:
        stored = await store_version(session, document, origin="template")
        if is_new:
            await repository.put_in_force(session, stored, valid_from=BEGINNING)


@cache
def shipped_documents() -> tuple[RuleSetDocument, ...]:
    """The rule sets that travel with the package, parsed and proved.

    Reading and compiling them takes half a second, and while a process lives they stay the same.
    """
    bases = shipped_templates()
    return tuple(_checked(document, bases) for document in bases.values())


async def load_document(
    session: AsyncSession, text: str, *, valid_from: date | None = None
) -> StoredVersion:
    """Load a document that is a text, YAML or JSON; see `load_raw`.

    Raises:
        Invalid: `document-unreadable`, or what `load_raw` raises.
    """
    return await load_raw(session, read_document(text), valid_from=valid_from)


async def load_raw(
    session: AsyncSession, raw: Mapping[str, object], *, valid_from: date | None = None
) -> StoredVersion:
    """Check a document, run its own tests, store it, and put it in force for its line.

    A document that is stored already is not stored again. Concurrent loads wait for each other.

    Args:
        session: an open session.
        raw: the document, as it is written.
        valid_from: first business day it decides; from the beginning without one.

    Raises:
        Invalid: `rule-set-refused`, naming everything that is wrong.
    """
    # What it extends never changes, so it is proved before anybody else has to wait.
    document = _checked(raw, await bases_of(session, raw))
    await repository.lock_writes(session)
    stored = await store_version(session, document, origin="loaded")
    since = BEGINNING if valid_from is None else valid_from
    if not await repository.is_in_force_from(session, stored, valid_from=since):
        await repository.put_in_force(session, stored, valid_from=since)
    return stored


async def resolve(session: AsyncSession, product_line: str, as_of: date) -> RuleSet:
    """The rule set that decides for a line on a business day, else the one for all lines.

    Raises:
        Conflict: `no-rule-set` if neither has one.
    """
    found = await repository.list_in_force(session, as_of)
    in_force = {stored.product_line: stored for stored in found}
    stored = in_force.get(product_line) or in_force.get(ALL)
    if stored is None:
        raise Conflict(
            "no-rule-set", "No rule set is in force for product line 'all'; put one in force first."
        )
    return await _compiled_version(session, stored)


async def resolve_all(session: AsyncSession, as_of: date) -> dict[str, RuleSet]:
    """What decides on a business day, by product line, for the lines that have one."""
    return {
        stored.product_line: await _compiled_version(session, stored)
        for stored in await repository.list_in_force(session, as_of)
    }


async def require_version(session: AsyncSession, rule_set_id: str) -> None:
    """See to it that a rule set has a version.

    Raises:
        NotFound: it has none.
    """
    if await repository.newest_version(session, rule_set_id) == 0:
        raise NotFound("not-found", "There is no such rule set.")


async def get_version(session: AsyncSession, *, rule_set_id: str, version: int) -> RuleSet:
    """One stored version, in force or not.

    Raises:
        NotFound: there is no such version.
    """
    found = await repository.find_document(session, rule_set_id=rule_set_id, version=version)
    if found is None:
        raise NotFound("not-found", f"There is no rule set {rule_set_id}@{version}.")
    stored, raw = found
    compiled = _remembered(stored)
    if compiled is None:
        running = asyncio.get_running_loop()
        compiled = await running.run_in_executor(_COMPILING, _compile, stored, raw)
    return RuleSet(stored, compiled)


async def find_template_version(session: AsyncSession, template: str) -> int:
    """The version that a shipped rule set is stored as.

    Raises:
        NotFound: none of that id is shipped, or it is not stored yet.
    """
    shipped = next((found for found in shipped_documents() if found.id == template), None)
    if shipped is not None:
        hash_ = document_hash(shipped)
        found = await repository.find_by_hash(session, rule_set_id=template, hash_=hash_)
        if found is not None:
            return found.version
    raise NotFound("not-found", "There is no such template.")


async def read_written(session: AsyncSession, raw: Mapping[str, object]) -> RuleSetDocument:
    """The document that was written, laid over the stored version that it extends, not proved.

    Raises:
        DocumentError: it cannot be read, with everything that is wrong with it.
    """
    bases = await bases_of(session, raw)
    return await in_turn(parse_document, raw, CATALOGUE, bases.__getitem__)


async def bases_of(
    session: AsyncSession, raw: Mapping[str, object]
) -> Mapping[str, Mapping[str, object]]:
    """The stored document that a new one extends, if any; a stored one extends nothing itself."""
    reference = raw.get(EXTENDS)
    if not isinstance(reference, str):
        return {}
    name, _, number = reference.partition("@")
    if not (name.isprintable() and _VERSION_NUMBER.fullmatch(number)):
        return {}
    found = await repository.find_document(session, rule_set_id=name, version=int(number))
    return {} if found is None else {reference: found[1]}


def _checked(
    raw: Mapping[str, object], bases: Mapping[str, Mapping[str, object]]
) -> RuleSetDocument:
    """The parsed document, proved and tested; refused with everything that is wrong with it."""
    try:
        document = parse_document(raw, CATALOGUE, bases.__getitem__)
        findings = run_tests(compile_rule_set(document, CATALOGUE))
    except DocumentError as error:
        raise _refused(error) from None
    if findings:
        raise _refused(DocumentError(findings))
    return document


def _refused(error: DocumentError) -> Invalid:
    return Invalid("rule-set-refused", str(error))


async def store_version(
    session: AsyncSession, document: RuleSetDocument, *, origin: str
) -> StoredVersion:
    """The stored version of a document, a new one if its meaning is new."""
    hash_ = document_hash(document)
    found = await repository.find_by_hash(session, rule_set_id=document.id, hash_=hash_)
    if found is not None:
        return found
    stored = StoredVersion(
        rule_set_id=document.id,
        version=await repository.newest_version(session, document.id) + 1,
        product_line=document.product_line,
        hash=hash_,
    )
    written = document_json(document)
    await repository.insert_version(session, stored, document=written, origin=origin)
    return stored


async def _compiled_version(session: AsyncSession, stored: StoredVersion) -> RuleSet:
    if (compiled := _remembered(stored)) is not None:
        return RuleSet(stored, compiled)
    return await get_version(session, rule_set_id=stored.rule_set_id, version=stored.version)


def _remembered(stored: StoredVersion) -> CompiledRuleSet | None:
    with _compiled_guard:
        if stored.hash not in _compiled:
            return None
        _compiled.move_to_end(stored.hash)
        return _compiled[stored.hash]


def _compile(stored: StoredVersion, raw: Mapping[str, object]) -> CompiledRuleSet:
    # Who waited may find that it was done for whoever was there before him.
    if (known := _remembered(stored)) is not None:
        return known
    compiled = compile_rule_set(parse_document(raw, CATALOGUE), CATALOGUE)
    with _compiled_guard:
        _compiled[stored.hash] = compiled
        if len(_compiled) > _CACHE_SIZE:
            _compiled.popitem(last=False)
    return compiled
