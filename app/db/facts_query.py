"""The one facts query, with the one thing in it that varies: which customers."""

from __future__ import annotations

from enum import Enum
from functools import cache
from importlib import resources

_MARK = "/* scope */ TRUE"


class Scope(Enum):
    """Whose facts; the value is the condition on `book.customers AS c`."""

    #: The customers named by the text array `$2`.
    NAMED = "c.customer_id = ANY($2::text[])"
    #: The customers from number `$2` to number `$3`, both included (`app.infra.book` numbers them).
    BETWEEN = "c.customer_id BETWEEN $2 AND $3"
    #: Every customer.
    ALL = "TRUE"


@cache
def facts_query(scope: Scope) -> str:
    """The SQL text of the facts for one scope; `$1` is the as-of date.

    The same text runs in PostgreSQL and in DuckDB.
    """
    text = resources.files("app.db").joinpath("facts.sql").read_text("utf-8")
    before, mark, after = text.partition(_MARK)
    if not mark or _MARK in after:
        message = f"facts.sql holds its scope mark {_MARK!r} other than once"
        raise RuntimeError(message)
    return f"{before}{scope.value}{after}"
