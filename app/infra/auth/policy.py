"""What a deployment believes of a token: whose it is, and where in it things stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from app.domain.errors import Invalid
from app.domain.privacy.roles import Role
from app.infra.settings import Settings

LONGEST_LIFETIME: Final = timedelta(hours=24)

_LONGEST_PATH = 256
_MOST_NAMES = 6
_DOT = re.compile(r"(?<!\\)\.")
_ROLE_PATTERN = re.compile(r"[^\s*,]+\*?")

#: Claims that already mean something; only `sub` may be a customer id besides.
_TAKEN = frozenset({"iss", "aud", "sub", "exp", "iat", "nbf", "jti"})
#: Names of a certificate, which we do not look up. Any other key brings a key of its own, changes
#: what is signed, or must be understood; ignoring it would be wrong, whoever asks for it.
_IGNORABLE_HEADERS = frozenset({"x5t", "x5t#S256"})


@dataclass(frozen=True, slots=True)
class ClaimPath:
    r"""The way to a claim: its name, or names with dots between them from the outside in.

    A dot that belongs to a name is written with a backslash before it, as in Keycloak's own
    settings; a claim that has the whole text for its name comes first.

    >>> ClaimPath.parse("realm_access.roles").find({"realm_access": {"roles": ["agent"]}})
    ['agent']
    >>> ClaimPath.parse(r"resource_access.my\.app.roles").names
    ('resource_access', 'my.app', 'roles')
    >>> ClaimPath.parse("https://issuer.example/roles").find({"https://issuer.example/roles": 1})
    1
    """

    text: str
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> ClaimPath:
        """The path that a text spells.

        Raises:
            ValueError: a name in it is empty, a backslash stands before anything but a dot, or it
                is too long.
        """
        names = tuple(name.replace("\\.", ".") for name in _DOT.split(text))
        if len(text) > _LONGEST_PATH or len(names) > _MOST_NAMES:
            raise ValueError("the path is too long")
        if not all(names) or any("\\" in name for name in names):
            raise ValueError("names are separated by single dots; a dot in a name is written \\.")
        return cls(text, names)

    def find(self, claims: Mapping[str, object]) -> object:
        """What stands there; None if nothing does."""
        if self.text in claims:
            return claims[self.text]
        found: object = claims
        for name in self.names:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def put(self, claims: dict[str, object], value: object) -> None:
        """Write a value there, with the objects that lie around it."""
        place = claims
        for name in self.names[:-1]:
            inner = place.setdefault(name, {})
            if not isinstance(inner, dict):
                raise TypeError("a claim on the way is no object")
            place = inner
        place[self.names[-1]] = value

    def crosses(self, other: ClaimPath) -> bool:
        """Whether one leads to, or through, what the other leads to."""
        length = min(len(self.names), len(other.names))
        return self.names[:length] == other.names[:length]


@dataclass(frozen=True, slots=True)
class RoleNames:
    """Names of roles that are not ours, some by their beginning.

    >>> names = RoleNames.parse("offline_access, default-roles-*")
    >>> [name in names for name in ("offline_access", "default-roles-insurer", "offline", "agent")]
    [True, True, False, False]
    """

    exact: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> RoleNames:
        """The names in a text, with commas between them; `name*` stands for a beginning.

        Raises:
            ValueError: one is malformed, or would leave out a role of ours.
        """
        patterns = _listed(text)
        if not all(_ROLE_PATTERN.fullmatch(pattern) for pattern in patterns):
            raise ValueError("names or name* with commas between them are needed")
        found = cls(
            frozenset(pattern for pattern in patterns if not pattern.endswith("*")),
            tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*")),
        )
        if ours := sorted(role for role in Role if role in found):
            raise ValueError(f"role {ours[0]} would be ignored too")
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self.exact or name.startswith(self.beginnings))


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """What a token must say.

    Args:
        issuer: the exact `iss`.
        audience: what `aud` is or contains.
        roles_claim: where the roles are listed.
        customer_id_claim: where the customer id of role customer stands.
        ignored_roles: roles of others that do no harm; any other unknown role refuses the token.
        ignored_headers: header keys that may be present and are not looked at.
        longest_lifetime: the longest time from `iat` to `exp`.
    """

    issuer: str
    audience: str
    roles_claim: ClaimPath = field(default_factory=lambda: ClaimPath.parse("roles"))
    customer_id_claim: ClaimPath = field(default_factory=lambda: ClaimPath.parse("customer_id"))
    ignored_roles: RoleNames = field(default_factory=RoleNames)
    ignored_headers: frozenset[str] = frozenset()
    longest_lifetime: timedelta = LONGEST_LIFETIME


def policy_of(settings: Settings) -> TokenPolicy:
    """What tokens must say in a deployment.

    Raises:
        Invalid: a setting does not say where something stands, or ignores what must not be.
    """
    roles = _claim("roles_claim", settings.roles_claim)
    customer_id = _claim("customer_id_claim", settings.customer_id_claim)
    if roles.crosses(customer_id):
        raise _invalid("customer_id_claim", "it stands where the roles do")
    for name, path in (("roles_claim", roles), ("customer_id_claim", customer_id)):
        is_subject = path is customer_id and path.names == ("sub",)
        if path.names[0] in _TAKEN and not is_subject:
            raise _invalid(name, "this claim has a meaning of its own")
    try:
        ignored_roles = RoleNames.parse(settings.roles_ignored)
    except ValueError as error:
        raise _invalid("roles_ignored", str(error)) from None
    return TokenPolicy(
        issuer=settings.issuer,
        audience=settings.audience,
        roles_claim=roles,
        customer_id_claim=customer_id,
        ignored_roles=ignored_roles,
        ignored_headers=_ignored_headers(settings.token_headers_ignored),
    )


def _ignored_headers(text: str) -> frozenset[str]:
    names = frozenset(_listed(text))
    if not names <= _IGNORABLE_HEADERS:
        raise _invalid("token_headers_ignored", "only x5t and x5t#S256 can be")
    return names


def _claim(name: str, text: str) -> ClaimPath:
    try:
        return ClaimPath.parse(text)
    except ValueError as error:
        raise _invalid(name, str(error)) from None


def _invalid(name: str, reason: str) -> Invalid:
    return Invalid("settings-invalid", f"{name}: {reason}")


def _listed(text: str) -> Iterable[str]:
    return [part.strip() for part in text.split(",")] if text.strip() else []
