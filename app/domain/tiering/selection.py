"""Which rule set decides for a customer: exactly one."""

from collections.abc import Collection

from app.domain.errors import Conflict
from app.domain.words import ALL, CORPORATE


def preferred_line(*, is_corporate: bool, primary_line: str | None, last_line: str | None) -> str:
    """The product line whose rule set should decide.

    Corporate customers have their own; others go by the line with the most premium in force, else
    by the line last held, else by `all`.

    >>> preferred_line(is_corporate=False, primary_line=None, last_line="life")
    'life'
    """
    if is_corporate:
        return CORPORATE
    return primary_line or last_line or ALL


def deciding_line(
    *,
    is_corporate: bool,
    primary_line: str | None,
    last_line: str | None,
    in_force: Collection[str],
) -> str:
    """The product line whose rule set decides, given the lines that have one in force.

    Where the preferred line has none in force, the mandatory `all` decides.

    Args:
        is_corporate: the fact of that name.
        primary_line: the fact of that name.
        last_line: the fact of that name.
        in_force: product lines with a rule set in force at the as-of date.

    Raises:
        Conflict: `no-rule-set` if neither the preferred line nor `all` has one in force.

    >>> deciding_line(is_corporate=False, primary_line="motor", last_line=None, in_force={"all"})
    'all'
    """
    line = preferred_line(is_corporate=is_corporate, primary_line=primary_line, last_line=last_line)
    if line in in_force:
        return line
    require_all(in_force)
    return ALL


def require_all(in_force: Collection[str]) -> None:
    """Raise `Conflict` (`no-rule-set`) unless the mandatory `all` has a rule set in force."""
    if ALL not in in_force:
        detail = "No rule set is in force for product line 'all'; put one in force first."
        raise Conflict("no-rule-set", detail)
