"""Errors that know what kind they are; `infra/problems.py` alone knows the HTTP status."""

from __future__ import annotations


class DomainError(Exception):
    """Something the caller can be told.

    Args:
        type_: stable slug of the problem type, as `decision-stale`.
        detail: one sentence for a person, naming the place and the remedy; never a personal value.
    """

    def __init__(self, type_: str, detail: str = "") -> None:
        super().__init__(detail or type_)
        self.type = type_
        self.detail = detail
        #: Where many are worked on at once, whose fault it was; never part of an answer.
        self.customer_id: str | None = None


class NotFound(DomainError):
    """There is no such thing, or the caller may not know that there is."""


class Conflict(DomainError):
    """The thing is in a state that does not allow this."""


class Invalid(DomainError):
    """What was sent cannot be accepted."""


class Forbidden(DomainError):
    """The caller's role does not allow this."""
