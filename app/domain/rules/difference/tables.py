"""What differs between two documents' tables: cells as the sets that they are."""

from app.domain.rules.cells import print_cell
from app.domain.rules.difference.model import (
    Difference,
    Differences,
    Effect,
    Kind,
    changed,
    keyed,
    moved,
)
from app.domain.rules.model import HitPolicy, Rule, RuleSetDocument, Table

EVERYTHING = "-"


def table_differences(old: RuleSetDocument, new: RuleSetDocument) -> Differences:
    """Yield what differs between the tables of two documents."""
    before = {table.id: table for table in old.tables}
    after = {table.id: table for table in new.tables}
    yield from keyed("tables", before, after, _told, _table)
    # A table reads nothing of those behind it, so that any order in which both can be read does.
    yield from moved("tables", list(before), list(after), Effect.WORDS)


def _told(table: Table) -> str:
    count = len(table.rules)
    rows = "1 row" if count == 1 else f"{count} rows"
    return f"{table.output.name} by {', '.join(table.inputs)} ({table.hit_policy}, {rows})"


def _table(path: str, old: Table, new: Table) -> Differences:
    names = old.output.name, new.output.name
    yield from changed(f"{path}.output.name", *names, Effect.DECIDES)
    yield from _values(f"{path}.output.values", old.output.values, new.output.values)
    yield from changed(f"{path}.hit_policy", old.hit_policy, new.hit_policy, Effect.DECIDES)
    claims = _flag(old.complete), _flag(new.complete)
    yield from changed(f"{path}.complete", *claims, Effect.WORDS)
    yield from _inputs(f"{path}.inputs", old, new)
    yield from keyed(f"{path}.rules", _rows(old), _rows(new), _Row.told, _row)
    # Elsewhere the order says at most which of several rows with one answer is named: rows that
    # contradict each other under unique or any are an error of the document.
    is_ranked = HitPolicy.FIRST in (old.hit_policy, new.hit_policy)
    ids = [rule.id for rule in old.rules], [rule.id for rule in new.rules]
    yield from moved(f"{path}.rules", *ids, Effect.DECIDES if is_ranked else Effect.WORDS)


def _values(path: str, old: tuple[str, ...], new: tuple[str, ...]) -> Differences:
    """Yield that answers are other ones or rank otherwise."""
    if old == new:
        return
    kind = Kind.MOVED if set(old) == set(new) else Kind.CHANGED
    yield Difference(path, kind, ", ".join(old), ", ".join(new), Effect.DECIDES)


def _flag(flag: bool) -> str:  # noqa: FBT001 - it is what is written.
    return "true" if flag else "false"


def _inputs(path: str, old: Table, new: Table) -> Differences:
    """Yield what is read otherwise; a fact that no row asks about must be known all the same."""
    for name in dict.fromkeys((*new.inputs, *old.inputs)):
        before, after = (name if name in table.inputs else None for table in (old, new))
        yield from changed(f"{path}[{name}]", before, after, Effect.DECIDES)
    yield from moved(path, old.inputs, new.inputs, Effect.WORDS)


class _Row:
    """A row as it is written, every cell in its canonical form."""

    def __init__(self, rule: Rule, table: Table) -> None:
        self.then = rule.then
        self.when = {
            name: print_cell(rule.when[name], table.domains[name])
            for name in table.inputs
            if name in rule.when
        }

    def told(self) -> str:
        """Return the whole row."""
        conditions = ", ".join(f"{name} {cell}" for name, cell in self.when.items())
        return f"{conditions or EVERYTHING} → {self.then}"


def _rows(table: Table) -> dict[str, _Row]:
    return {rule.id: _Row(rule, table) for rule in table.rules}


def _row(path: str, old: _Row, new: _Row) -> Differences:
    for name in dict.fromkeys((*new.when, *old.when)):
        cells = old.when.get(name, EVERYTHING), new.when.get(name, EVERYTHING)
        yield from changed(f"{path}.when.{name}", *cells, Effect.DECIDES)
    yield from changed(f"{path}.then", old.then, new.then, Effect.DECIDES)
