"""Rule sets over HTTP: which there are, which decides, and every document that ever did."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Header, Request, Response

from app.domain.rules.findings import DocumentError
from app.features.rule_sets import service
from app.features.rule_sets.router.shared import Reader, router
from app.features.rule_sets.schemas import (
    ChangesRead,
    RuleSetId,
    RuleSetsRead,
    SinceVersion,
    TemplateRead,
    TemplatesRead,
    VersionNumber,
)
from app.features.rule_sets.service import DMN, JSON, PMML, SUFFIXES, YAML
from app.infra.conditions import is_known, respond_open
from app.infra.description import read_responses
from app.infra.desk import Today
from app.infra.downloads import attachment
from app.infra.masking import Open
from app.infra.media_types import XLSX
from app.infra.negotiation import preferred_media_type
from app.infra.problems import MOST_ERRORS, FieldError, ProblemError
from app.infra.session import ReadSession

#: Each form of a document but the JSON, which the framework describes.
_FORMS: Final[Mapping[str, dict[str, Any]]] = {
    YAML: {"schema": {"type": "string"}},
    XLSX: {"schema": {"type": "string", "format": "binary"}},
    DMN: {"schema": {"type": "string"}},
    PMML: {"schema": {"type": "string"}},
}
_DOCUMENT: Final[Mapping[int | str, dict[str, Any]]] = {
    200: {"content": dict(_FORMS)},
    **read_responses(404, 406, "not-carried"),
}


@router.get(
    "/v1/rule-sets",
    summary="The rule sets, and which of them decides",
    response_description="Every stored rule set.",
    response_model=RuleSetsRead,
    responses=read_responses(),
)
async def list_rule_sets(
    request: Request, session: ReadSession, today: Today, _actor: Reader
) -> Response:
    """With all versions, which never change, and the business days on which each of them decides.

    For a customer decides the rule set of his line, or `all` where his line has none.
    """
    found = await service.list_all(session)
    return respond_open(request, RuleSetsRead.from_domain(found, today))


@router.get(
    "/v1/rule-sets/{rule_set_id}/versions/{version}",
    response_model=Open[dict[str, Any]],
    summary="The document of one version",
    response_description="The document in full, whatever it extends written out.",
    responses=dict(_DOCUMENT),
)
async def get_rule_set_version(
    rule_set_id: RuleSetId,
    version: VersionNumber,
    request: Request,
    session: ReadSession,
    _actor: Reader,
    accept: Annotated[
        str | None,
        # The description tells it by the media types of the answer, as OpenAPI wants it.
        Header(max_length=1000, include_in_schema=False),
    ] = None,
) -> Response:
    """The JSON is canonical (RFC 8785): its SHA-256 is the version's hash, and its `ETag`.

    YAML, XLSX (a form to fill in) and DMN 1.3 hold the whole document and read back with the same
    hash. PMML 4.4 scores, and holds the rest in an extension; what it would not keep apart is told
    as `not-carried`, with the places in `errors`.
    """
    media_type = preferred_media_type(accept, list(SUFFIXES))
    if media_type is None:
        raise ProblemError("not-acceptable")
    found = await service.get_version(session, rule_set_id=rule_set_id, version=version)
    # What tells the forms apart; the canonical JSON is what the hash is of.
    suffix = SUFFIXES[media_type]
    tag = f'"{found.stored.hash}"' if media_type == JSON else f'"{found.stored.hash}-{suffix}"'
    # A version never changes, but who may read it does.
    told = {"ETag": tag, "Vary": "Accept", "Cache-Control": "private, no-cache"}
    if is_known(request.scope, tag):
        return Response(status_code=304, headers=told)
    try:
        body = await asyncio.to_thread(service.represent, found.compiled.document, media_type)
    except DocumentError as error:
        places = [FieldError((one.path,), one.code) for one in error.findings[:MOST_ERRORS]]
        raise ProblemError("not-carried", errors=places) from None
    name = f"{rule_set_id}-{version}.{suffix}"
    return Response(
        body,
        media_type=media_type,
        headers=told | {"Content-Disposition": attachment(name)},
    )


@router.get(
    "/v1/rule-sets/{rule_set_id}/versions/{version}/changes",
    response_model=ChangesRead,
    summary="What a version changes",
    response_description="Every part that differs.",
    responses=read_responses(404),
)
async def list_rule_set_changes(
    rule_set_id: RuleSetId,
    version: VersionNumber,
    request: Request,
    session: ReadSession,
    _actor: Reader,
    since: SinceVersion = None,
) -> Response:
    """Compare two versions of one rule set in meaning: cells as sets of values, points by region.

    Rows and bins are known by their ids and values, and the order of rows counts where it decides.
    """
    found = await service.list_version_changes(
        session,
        rule_set_id=rule_set_id,
        version=version,
        since=version - 1 if since is None else since,
    )
    return respond_open(request, ChangesRead.from_domain(found))


@router.get(
    "/v1/rule-templates",
    summary="The rule sets that travel with the service",
    response_description="Every template.",
    response_model=TemplatesRead,
    responses=read_responses(),
)
async def list_rule_templates(request: Request, session: ReadSession, _actor: Reader) -> Response:
    """What an insurer's own rule set may extend; stored as versions like all others."""
    found = await service.list_templates(session)
    shipped = [TemplateRead.from_domain(item) for item in found]
    return respond_open(request, TemplatesRead(items=shipped))
