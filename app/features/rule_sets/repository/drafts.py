"""SQL of drafts and their editors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.rule_set_draft import (
    RuleSetAuthorRow,
    RuleSetDraftEditorRow,
    RuleSetDraftRow,
)


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """An open draft; `document` is as it was written, `hash` that of what it resolves to."""

    id: UUID
    rule_set_id: str
    product_line: str
    revision: int
    document: dict[str, Any]
    hash: str
    based_on: str | None
    created_at: datetime
    updated_at: datetime


async def find_draft(
    session: AsyncSession, rule_set_id: str, *, lock: bool = False
) -> StoredDraft | None:
    """The open draft of a rule set; locked, nobody else edits or publishes it meanwhile."""
    query = select(RuleSetDraftRow).where(RuleSetDraftRow.rule_set_id == rule_set_id)
    if lock:
        query = query.with_for_update()
    # A row that was read before the lock was waited for tells what was then.
    row = await session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        return None
    return StoredDraft(
        id=row.id,
        rule_set_id=row.rule_set_id,
        product_line=row.product_line,
        revision=row.revision,
        document=row.document,
        hash=row.hash,
        based_on=row.based_on,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


async def insert_draft(session: AsyncSession, draft: StoredDraft) -> bool:
    """Open a draft; whether none was open yet."""
    opened = await session.scalar(
        insert(RuleSetDraftRow)
        .values(
            id=draft.id,
            rule_set_id=draft.rule_set_id,
            product_line=draft.product_line,
            revision=draft.revision,
            document=draft.document,
            hash=draft.hash,
            based_on=draft.based_on,
            created_at=draft.created_at,
            updated_at=draft.updated_at,
        )
        .on_conflict_do_nothing(index_elements=[RuleSetDraftRow.rule_set_id])
        .returning(RuleSetDraftRow.id)
    )
    return opened is not None


async def update_draft(session: AsyncSession, draft: StoredDraft) -> None:
    """Store the next revision of a draft."""
    row = RuleSetDraftRow
    await session.execute(
        update(row)
        .where(row.id == draft.id)
        .values(
            revision=draft.revision,
            document=draft.document,
            hash=draft.hash,
            updated_at=draft.updated_at,
        )
        .execution_options(synchronize_session=False)
    )


async def record_editor(
    session: AsyncSession, draft_id: UUID, *, editor: str, now: datetime
) -> None:
    """Count somebody among the authors of a draft."""
    row = RuleSetDraftEditorRow
    await session.execute(
        insert(row)
        .values(draft_id=draft_id, editor=editor, edited_at=now)
        .on_conflict_do_update(index_elements=[row.draft_id, row.editor], set_={"edited_at": now})
    )


async def list_editors(session: AsyncSession, draft_id: UUID) -> list[str]:
    """Digests of all who edited a draft, in their order."""
    row = RuleSetDraftEditorRow
    query = select(row.editor).where(row.draft_id == draft_id).order_by(row.editor)
    return list(await session.scalars(query))


async def list_authors(session: AsyncSession, rule_set_id: str, hash_: str) -> list[str]:
    """Digests of all who had a hand in a document, in their order."""
    row = RuleSetAuthorRow
    query = select(row.author).where(row.rule_set_id == rule_set_id, row.hash == hash_)
    return list(await session.scalars(query.order_by(row.author)))


async def delete_draft(session: AsyncSession, draft_id: UUID) -> None:
    """Remove a draft with its list of editors."""
    await session.execute(
        delete(RuleSetDraftRow)
        .where(RuleSetDraftRow.id == draft_id)
        .execution_options(synchronize_session=False)
    )
