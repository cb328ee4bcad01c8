"""Rule sets over HTTP: which there are, which decides, and every document that ever did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Header, Request, Response

from app.domain.rules.canonical import rfc8785_json
from app.domain.rules.writing import document_json
from app.features.rule_sets import service
from app.features.rule_sets.router.shared import Reader, router
from app.features.rule_sets.schemas import (
    ListedRuleSetRead,
    RuleSetId,
    RuleSetsRead,
    TemplateRead,
    TemplatesRead,
    VersionNumber,
)
from app.features.rule_sets.service.uploads import JSON, YAML
from app.infra.conditions import is_known, respond_open
from app.infra.description import read_responses
from app.infra.desk import Today
from app.infra.documents import write_document
from app.infra.masking import Open
from app.infra.negotiation import preferred_media_type
from app.infra.problems import ProblemError
from app.infra.session import ReadSession

#: What tells the answers of one version apart; the canonical JSON is what the hash is of.
_MARKS: Final = {JSON: "", YAML: "-yaml"}

_DOCUMENT: Final[Mapping[int | str, dict[str, Any]]] = {
    200: {"content": {YAML: {"schema": {"type": "string"}}}},
    **read_responses(404, 406),
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
    found = await service.list_rule_sets(session)
    listed = [ListedRuleSetRead.from_domain(item, today) for item in found]
    return respond_open(request, RuleSetsRead(items=listed))


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

    The YAML says the same and can be loaded again.
    """
    media_type = preferred_media_type(accept, [JSON, YAML])
    if media_type is None:
        raise ProblemError("not-acceptable")
    found = await service.get_version(session, rule_set_id=rule_set_id, version=version)
    tag = f'"{found.stored.hash}{_MARKS[media_type]}"'
    # A version never changes, but who may read it does.
    told = {"ETag": tag, "Vary": "Accept", "Cache-Control": "private, no-cache"}
    if is_known(request.scope, tag):
        return Response(status_code=304, headers=told)
    document = document_json(found.compiled.document)
    body = rfc8785_json(document) if media_type == JSON else write_document(document).encode()
    return Response(body, media_type=media_type, headers=told)


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
