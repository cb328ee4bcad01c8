"""How often one actor may ask: a token bucket for each issuer, subject and role.

Searches are counted by issuer and subject alone, so that several roles are no several quotas.

The buckets are this process's own, so with several replicas an actor has as many quotas; a limit
shared by all belongs to the gateway before them. What is guarded here is the process: one runaway
client is slowed before others wait for it. The ordinary quota is wide, since one integration of a
call centre asks hundreds of times a second on behalf of everybody in it; a costly request takes
from a narrower quota besides.

The state is told in the fields of draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy` has the
quota `q` and its window `w` in seconds, `RateLimit` what remains `r` and the seconds `t` until it
is whole again. A quota that is used up comes back little by little.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import StrEnum
from math import ceil
from typing import Final, NamedTuple, TypeAlias

from starlette.types import Scope

from app.domain.privacy.actor import Actor
from app.infra.clock import monotonic_seconds
from app.infra.problems import ProblemError
from app.infra.settings import Settings

#: Where a request's standing with its quotas is noted.
STANDINGS_KEY: Final = "tiering.rate_limit"
MOST_ACTORS: Final = 10_000
"""Actors of one process; the one not seen for longest is forgotten, and has a full quota again."""

_MINUTE = 60
#: Stands for whichever role, where all of them share a quota.
_ANY_ROLE: Final = "*"

Name: TypeAlias = tuple[str, str, str]


class RateClass(StrEnum):
    """Kinds of requests with a quota of their own."""

    ORDINARY = "ordinary"
    COSTLY = "costly"
    SEARCH = "search"
    """Numbers that could be tried by the thousand, until one is somebody's; in whatever role."""


class _Bucket:
    """What remained of a quota when it was last asked for."""

    __slots__ = ("at", "left")

    def __init__(self, left: float, at: float) -> None:
        self.left = left
        self.at = at


class Standing(NamedTuple):
    """What remains of one quota after a request, and whether the request was within it."""

    rate_class: RateClass
    left: int
    whole_in: int
    refused_for: int = 0


class Quota:
    """So many requests a minute of one class, by actor.

    Args:
        rate_class: which.
        per_minute: how many; all of them may come at once.
        most: actors that are remembered.
    """

    def __init__(self, rate_class: RateClass, per_minute: int, most: int = MOST_ACTORS) -> None:
        self.policy = f'"{rate_class}";q={per_minute};w={_MINUTE}'.encode()
        self._class = rate_class
        self._whole = per_minute
        self._per_second = per_minute / _MINUTE
        self._most = most
        self._buckets: OrderedDict[Name, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: Name, now: float) -> Standing:
        """Count one request of an actor at a moment."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket(self._whole, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(name)
        left = bucket.left + (now - bucket.at) * self._per_second
        left = min(left, self._whole)
        bucket.at = now
        refused_for = 0
        if left >= 1:
            left -= 1
        else:
            refused_for = ceil((1 - left) / self._per_second)
        bucket.left = left
        whole_in = ceil((self._whole - left) / self._per_second)
        return Standing(self._class, int(left), whole_in, refused_for)


class RateLimiter:
    """The quotas of one process.

    Args:
        per_minute: the width of each quota; a class that is left out, or has 0, is not limited.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        per_minute: Mapping[RateClass, int],
        clock: Callable[[], float] = monotonic_seconds,
    ) -> None:
        self._quotas = {kind: Quota(kind, width) for kind, width in per_minute.items() if width}
        self._clock = clock

    def admits(self, scope: Scope, actor: Actor, rate_class: RateClass) -> bool:
        """Whether a request is within its quota, of which it is counted once, here."""
        quota = self._quotas.get(rate_class)
        if quota is None:
            return True
        standings = scope.get(STANDINGS_KEY)
        if standings is None:
            standings = scope[STANDINGS_KEY] = {}
        standing = standings.get(rate_class)
        if standing is None:
            role = _ANY_ROLE if rate_class is RateClass.SEARCH else actor.role
            name = (actor.issuer, actor.subject, role)
            standing = standings[rate_class] = quota.take(name, self._clock())
        return not standing.refused_for

    def require(self, scope: Scope, actor: Actor, rate_class: RateClass) -> None:
        """Count a request.

        Raises:
            ProblemError: the quota is used up; it says for how long.
        """
        if not self.admits(scope, actor, rate_class):
            wait = scope[STANDINGS_KEY][rate_class].refused_for
            raise ProblemError("too-many-requests", headers={"Retry-After": str(wait)})

    def headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """The fields that tell a request's standing; none where nothing was counted."""
        standings: Mapping[RateClass, Standing] | None = scope.get(STANDINGS_KEY)
        if not standings:
            return []
        policies = b", ".join([self._quotas[kind].policy for kind in standings])
        told = b", ".join(
            [
                b'"%b";r=%d;t=%d' % (kind.encode(), standing.left, standing.whole_in)
                for kind, standing in standings.items()
            ]
        )
        return [(b"ratelimit-policy", policies), (b"ratelimit", told)]


def create_limiter(settings: Settings) -> RateLimiter:
    """The limiter of a deployment."""
    return RateLimiter(
        {
            RateClass.ORDINARY: settings.rate_limit_per_minute,
            RateClass.COSTLY: settings.costly_rate_limit_per_minute,
            RateClass.SEARCH: settings.search_rate_limit_per_minute,
        }
    )
