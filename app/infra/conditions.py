"""`If-Match` and `If-None-Match`: changing what was read, and not sending what is known.

A route that changes a record takes `condition: IfMatch`, asks for the record's version under a lock
where one was stated, and tells the new one:

    if condition.is_stated:
        condition.check(await service.lock_version(session, id=id))
    ...
    headers={"ETag": condition.tag(version)}

The tag is an HMAC of the version, of everything a change of the record changes, whether the caller
is shown it or not. A record that is not there, or is at another version, is answered 412; with
`IfMatchRequired` a request that states no condition is answered 428.

What is about no customer is answered by `respond_open`, with a tag of its very bytes, or with 304.
Answers about customers have theirs from `app.infra.reveal`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from starlette.types import Scope

from app.infra.app_vault import AppVault
from app.infra.cipher import Vault
from app.infra.problems import ProblemError

_ANY: Final = "*"
_TAG_BYTES = 16
_LONGEST = 1000


class Condition:
    """What a request states of the version it means to change.

    Args:
        stated: the value of `If-Match`; None without one.
        secret: what versions are digested with.
    """

    def __init__(self, stated: str | None, secret: bytes) -> None:
        self._stated = stated
        self._secret = secret

    @property
    def is_stated(self) -> bool:
        """Whether there is a condition at all."""
        return self._stated is not None

    def tag(self, version: str) -> str:
        """The entity tag of a version."""
        digest = hmac.digest(self._secret, version.encode(), "sha256")
        return f'"{digest[:_TAG_BYTES].hex()}"'

    def check(self, version: str | None) -> None:
        """See to it that the record is as the caller read it.

        Args:
            version: of the record as it is now, kept from changing; None if there is none.

        Raises:
            ProblemError: it is not.
        """
        if self._stated is None:
            return
        stated = {tag.strip() for tag in self._stated.split(",")}
        # A weak tag never matches (RFC 9110): it has another beginning.
        if version is None or stated.isdisjoint({_ANY, self.tag(version)}):
            raise ProblemError("precondition-failed")


async def stated_condition(
    request: Request,
    vault: AppVault,
    _if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            max_length=_LONGEST,
            description="The `ETag` of the version to change; with another one there, 412.",
        ),
    ] = None,
) -> Condition:
    """The condition of a request that may state one."""
    given = request.headers.getlist("If-Match")
    return Condition(",".join(given) if given else None, _secret(vault))


def _secret(vault: Vault) -> bytes:
    return vault.master.derive("record version")


async def record_tags(vault: AppVault) -> Condition:
    """What tells the version of a record in a request that changes none, or makes it."""
    return Condition(None, _secret(vault))


#: For the reads of what is changed with `If-Match`; they are not conditional themselves.
RecordTags = Annotated[Condition, Depends(record_tags)]


IfMatch = Annotated[Condition, Depends(stated_condition)]


async def required_condition(condition: IfMatch) -> Condition:
    """The condition of a request that must state one."""
    if not condition.is_stated:
        raise ProblemError("precondition-required")
    return condition


IfMatchRequired = Annotated[Condition, Depends(required_condition)]


def is_known(scope: Scope, tag: str) -> bool:
    """Whether the caller of a read holds this very answer already (RFC 9110, weak comparison)."""
    if scope["method"] != "GET":
        return False
    return any(
        given.strip().removeprefix("W/") in {tag, _ANY}
        for name, value in scope["headers"]
        if name == b"if-none-match"
        for given in value.decode("latin-1").split(",")
    )


def respond_open(
    request: Request, model: BaseModel, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer about no customer, or 304 if the caller holds it already."""
    body = model.model_dump_json(by_alias=True).encode()
    return respond_bytes(request.scope, body, headers)


def respond_bytes(scope: Scope, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """The JSON of an answer about no customer, or 304 if the caller holds it already.

    Whoever keeps it asks again before he uses it, since roles and rules change.
    """
    tag = f'"{hashlib.sha256(body).digest()[:_TAG_BYTES].hex()}"'
    told = {"Cache-Control": "private, no-cache", "ETag": tag, **(headers or {})}
    if is_known(scope, tag):
        return Response(status_code=304, headers=told)
    return Response(body, media_type="application/json", headers=told)
