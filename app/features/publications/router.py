"""Publishing rule sets over HTTP, taking them out of force, and who did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from app.domain.privacy.actor import Actor
from app.domain.privacy.roles import Role, Viewer
from app.features.publications import service
from app.features.publications.schemas import (
    PublicationCreate,
    PublicationRead,
    PublicationsQuery,
    PublicationsRead,
    RetirementCreate,
)
from app.features.publications.service import NotPublishableError, Publisher, StoredPublication
from app.features.rule_sets.schemas import RuleSetId, refused_places
from app.infra.audit import Audit
from app.infra.auth import costs, requires
from app.infra.database import AsyncSession
from app.infra.deadline import takes_up_to
from app.infra.description import problem_responses, read_responses
from app.infra.desk import Desk
from app.infra.idempotency import REPLAYED, Once, OneEffect
from app.infra.pagination import Cursors
from app.infra.problems import ProblemError
from app.infra.proving import PROVES, ProofForCaller
from app.infra.rate_limit import RateClass
from app.infra.requester import CurrentRequester
from app.infra.reveal import respond_about_nobody
from app.infra.routing import Router
from app.infra.turns import TAKES_TURN

router = Router("rules")

Reader = Annotated[
    Actor,
    requires(
        Role.RULE_AUTHOR,
        Role.RULE_PUBLISHER,
        Role.RISK_OFFICER,
        Role.BUSINESS_OFFICER,
        Role.COMPLIANCE,
    ),
]
#: A proof may take its budget of steps.
_LONGEST_SECONDS = 120


@dataclass(frozen=True, slots=True)
class PublisherDesk:
    """What publishers' routes work with: the transaction, and who publishes."""

    session: AsyncSession
    publisher: Publisher
    viewer: Viewer


async def publisher_desk(
    desk: Desk,
    requester: CurrentRequester,
    actor: Annotated[Actor, requires(Role.RULE_PUBLISHER)],
) -> PublisherDesk:
    """The desk of one request of a publisher."""
    publisher = Publisher(requester.digest, desk.now, desk.today)
    return PublisherDesk(desk.session, publisher, actor.viewer())


#: `scope="function"` keeps to the scope of the desk.
CurrentDesk = Annotated[PublisherDesk, Depends(publisher_desk, scope="function")]


@router.post(
    "/v1/rule-sets/{rule_set_id}/publish",
    status_code=201,
    response_model=PublicationRead,
    summary="Publish a draft, or a version anew",
    response_description="What was published, and when it decides.",
    dependencies=[costs(RateClass.COSTLY), PROVES, TAKES_TURN],
    responses={
        201: REPLAYED,
        **problem_responses(
            404,
            "publisher-is-author",
            "not-a-publisher",
            "draft-changed",
            "open-errors",
            "tests-fail",
            "not-rehearsed",
            "already-in-force",
            "conflict",
            "pia-required",
            "publication-back-dated",
        ),
    },
)
@takes_up_to(seconds=_LONGEST_SECONDS)
async def publish_rule_set(
    rule_set_id: RuleSetId,
    written: PublicationCreate,
    desk: CurrentDesk,
    once: Once,
    prove: ProofForCaller,
) -> Response:
    """By a publisher who edited nothing of it: it decides for its line from a business day on.

    It has no open errors, passes its own tests, and was simulated as it is. What decided before
    ends on that day; what would begin on or after it never comes into force. A publication is
    rolled back by publishing an earlier version anew, for which all of this is asked again.
    """
    if (earlier := await once.find()) is not None:
        found = await service.get_publication(
            desk.session, rule_set_id=rule_set_id, publication_id=UUID(earlier.resource)
        )
    else:
        try:
            found = await service.publish(
                desk.session,
                rule_set_id=rule_set_id,
                order=written.to_domain(),
                publisher=desk.publisher,
                prove=prove,
            )
        except NotPublishableError as error:
            places = refused_places(error.findings, "document")
            raise ProblemError(error.type, errors=places) from None
        await once.keep(str(found.act.id))
    version = f"/v1/rule-sets/{rule_set_id}/versions/{found.act.version}"
    return await _respond_once(found, desk, once, {"Location": version})


@router.post(
    "/v1/rule-sets/{rule_set_id}/retire",
    response_model=PublicationRead,
    summary="Retire a rule set",
    response_description="The retirement, and where it leaves the line.",
    dependencies=[TAKES_TURN],
    responses={
        200: REPLAYED,
        **problem_responses(
            404, "not-a-publisher", "not-in-force", "all-must-decide", "publication-back-dated"
        ),
    },
)
async def retire_rule_set(
    rule_set_id: RuleSetId,
    written: RetirementCreate,
    desk: CurrentDesk,
    once: Once,
) -> Response:
    """From a business day on it decides no more, and what would begin later never does.

    For its line then decides the rule set of all lines, which cannot be retired itself. Customers'
    tiers are stale until the next evaluation. Versions stay, and can be published anew.
    """
    if (earlier := await once.find()) is not None:
        found = await service.get_publication(
            desk.session, rule_set_id=rule_set_id, publication_id=UUID(earlier.resource)
        )
    else:
        found = await service.retire(
            desk.session,
            rule_set_id=rule_set_id,
            valid_to=written.valid_to,
            publisher=desk.publisher,
        )
        await once.keep(str(found.act.id), status=200)
    return await _respond_once(found, desk, once, {})


@router.get(
    "/v1/rule-sets/{rule_set_id}/publications",
    response_model=PublicationsRead,
    summary="Who published what",
    response_description="A page of publications, the newest first.",
    responses=read_responses(404),
)
async def list_publications(
    rule_set_id: RuleSetId,
    query: Annotated[PublicationsQuery, Query()],
    desk: Desk,
    audit: Audit,
    actor: Reader,
) -> Response:
    """What publishers did with a rule set, and the days on which it decides by that as of now.

    Versions that are shipped or that an operator loaded were published by nobody.
    """
    cursors = Cursors(desk.vault.master, f"publications:{rule_set_id}", actor)
    page = await service.list_publications(
        desk.session,
        rule_set_id=rule_set_id,
        limit=query.limit,
        before=None if query.cursor is None else UUID(cursors.open(query.cursor)[0]),
    )
    next_cursor = None if page.after is None else cursors.seal([str(page.after)])
    return await respond_about_nobody(
        PublicationsRead.from_domain(page.items, next_cursor), viewer=actor.viewer(), audit=audit
    )


async def _respond_once(
    found: StoredPublication, desk: PublisherDesk, once: OneEffect, headers: Mapping[str, str]
) -> Response:
    """What was done, now or by an earlier request with the same key."""
    act = found.act
    (told,) = await service.tell(desk.session, [found])
    gaps = await service.list_gaps(desk.session, act.product_line, today=desk.publisher.today)
    return await respond_about_nobody(
        PublicationRead.from_domain(told, gaps),
        viewer=desk.viewer,
        audit=once.noting(f"{act.rule_set_id}/{act.kind}/{act.version or act.effective_on}"),
        status=once.status,
        headers={**headers, **once.headers},
    )
