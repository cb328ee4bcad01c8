"""The one door through which clear values leave.

A route about customers ends like this:

    @router.get("/v1/customers/{customer_id}/tier", response_model=TierRead,
                responses=problem_responses(404))
    async def get_tier(
        customer_id: CustomerId,
        actor: Annotated[Actor, requires(Role.AGENT, Role.CUSTOMER)],
        session: WriteSession,
        audit: Audit,
    ) -> Response:
        record = await service.get_tier(session, customer_id=customer_id)
        viewer = actor.viewer_of(record.customer_id, record.account_manager)
        return await respond(TierRead.from_domain(record), viewer=viewer, audit=audit,
                             subjects=[record.customer_id])

What was decrypted should be what the viewer is shown: ask
`MATRIX.disposition(viewer, SensitivityClass.C2_NAME)` before decrypting, and leave the rest
`Sensitive.sealed` with its stored masked form. The event of a read is committed here, with those
of other requests of the moment. A route that changes something asks for a `ChangeAudit`, whose
event is stored in the transaction of its `session`; that commits when the route function returns
and before bytes are sent. Where either cannot be, the answer is 503 and the rendered body is
dropped. A change, or the version of what is shown, is told by
`audit=audit.noting(outcome=Outcome.CHANGED, record_version=...)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.responses import Response

from app.domain.errors import Forbidden
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.infra.audit import Answer, AuditTrail
from app.infra.conditions import is_known
from app.infra.masking import render, render_each
from app.infra.rendering import sight_of, written_forms, written_forms_of

_OK = 200
_NO_CONTENT = 204
_NOT_MODIFIED = 304
_VERSION_BYTES = 16


async def respond(
    model: BaseModel,
    *,
    viewer: Viewer,
    audit: AuditTrail,
    subjects: Sequence[str],
    status: int = _OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer about customers, rendered for one viewer and written down first.

    Its `ETag` is an HMAC of the rendered body, so it tells no more than the body does. A read that
    names it in `If-None-Match` is answered 304, which is a look at the customer all the same;
    where `headers` give the tag of a record instead, the read is not conditional.

    Args:
        model: what is answered.
        viewer: for whom, with role, relation and purpose.
        audit: the request's audit.
        subjects: ids of the customers the answer tells about.
        status: the HTTP status.
        headers: further headers.

    Raises:
        Forbidden: the viewer's role is shown no customer data at all.
        ProblemError: the audit event could not be written.
    """
    _require_sight(viewer)
    body = render(model, viewer)
    forms = written_forms(type(model), sight_of(viewer))
    return await _answer(
        _Rendered(body, forms), viewer, audit, subjects, status=status, headers=headers
    )


async def respond_about_nobody(
    model: BaseModel,
    *,
    viewer: Viewer,
    audit: AuditTrail,
    status: int = _OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer about no customer, to a change above all, rendered and written down alike.

    It is for roles too that are shown no customer: what has a class is withheld from them.

    Args:
        model: what is answered.
        viewer: for whom.
        audit: the request's audit.
        status: the HTTP status.
        headers: further headers.

    Raises:
        ProblemError: the audit event could not be written.
    """
    rendered = _Rendered(render(model, viewer), written_forms(type(model), sight_of(viewer)))
    return await _answer(rendered, viewer, audit, (), status=status, headers=headers)


async def respond_gone(*, viewer: Viewer, audit: AuditTrail) -> Response:
    """The answer without a body to a change that removed what is about no customer.

    Raises:
        ProblemError: the audit event could not be written.
    """
    answer = Answer(status=_NO_CONTENT, body_hmac=audit.writer.body_hmac(b""))
    await audit.record_answer(viewer=viewer, subjects=(), answer=answer)
    return Response(status_code=_NO_CONTENT, headers={"Cache-Control": "no-store"})


async def respond_each(
    model: BaseModel,
    *,
    items: Sequence[tuple[BaseModel, Viewer | None]],
    viewer: Viewer,
    audit: AuditTrail,
    subjects: Sequence[str],
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer about several customers, each rendered for the caller as his own viewer.

    It is one look: one event tells of all of them.

    Args:
        model: what is answered besides, its `items` left empty.
        items: what is told of each customer, and the caller as the viewer of that one; None where
            nothing is told of anybody.
        viewer: the caller as one who stands in no relation to anybody.
        audit: the request's audit.
        subjects: ids of the customers the answer tells about.
        headers: further headers.

    Raises:
        Forbidden: a viewer's role is shown no customer data at all.
        ProblemError: the audit event could not be written.
    """
    if not MATRIX.serves(viewer.role):
        raise Forbidden("forbidden")
    _require_sight(*(seen_by for _, seen_by in items if seen_by is not None))
    body = render_each(model, viewer, items)
    forms = written_forms_of((type(item), sight_of(seen_by)) for item, seen_by in items)
    return await _answer(
        _Rendered(body, forms), viewer, audit, subjects, status=_OK, headers=headers
    )


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A body, and the forms its fields are shown in."""

    body: bytes
    forms: str


def _require_sight(*viewers: Viewer) -> None:
    if not all(map(MATRIX.sees_customer_data, viewers)):
        raise Forbidden("forbidden")


async def _answer(
    rendered: _Rendered,
    viewer: Viewer,
    audit: AuditTrail,
    subjects: Sequence[str],
    *,
    status: int,
    headers: Mapping[str, str] | None,
) -> Response:
    body_hmac = audit.writer.body_hmac(rendered.body)
    version = f'"{body_hmac[:_VERSION_BYTES].hex()}"'
    # Whoever is told the tag of a record does not hold the body: no condition keeps it from him.
    is_conditional = status == _OK and "ETag" not in (headers or {})
    if is_conditional and is_known(audit.scope, version):
        status = _NOT_MODIFIED
    answer = Answer(status=status, body_hmac=body_hmac, dispositions=rendered.forms)
    await audit.record_answer(viewer=viewer, subjects=subjects, answer=answer)
    told = {"Cache-Control": "no-store", "ETag": version, **(headers or {})}
    if status == _NOT_MODIFIED:
        return Response(status_code=status, headers=told)
    return Response(rendered.body, status_code=status, media_type="application/json", headers=told)
