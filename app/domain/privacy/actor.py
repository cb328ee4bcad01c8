"""Who calls: one subject in one role."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import NotFound
from app.domain.privacy.roles import Purpose, Relation, Role, Viewer, relation_to


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of one request.

    Args:
        issuer: who vouches for the subject.
        subject: the caller's id there.
        role: the one active role.
        customer_id: the customer the caller is, in role customer only.
        purpose: what the request states in `X-Purpose`.
    """

    issuer: str
    subject: str
    role: Role
    customer_id: str | None = None
    purpose: Purpose | None = None

    def viewer(self) -> Viewer:
        """The caller as one who stands in no relation to any customer."""
        return self._in(Relation.OTHER)

    def viewer_of(self, customer_id: str, account_manager: str | None = None) -> Viewer:
        """The caller as the viewer of one customer.

        Args:
            customer_id: the customer, by the id he is stored under.
            account_manager: subject of that customer's account manager.

        Raises:
            NotFound: the caller is a customer, and not this one.
        """
        relation = relation_to(
            role=self.role,
            subject=self.subject,
            own_customer_id=self.customer_id,
            customer_id=customer_id,
            account_manager=account_manager,
        )
        if self.role is Role.CUSTOMER and relation is not Relation.SELF:
            raise NotFound("not-found")
        return self._in(relation)

    def _in(self, relation: Relation) -> Viewer:
        return Viewer(
            role=self.role,
            subject=self.subject,
            relation=relation,
            customer_id=self.customer_id,
            purpose=self.purpose,
        )
