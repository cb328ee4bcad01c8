"""What an insurer's own customer id may look like, wherever one comes in.

An id stands in paths, file names and logs, so it is made of characters that mean nothing there.
"""

import re
from typing import Final

CUSTOMER_ID: Final = "^[A-Za-z0-9._-]{1,64}$"
"""The same to PostgreSQL, Polars, Pydantic and JSON Schema."""

STEPS_OF_A_PATH: Final = (".", "..")
"""What clients and proxies resolve on the way, so that it never arrives as an id."""

_WHOLE: Final = re.compile(CUSTOMER_ID)


def is_customer_id(text: str) -> bool:
    r"""Whether a text may be the id of a customer; there need not be one.

    >>> is_customer_id("C-1001"), is_customer_id("C 1001"), is_customer_id("C1\n")
    (True, False, False)
    >>> is_customer_id(".."), is_customer_id("...")
    (False, True)
    """
    return _WHOLE.fullmatch(text) is not None and text not in STEPS_OF_A_PATH
