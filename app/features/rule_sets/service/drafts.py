"""Drafts: what the next version of a rule set may become, edited by one person after the other.

A draft can be read as a document at any time, whatever else is wrong with it: tables may have gaps
and tests may fail until it is published. The newest revision is kept, with everybody who had a hand
in it; each of them is an author and can never publish it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain.errors import Conflict, NotFound
from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.compile import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.findings import DocumentError, Finding
from app.domain.rules.model import FORMAT, RuleSetDocument
from app.domain.rules.overlay import EXTENDS
from app.domain.rules.writing import document_hash, document_json
from app.features.rule_sets import repository
from app.features.rule_sets.repository import drafts
from app.features.rule_sets.repository.drafts import StoredDraft
from app.features.rule_sets.service.reading import in_turn
from app.features.rule_sets.service.versions import (
    find_template_version,
    get_version,
    read_written,
)
from app.infra.database import AsyncSession
from app.infra.ids import new_id

__all__ = [
    "Draft",
    "DraftOpening",
    "DraftSource",
    "Editing",
    "OpenDraft",
    "compile_draft",
    "discard_draft",
    "find_open_draft",
    "get_draft",
    "get_open_draft",
    "list_authors",
    "open_draft",
    "readable_for",
    "revise_draft",
]


@dataclass(frozen=True, slots=True)
class Editing:
    """Who edits, by the digest of him, and when."""

    editor: str
    now: datetime


@dataclass(frozen=True, slots=True)
class DraftSource:
    """The stored version that a draft begins with.

    Args:
        rule_set_id: of the version, or the id of a template.
        version: its number; None for the version that the template is stored as.
        copies: whether the draft says everything itself, or only what differs.
    """

    rule_set_id: str
    version: int | None
    copies: bool


@dataclass(frozen=True, slots=True)
class DraftOpening:
    """What a draft is to begin with; a line and a title given here go before those of the source.

    Args:
        rule_set_id: the rule set, there or to come.
        source: a stored version, or a whole document.
        product_line: the line to decide for.
        title: what people call it, in English and Chinese.
    """

    rule_set_id: str
    source: DraftSource | Mapping[str, object]
    product_line: str | None = None
    title: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """A draft and the digests of all who edited it."""

    stored: StoredDraft
    editors: tuple[str, ...]

    @property
    def recorded_as(self) -> str:
        """Which revision of what, for the audit."""
        stored = self.stored
        return f"{stored.rule_set_id}/{stored.revision}/{stored.hash}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it evaluates; nobody may decide by it, its tables may not keep what they claim."""

    stored: StoredDraft
    compiled: CompiledRuleSet

    @property
    def rule_set_id(self) -> str:
        """Id of the rule set."""
        return self.stored.rule_set_id

    @property
    def product_line(self) -> str:
        """The line it would decide for."""
        return self.stored.product_line

    @property
    def revision(self) -> int:
        """From 1; every edit is the next."""
        return self.stored.revision

    @property
    def hash(self) -> str:
        """Of the resolved document; that of the version it would become."""
        return self.stored.hash

    @property
    def document(self) -> RuleSetDocument:
        """The resolved document."""
        return self.compiled.document


async def get_draft(session: AsyncSession, *, rule_set_id: str) -> Draft:
    """The open draft of a rule set, compiled without proof.

    Raises:
        NotFound: none is open.
    """
    return await compile_draft(session, await get_open_draft(session, rule_set_id=rule_set_id))


async def compile_draft(session: AsyncSession, found: OpenDraft) -> Draft:
    """A draft as it evaluates; what it extends never changes."""
    document = await read_written(session, found.stored.document)
    return Draft(found.stored, await in_turn(compile_unproved, document, CATALOGUE))


async def find_open_draft(
    session: AsyncSession, *, rule_set_id: str, lock: bool = False
) -> OpenDraft | None:
    """The open draft of a rule set, as it was written.

    Args:
        session: an open session.
        rule_set_id: the rule set.
        lock: let nobody else edit, publish or discard it until the transaction ends.
    """
    stored = await drafts.find_draft(session, rule_set_id, lock=lock)
    if stored is None:
        return None
    return OpenDraft(stored, tuple(await drafts.list_editors(session, stored.id)))


async def get_open_draft(
    session: AsyncSession, *, rule_set_id: str, lock: bool = False
) -> OpenDraft:
    """`find_open_draft`, of a rule set that has one.

    Raises:
        NotFound: none is open.
    """
    return _required(await find_open_draft(session, rule_set_id=rule_set_id, lock=lock))


async def list_authors(session: AsyncSession, draft: OpenDraft) -> tuple[str, ...]:
    """Digests of all who had a hand in the document, in this draft or in one discarded before."""
    stored = draft.stored
    return tuple(await drafts.list_authors(session, stored.rule_set_id, stored.hash))


async def open_draft(
    session: AsyncSession, *, opening: DraftOpening, editing: Editing
) -> OpenDraft:
    """Open a draft of a new rule set, or the next one of a rule set that is there.

    Raises:
        NotFound: there is no such template or version.
        DocumentError: it cannot be read as a document of this rule set.
        Conflict: `draft-open`: another one is.
    """
    raw, based_on = await _beginning(session, opening)
    line = await _settled_line(session, opening.rule_set_id)
    document = await _readable(session, raw, id_=opening.rule_set_id, line=line)
    stored = StoredDraft(
        id=new_id(),
        rule_set_id=opening.rule_set_id,
        product_line=document.product_line,
        revision=1,
        document=raw,
        hash=document_hash(document),
        based_on=based_on,
        created_at=editing.now,
        updated_at=editing.now,
    )
    if not await drafts.insert_draft(session, stored):
        raise Conflict("draft-open", "A draft of this rule set is open; publish or discard it.")
    await drafts.record_editor(session, stored.id, editor=editing.editor, now=editing.now)
    return OpenDraft(stored, (editing.editor,))


async def readable_for(
    session: AsyncSession, draft: OpenDraft, raw: Mapping[str, object]
) -> RuleSetDocument:
    """What a document that is to be the next revision of a draft resolves to.

    Raises:
        DocumentError: it cannot be read as a document of this rule set.
    """
    stored = draft.stored
    return await _readable(session, raw, id_=stored.rule_set_id, line=stored.product_line)


async def revise_draft(
    session: AsyncSession,
    held: OpenDraft,
    *,
    raw: Mapping[str, object],
    document: RuleSetDocument,
    editing: Editing,
) -> OpenDraft:
    """Make a document the next revision of a draft that is locked.

    Args:
        session: in whose transaction.
        held: the draft.
        raw: the document as it was written.
        document: what `readable_for` says it resolves to.
        editing: who edits.
    """
    revised = replace(
        held.stored,
        revision=held.stored.revision + 1,
        document=dict(raw),
        hash=document_hash(document),
        updated_at=editing.now,
    )
    await drafts.update_draft(session, revised)
    await drafts.record_editor(session, revised.id, editor=editing.editor, now=editing.now)
    return OpenDraft(revised, tuple(await drafts.list_editors(session, revised.id)))


async def discard_draft(session: AsyncSession, held: OpenDraft) -> None:
    """Remove a draft that is locked, published or not wanted any more."""
    await drafts.delete_draft(session, held.stored.id)


def _required(found: OpenDraft | None) -> OpenDraft:
    if found is None:
        raise NotFound("not-found", "No draft of this rule set is open.")
    return found


async def _beginning(
    session: AsyncSession, opening: DraftOpening
) -> tuple[dict[str, object], str | None]:
    """The first revision as it is written, and the version it was made from."""
    own: dict[str, object] = {"id": opening.rule_set_id}
    if opening.product_line is not None:
        own["product_line"] = opening.product_line
    if opening.title is not None:
        own["title"] = dict(opening.title)
    source = opening.source
    if not isinstance(source, DraftSource):
        # Whose document names another id means another rule set.
        return {**source, **own, "id": source.get("id", opening.rule_set_id)}, None
    version = source.version or await find_template_version(session, source.rule_set_id)
    found = await get_version(session, rule_set_id=source.rule_set_id, version=version)
    written = document_json(found.compiled.document)
    based_on = f"{source.rule_set_id}@{version}"
    if source.copies:
        return {**written, **own}, based_on
    named = {name: written[name] for name in ("id", "product_line", "title")}
    return {"format": FORMAT, **named, **own, EXTENDS: based_on}, based_on


async def _settled_line(session: AsyncSession, rule_set_id: str) -> str | None:
    """The line that a rule set decides for already; None where it is new."""
    newest = await repository.newest_version(session, rule_set_id)
    found = await repository.find_document(session, rule_set_id=rule_set_id, version=newest)
    return None if found is None else found[0].product_line


async def _readable(
    session: AsyncSession, raw: Mapping[str, object], *, id_: str, line: str | None
) -> RuleSetDocument:
    document = await read_written(session, raw)
    findings = []
    if document.id != id_:
        findings.append(
            Finding("id", "id-fixed", "It is the document of another rule set.", f"Write {id_}.")
        )
    if line is not None and document.product_line != line:
        findings.append(
            Finding(
                "product_line",
                "line-fixed",
                "A rule set keeps its product line.",
                f"Write {line}, or open another rule set.",
            )
        )
    if findings:
        raise DocumentError(findings)
    return document
