"""Drafts over HTTP: opened, edited by one person after the other, discarded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from app.domain.privacy.roles import Viewer
from app.domain.rules.findings import DocumentError
from app.features.rule_sets import service
from app.features.rule_sets.router.shared import Author, Reader, router
from app.features.rule_sets.schemas import (
    DOCUMENT_BODY,
    ChangesRead,
    DraftCreate,
    DraftRead,
    RuleSetId,
    SinceQuery,
    refused_places,
)
from app.features.rule_sets.service import Editing, OpenDraft
from app.infra.audit import ChangeAudit, Outcome
from app.infra.conditions import Condition, IfMatchRequired, RecordTags, respond_open
from app.infra.database import AsyncSession
from app.infra.description import problem_responses, read_responses
from app.infra.desk import Desk, Today
from app.infra.idempotency import REPLAYED, Once
from app.infra.negotiation import declared_media_type
from app.infra.problems import ProblemError
from app.infra.requester import CurrentRequester
from app.infra.reveal import respond_about_nobody, respond_gone
from app.infra.session import ReadSession
from app.infra.turns import TAKES_TURN


@dataclass(frozen=True, slots=True)
class DraftDesk:
    """What routes that change drafts work with: the transaction, and who edits."""

    session: AsyncSession
    editing: Editing
    viewer: Viewer


async def author_desk(desk: Desk, requester: CurrentRequester, actor: Author) -> DraftDesk:
    """The desk of one request of an author."""
    return DraftDesk(desk.session, Editing(requester.digest, desk.now), actor.viewer())


#: `scope="function"` keeps to the scope of the desk.
AuthorDesk = Annotated[DraftDesk, Depends(author_desk, scope="function")]


def version_of(draft: OpenDraft) -> str:
    """Changes with every revision; a draft that is opened anew is another one."""
    return f"{draft.stored.id}/{draft.stored.revision}"


def _refused(error: DocumentError, *within: str) -> ProblemError:
    return ProblemError("rule-set-refused", errors=refused_places(error.findings, *within))


@router.post(
    "/v1/rule-sets",
    status_code=201,
    response_model=DraftRead,
    summary="Open a draft",
    response_description="The draft, in its first revision.",
    dependencies=[TAKES_TURN],
    responses={201: REPLAYED, **problem_responses(404, "draft-open", "rule-set-refused")},
)
async def create_rule_set_draft(
    written: DraftCreate,
    desk: AuthorDesk,
    once: Once,
    tags: RecordTags,
) -> Response:
    """Of a new rule set, or the next one of a rule set that is there; one is open at a time.

    Drafts decide for nobody. Whoever opens or edits one is an author of it and cannot publish it.
    """
    if (earlier := await once.find()) is not None:
        draft = await service.get_open_draft(desk.session, rule_set_id=earlier.resource)
    else:
        try:
            draft = await service.open_draft(
                desk.session, opening=written.to_domain(), editing=desk.editing
            )
        except DocumentError as error:
            raise _refused(error, "body", "document") from None
        await once.keep(draft.stored.rule_set_id)
    location = f"/v1/rule-sets/{draft.stored.rule_set_id}/draft"
    return await respond_about_nobody(
        DraftRead.from_domain(draft, desk.editing.editor),
        viewer=desk.viewer,
        audit=once.noting(draft.recorded_as),
        status=once.status,
        headers={"Location": location, "ETag": tags.tag(version_of(draft)), **once.headers},
    )


@router.get(
    "/v1/rule-sets/{rule_set_id}/draft",
    response_model=DraftRead,
    summary="The open draft",
    response_description="The draft, in its newest revision.",
    responses=problem_responses(404),
)
async def get_rule_set_draft(
    rule_set_id: RuleSetId,
    request: Request,
    session: ReadSession,
    tags: RecordTags,
    requester: CurrentRequester,
    _actor: Reader,
) -> Response:
    """As it was written; its `ETag` names the revision, for `If-Match`."""
    draft = await service.get_open_draft(session, rule_set_id=rule_set_id)
    return respond_open(
        request,
        DraftRead.from_domain(draft, requester.digest),
        {"ETag": tags.tag(version_of(draft))},
    )


@router.get(
    "/v1/rule-sets/{rule_set_id}/draft/changes",
    response_model=ChangesRead,
    summary="What the draft changes",
    response_description="Every part that differs.",
    responses=read_responses(404, "no-rule-set"),
)
async def list_draft_changes(
    rule_set_id: RuleSetId,
    request: Request,
    session: ReadSession,
    today: Today,
    _actor: Reader,
    asked: Annotated[SinceQuery, Query()],
) -> Response:
    """In meaning, about what decides for its line today, or about the version that `since` names.

    On whom the two differ, a simulation of the draft counts.
    """
    found = await service.list_draft_changes(
        session, rule_set_id=rule_set_id, since=asked.reference, today=today
    )
    return respond_open(request, ChangesRead.from_domain(found))


@router.put(
    "/v1/rule-sets/{rule_set_id}/draft",
    response_model=DraftRead,
    summary="Edit the draft",
    response_description="The draft, in its next revision.",
    dependencies=[TAKES_TURN],
    responses=problem_responses(
        404, 415, "request-timeout", "body-too-large", "document-unreadable", "rule-set-refused"
    ),
    openapi_extra={"requestBody": DOCUMENT_BODY},
)
async def put_rule_set_draft(
    rule_set_id: RuleSetId,
    request: Request,
    desk: AuthorDesk,
    audit: ChangeAudit,
    condition: IfMatchRequired,
) -> Response:
    """Replace its document, sent as JSON, or by `Content-Type` as YAML, XLSX or DMN.

    It must be readable, and that of this rule set and line; what the checker finds wrong with its
    tables, and tests that fail, are no obstacle before it is published. `If-Match` names the
    revision that was read.
    """
    body, media_type = await request.body(), declared_media_type(request.headers)
    try:
        raw = await service.read_body(body, media_type)
    except DocumentError as error:
        # A workbook or model that can be read, and says what no document does.
        raise _refused(error, "body") from None
    known = await service.get_open_draft(desk.session, rule_set_id=rule_set_id)
    condition.check(version_of(known))
    try:
        document = await service.readable_for(desk.session, known, raw)
    except DocumentError as error:
        raise _refused(error, "body") from None
    held = await _locked(desk, rule_set_id, condition)
    draft = await service.revise_draft(
        desk.session, held, raw=raw, document=document, editing=desk.editing
    )
    return await respond_about_nobody(
        DraftRead.from_domain(draft, desk.editing.editor),
        viewer=desk.viewer,
        audit=audit.noting(outcome=Outcome.CHANGED, record_version=draft.recorded_as),
        headers={"ETag": condition.tag(version_of(draft))},
    )


@router.delete(
    "/v1/rule-sets/{rule_set_id}/draft",
    status_code=204,
    summary="Discard the draft",
    response_description="The draft is gone.",
    dependencies=[TAKES_TURN],
    responses=problem_responses(404),
)
async def delete_rule_set_draft(
    rule_set_id: RuleSetId,
    desk: AuthorDesk,
    audit: ChangeAudit,
    condition: IfMatchRequired,
) -> Response:
    """What was published of the rule set stays; `If-Match` names the revision that was read."""
    held = await _locked(desk, rule_set_id, condition)
    await service.discard_draft(desk.session, held)
    changed = audit.noting(outcome=Outcome.CHANGED, record_version=held.recorded_as)
    return await respond_gone(viewer=desk.viewer, audit=changed)


async def _locked(desk: DraftDesk, rule_set_id: str, condition: Condition) -> OpenDraft:
    """The draft in the revision that the caller has read, kept from changing."""
    held = await service.get_open_draft(desk.session, rule_set_id=rule_set_id, lock=True)
    condition.check(version_of(held))
    return held
