"""What routes about customers share."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.domain.customer_ids import CUSTOMER_ID, STEPS_OF_A_PATH

#: Places beside the customers.
_TAKEN: Final = frozenset({*STEPS_OF_A_PATH, "search"})


def _addressable(customer_id: str) -> str:
    """An id that is a place of its own: clients and proxies resolve dots as steps of a path."""
    if customer_id in _TAKEN:
        kind, message = "bad-id", "the id is the name of another place"
        raise PydanticCustomError(kind, message)
    return customer_id


#: The id of a customer in a body.
CustomerIdField = Annotated[str, Field(pattern=CUSTOMER_ID), AfterValidator(_addressable)]
CustomerId = Annotated[
    CustomerIdField,
    Path(
        description="The insurer's own id, case-sensitive; an id merged away finds the survivor.",
        examples=["C-1001"],
    ),
]
