"""Declarative base, constraint names and the two column shapes every table uses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, MetaData, Numeric, func
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

from app.domain.customer_ids import CUSTOMER_ID, STEPS_OF_A_PATH

#: Every constraint has a predictable name, so that a migration and an error can say which it was.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

#: Money is exact: 18 digits, of which two are minor units of the deployment's one currency.
MONEY = Numeric(18, 2)


class Base(DeclarativeBase):
    """Root of every row class."""

    metadata = MetaData(naming_convention=NAMING)


def column(
    type_: Any,  # noqa: ANN401 - SQLAlchemy accepts a type or a type class here.
    comment: str,
    *constraints: Any,  # noqa: ANN401 - foreign keys and identities, as mapped_column takes them.
    sensitivity: str,
    **options: Any,  # noqa: ANN401 - handed on to mapped_column unchanged.
) -> MappedColumn[Any]:
    """A mapped column that cannot be declared without a meaning and a sensitivity class.

    Args:
        type_: the SQLAlchemy type.
        comment: what the column means; it is written into the database too.
        constraints: column constraints, such as a foreign key.
        sensitivity: a class of `app.domain.privacy`; the start-up check reads it.
        options: anything else that `mapped_column` takes.
    """
    return mapped_column(
        type_, *constraints, comment=comment, info={"sensitivity": sensitivity}, **options
    )


def one_of(
    name: str, values: tuple[str, ...], *, column_name: str | None = None
) -> CheckConstraint:
    """A named CHECK that a text column holds one of a closed list of words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column_name or name} IN ({words})", name=name)


def customer_id_form(name: str) -> CheckConstraint:
    """A named CHECK that a column holds a customer's id in its form."""
    steps = ", ".join(f"'{step}'" for step in STEPS_OF_A_PATH)
    return CheckConstraint(f"{name} ~ '{CUSTOMER_ID}' AND {name} NOT IN ({steps})", name=name)


class Recorded:
    """Provenance: when this row was written, by the database's clock."""

    recorded_at: Mapped[datetime] = column(
        DateTime(timezone=True),
        "When the row was written (provenance; never business time).",
        sensitivity="internal",
        server_default=func.now(),
        nullable=False,
    )
