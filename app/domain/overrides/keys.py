"""Who may turn a key, and whether two keys have turned."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from app.domain.errors import Conflict, Forbidden
from app.domain.privacy.roles import Role
from app.domain.words import DEPARTMENTS, ApprovalDecision, Department

OFFICERS: Final[Mapping[Department, Role]] = MappingProxyType(
    {"risk": Role.RISK_OFFICER, "business": Role.BUSINESS_OFFICER}
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the staff, with the roles of his newest verified token."""

    digest: str
    subject: str
    roles: frozenset[str]

    @property
    def department(self) -> Department | None:
        """The one department whose key he may turn; None for who is of neither, or of both."""
        held = [name for name, role in OFFICERS.items() if role in self.roles]
        return held[0] if len(held) == 1 else None

    def require_department(self) -> Department:
        """The department whose key he may turn.

        Raises:
            Forbidden: `two-roles` for who is of both, and so counts for none, or `not-an-officer`.
        """
        department = self.department
        if department is None:
            has_two_roles = self.roles.issuperset(OFFICERS.values())
            raise Forbidden("two-roles" if has_two_roles else "not-an-officer")
        return department


@dataclass(frozen=True, slots=True)
class Key:
    """One officer's word on one version; `is_void` where he may not decide any more."""

    version: int
    approver: Person
    department: Department
    decision: ApprovalDecision
    on_behalf_of: Person | None = None
    is_void: bool = False

    @property
    def people(self) -> frozenset[str]:
        """Digests of those who act in it."""
        absent = self.on_behalf_of
        return frozenset({self.approver.digest} | ({absent.digest} if absent else set()))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request as it waits for its keys.

    Args:
        version: the one that is decided on.
        digest: of its content.
        requested_by: digest of who asks.
        account_managers: subjects of the account managers of its customers.
        expires_at: when nobody can decide on it any more.
        keys: what was decided, of every version.
    """

    version: int
    digest: str
    requested_by: str
    account_managers: Collection[str]
    expires_at: datetime
    keys: Sequence[Key]

    @property
    def counting(self) -> list[Key]:
        """The keys of this version whose officers may still decide."""
        return [key for key in self.keys if self.counts(key)]

    def counts(self, key: Key) -> bool:
        """Whether a key was turned for this version by somebody who may."""
        if key.version != self.version or key.is_void:
            return False
        people = [key.approver] if key.on_behalf_of is None else [key.approver, key.on_behalf_of]
        return all(
            person.department == key.department and person.subject not in self.account_managers
            for person in people
        )

    @property
    def waits_for(self) -> tuple[Department, ...]:
        """The departments whose keys are missing."""
        turned = {key.department for key in self.counting}
        return tuple(name for name in DEPARTMENTS if name not in turned)

    def require_approver(self, person: Person, *, on_behalf_of: Person | None = None) -> Department:
        """The department whose key somebody may turn now; what he read is another question.

        Args:
            person: who wants to decide.
            on_behalf_of: the absent officer for whom he acts.

        Raises:
            Forbidden: `two-roles`, `not-an-officer`, `approver-is-requester`,
                `approver-is-account-manager`, or `delegate-not-eligible`.
            Conflict: `already-decided` if he, the absent officer, or his department decided
                already.
        """
        department = person.require_department()
        if person.digest == self.requested_by:
            raise Forbidden("approver-is-requester")
        if person.subject in self.account_managers:
            raise Forbidden("approver-is-account-manager")
        if on_behalf_of is not None and not self._may_be_acted_for(on_behalf_of, department):
            raise Forbidden("delegate-not-eligible")
        acting = {person.digest} | ({on_behalf_of.digest} if on_behalf_of else set())
        acted = {digest for key in self.counting for digest in key.people}
        if department not in self.waits_for or acting & acted:
            raise Conflict("already-decided", "You or your department decided already.")
        return department

    def _may_be_acted_for(self, absent: Person, department: Department) -> bool:
        """Whether an absent officer could decide himself, if he were there."""
        return (
            absent.department == department
            and absent.digest != self.requested_by
            and absent.subject not in self.account_managers
        )

    def require_read(self, read: tuple[int, str] | None) -> None:
        """See to it that an approver was shown exactly this version.

        Args:
            read: version and digest that he was shown last.

        Raises:
            Conflict: `read-first`.
        """
        if read != (self.version, self.digest):
            raise Conflict("read-first", "Read the request as it is now, then decide.")

    def require_in_time(self, now: datetime) -> None:
        """See to it that the request has not expired.

        Raises:
            Conflict: `request-expired`.
        """
        if now >= self.expires_at:
            raise Conflict("request-expired", "The request has expired; ask anew.")
