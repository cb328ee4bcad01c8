"""The one facts query, with the one thing in it that varies: which customers.

It runs as one statement, or as several of which each stores what it finds for those after it; both
mean the same. Where it may be cut is marked in facts.sql.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources

FACTS = "facts"
"""The table that the last of several statements stores."""

_MARK = "/* scope */ TRUE"
#: A common table expression of facts.sql: only its head and its end stand at the start of a line.
_EXPRESSION = re.compile(
    r"^(?:WITH )?(?P<name>\w+) AS (?P<cut>/\* cut \*/ )?(?P<body>\($.*?^\)),?$",
    re.MULTILINE | re.DOTALL,
)
_READ = re.compile(r"(?:FROM|JOIN) (\w+)\b(?!\.)")


class Scope(Enum):
    """Whose facts; the value is the condition on `book.customers AS c`."""

    #: The customers named by the text array `$2`.
    NAMED = "c.customer_id = ANY($2::text[])"
    #: The customers from number `$2` to number `$3`, both included (`app.infra.book` numbers them).
    BETWEEN = "c.customer_id BETWEEN $2 AND $3"
    #: Every customer.
    ALL = "TRUE"


@dataclass(frozen=True, slots=True)
class Step:
    """One of several statements: its query, the table it fills, and the tables read last by it."""

    table: str
    query: str
    read_last: Sequence[str]


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


@cache
def facts_steps(scope: Scope) -> Sequence[Step]:
    """The same query as several, whose tables the later ones read; the last one's is `FACTS`.

    What a step does not need any more takes no memory while the next one runs.
    """
    expressions = list(_EXPRESSION.finditer(facts_query(scope)))
    texts = {one["name"]: f"{one['name']} AS {one['body']}" for one in expressions}
    cuts = {
        one["name"]: f"SELECT * FROM {one['name']}"  # noqa: S608 - names are those of facts.sql.
        for one in expressions
        if one["cut"]
    }
    cuts[FACTS] = expressions[-1].string[expressions[-1].end() :]
    queries: dict[str, str] = {}
    for table, query in cuts.items():
        inner = _needed(query, texts, without=queries.keys())
        queries[table] = f"WITH {', '.join(inner)} {query}" if inner else query
    last_reader = {read: table for table, query in queries.items() for read in _read(query)}
    return [
        Step(table, query, [one for one in queries if last_reader.get(one) == table != one])
        for table, query in queries.items()
    ]


def _needed(query: str, texts: Mapping[str, str], *, without: Collection[str]) -> Sequence[str]:
    """The expressions that a query needs, in their order in facts.sql."""
    needed: set[str] = set()
    waiting = _read(query)
    while waiting:
        name = waiting.pop()
        if name in texts and name not in needed and name not in without:
            needed.add(name)
            waiting |= _read(texts[name])
    return [text for name, text in texts.items() if name in needed]


def _read(query: str) -> set[str]:
    return set(_READ.findall(query))
