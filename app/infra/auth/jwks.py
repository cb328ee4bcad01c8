"""Verification keys from the issuer's key set, asked for over HTTP as seldom as possible.

The set is fetched at first need, when a token names an unknown key, and in the background when it
is older than ten minutes; never more than once in thirty seconds, whatever is sent to us. Requests
that need it share one fetch. An answer that is no usable key set changes nothing.

A key that has gone from the set is accepted for the overlap (`TIERING_JWKS_OVERLAP_SECONDS`), and
without any good answer all keys are accepted for a day: until then tokens may live that were issued
before the host went away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

import httpx

from app.infra.auth.keys import (
    MOST_KEYS,
    KeyRefusedError,
    VerificationKey,
    keys_by_id,
    parse_jwks,
)
from app.infra.clock import monotonic_seconds

log = logging.getLogger(__name__)

LEAST_INTERVAL_SECONDS: Final = 30.0
"""From the start of one fetch to the start of the next."""

REFRESH_SECONDS: Final = 600.0
"""How old the set grows before it is fetched again in the background."""

WAIT_SECONDS: Final = 2 * REFRESH_SECONDS
"""After so long without asking, whoever needs a key waits for the answer: it may be revoked."""

LONGEST_OUTAGE_SECONDS: Final = 24 * 3600.0
"""How long keys are accepted without a good answer: the longest life of a token."""

PATIENCE_SECONDS: Final = 5.0
"""How long one fetch may take, from the connection to the last byte."""

LARGEST_SET: Final = 1 << 18
_OK = 200


class _BadAnswerError(Exception):
    """The host answered with something else than a key set. The reason is for the log."""


@dataclass(frozen=True, slots=True)
class _Retired:
    key: VerificationKey
    refused_from: float


class JwksKeys:
    """The keys of a JSON Web Key Set behind a URL.

    It belongs to one event loop.

    Args:
        url: where the set is; `https`, or `http` on this very host.
        overlap_seconds: how long a key is accepted after it has gone from the set.
        patience_seconds: how long one fetch may take.
        clock: seconds that only ever go forward.
    """

    def __init__(
        self,
        url: str,
        *,
        overlap_seconds: float,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = monotonic_seconds,
    ) -> None:
        self._url = url
        self._overlap = overlap_seconds
        self._patience = patience_seconds
        self._clock = clock
        self._client: httpx.AsyncClient | None = None
        self._current: Mapping[str, VerificationKey] = {}
        self._retired: Mapping[str, _Retired] = {}
        self._fetched_at = -inf
        self._asked_at = -inf
        self._answered_at = -inf
        self._fetch: asyncio.Task[None] | None = None
        self._is_closed = False

    def find_known(self, kid: str) -> VerificationKey | None:
        """The key of that id, unless the set must be asked for first; the set may grow too old."""
        now = self._clock()
        if now - self._fetched_at >= REFRESH_SECONDS:
            if now - self._answered_at >= WAIT_SECONDS:
                return None
            self._ask(now)
        return self._held(kid, now)

    async def find(self, kid: str) -> VerificationKey | None:
        """The key of that id; the set is fetched if it is not there, and if that may be done."""
        found = self.find_known(kid)
        if found is None:
            await self._wait()
            found = self._held(kid, self._clock())
        return found

    async def has_keys(self) -> bool:
        """Whether a key is at hand; the set is fetched if none is, and if that may be done."""
        if not self._is_held(self._clock()):
            await self._wait()
        return self._is_held(self._clock())

    async def aclose(self) -> None:
        """Give up a fetch under way and close the connection; no more is asked."""
        self._is_closed = True
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait([self._fetch])
        if self._client is not None:
            await self._client.aclose()

    def _is_held(self, now: float) -> bool:
        return bool(self._current) and now - self._fetched_at < LONGEST_OUTAGE_SECONDS

    def _held(self, kid: str, now: float) -> VerificationKey | None:
        if now - self._fetched_at >= LONGEST_OUTAGE_SECONDS:
            return None
        found = self._current.get(kid)
        if found is None and (retired := self._retired.get(kid)) is not None:
            found = retired.key if now < retired.refused_from else None
        return found

    async def _wait(self) -> None:
        fetch = self._ask(self._clock())
        if fetch is not None:
            # Whoever goes away leaves the fetch to the others.
            await asyncio.wait([fetch])

    def _ask(self, now: float) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one; None if the last was too short a time ago."""
        if self._fetch is not None or self._is_closed:
            return self._fetch
        if now - self._asked_at >= LEAST_INTERVAL_SECONDS:
            self._asked_at = now
            self._fetch = asyncio.get_running_loop().create_task(self._refresh())
            self._fetch.add_done_callback(self._end)
        return self._fetch

    def _end(self, fetch: asyncio.Task[None]) -> None:
        if fetch is self._fetch:
            self._fetch = None

    async def _refresh(self) -> None:
        try:
            found = keys_by_id(parse_jwks(await self._download()))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong there, the keys stay.
            log.warning("key set not fetched", extra={"reason": _reason(error)})
        else:
            self._take(found)
            log.info("key set fetched", extra={"count": len(found)})
        self._answered_at = self._clock()

    async def _download(self) -> bytes:
        if self._client is None:
            self._client = _client(self._url)
        body = bytearray()
        async with (
            asyncio.timeout(self._patience),
            self._client.stream("GET", self._url) as answer,
        ):
            if answer.status_code != _OK:
                raise _BadAnswerError(f"status-{answer.status_code}")
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise _BadAnswerError("encoded")
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > LARGEST_SET:
                    raise _BadAnswerError("too-large")
        return bytes(body)

    def _take(self, found: Mapping[str, VerificationKey]) -> None:
        now = self._clock()
        # Whoever was last seen long ago, since nobody asked, has had a part of the overlap already.
        refused_from = min(now, self._fetched_at + REFRESH_SECONDS) + self._overlap
        gone = {kid: _Retired(key, refused_from) for kid, key in self._current.items()}
        retired = {
            kid: entry
            for kid, entry in {**self._retired, **gone}.items()
            if kid not in found and now < entry.refused_from
        }
        # An unchanged key stays the same object, by which the tokens it has verified are known.
        self._current = {
            kid: old if (old := self._held(kid, now)) == key else key for kid, key in found.items()
        }
        self._retired = dict(list(retired.items())[-MOST_KEYS:])
        self._fetched_at = now


def _client(url: str) -> httpx.AsyncClient:
    """A client that follows nothing, decodes nothing and keeps no connection between fetches."""
    return httpx.AsyncClient(
        headers={
            "Accept": "application/jwk-set+json, application/json",
            "Accept-Encoding": "identity",
        },
        follow_redirects=False,
        timeout=PATIENCE_SECONDS,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=0),
        # Proxies and certificate authorities of the environment; plain http stays on this host.
        trust_env=url.startswith("https:"),
    )


def _reason(error: Exception) -> str:
    """Why a fetch failed, without a word of the answer."""
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "slow"
    if isinstance(error, _BadAnswerError | KeyRefusedError):
        return str(error)
    return type(error).__name__
