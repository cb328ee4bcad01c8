"""One decision of a DMN file as the raw table of a document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from app.domain.rules.domains import Domain
from app.domain.rules.exchange.dmn import COMPLETE, EXTENSION, TYPES
from app.domain.rules.exchange.feel import (
    FeelError,
    read_text_literal,
    read_text_literals,
    read_unary_tests,
)
from app.domain.rules.exchange.plain_text import escaped
from app.domain.rules.findings import Finding
from app.domain.rules.model import HitPolicy
from app.domain.rules.reading import NAME, ROW_ID

#: What other tools call the types of FEEL.
_ALIASES: Mapping[str, str] = {"integer": "number", "long": "number", "double": "number"}


class DmnSource:
    """A DMN file's elements by name, in the namespace that it is written in."""

    def __init__(self, root: Element, namespace: str) -> None:
        self.root = root
        self._namespace = namespace
        self.findings: list[Finding] = []

    def refuse(self, path: str, code: str, message: str, remedy: str) -> None:
        """Note one thing that is not taken."""
        self.findings.append(Finding(path, code, message, remedy))

    def children(self, element: Element, name: str) -> list[Element]:
        """Return the children of a name."""
        return element.findall(f"{{{self._namespace}}}{name}")

    def child(self, element: Element, name: str) -> Element | None:
        """Return the first child of a name, if there is one."""
        return element.find(f"{{{self._namespace}}}{name}")

    def all(self, name: str) -> Iterator[Element]:
        """Return every element of a name, wherever it stands."""
        return self.root.iter(f"{{{self._namespace}}}{name}")

    def text(self, element: Element | None) -> str:
        """Return what the ``text`` child says, stripped; empty without one."""
        inner = None if element is None else self.child(element, "text")
        return "" if inner is None or inner.text is None else inner.text.strip()


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision with a table of one output; ``complete`` is None where the file does not say."""

    place: str
    id: str
    output: str
    names: frozenset[str]
    complete: bool | None
    table: Element


@dataclass(frozen=True, slots=True)
class Inputs:
    """What tables may read: our names by those of the file, and the domains that are known."""

    names: Mapping[str, str]
    domains: Mapping[str, Domain]


def find_decision(source: DmnSource, element: Element, at: int) -> Decision | None:
    """Return a decision if it is a table of one output; else it is refused."""
    own_id, name = element.get("id", ""), element.get("name", "")
    place = f"decision[{escaped((own_id or name or str(at))[:60])}]"
    table = source.child(element, "decisionTable")
    if table is None:
        source.refuse(
            place,
            "dmn-boxed",
            "The decision is no decision table.",
            "Write it as one; boxed and literal expressions, contexts and calls are not taken.",
        )
        return None
    outputs = source.children(table, "output")
    if len(outputs) != 1:
        source.refuse(
            f"{place}.output",
            "dmn-outputs",
            f"The table has {len(outputs)} outputs.",
            "Give each output a decision of its own.",
        )
        return None
    variable = source.child(element, "variable")
    called = "" if variable is None else variable.get("name", "")
    output = outputs[0].get("name") or called or name
    complete = table.get(f"{{{EXTENSION}}}{COMPLETE}")
    return Decision(
        place=place,
        id=own_id if NAME.fullmatch(own_id) else output,
        output=output,
        names=frozenset({output, called, name} - {""}),
        complete=None if complete is None else complete == "true",
        table=table,
    )


def read_table(
    source: DmnSource, decision: Decision, inputs: Inputs, *, complete: bool
) -> dict[str, object]:
    """Return the raw table of a decision; what is not taken goes to the source's findings."""
    policy = _hit_policy(source, decision)
    columns = _columns(source, decision, inputs)
    rules = _rules(source, decision, columns, inputs)
    return {
        "id": decision.id,
        "output": {
            "name": decision.output,
            "values": _values(source, decision, policy, [rule["then"] for rule in rules]),
        },
        "hit_policy": policy,
        "complete": complete,
        "inputs": [name for name in columns if name],
        "rules": rules,
    }


def _hit_policy(source: DmnSource, decision: Decision) -> str:
    policy = decision.table.get("hitPolicy", "UNIQUE").lower()
    if policy not in {item.value for item in HitPolicy} or decision.table.get("aggregation"):
        source.refuse(
            f"{decision.place}.hitPolicy",
            "dmn-hit-policy",
            "This hit policy or aggregation is not taken.",
            "Use UNIQUE, ANY, FIRST, PRIORITY, or COLLECT without aggregation.",
        )
        return HitPolicy.UNIQUE.value
    return policy


def _values(
    source: DmnSource, decision: Decision, policy: str, answers: list[object]
) -> list[object]:
    """Return the possible answers, best first: listed, or those of the rules."""
    output = source.children(decision.table, "output")[0]
    if source.child(output, "defaultOutputEntry") is not None:
        source.refuse(
            f"{decision.place}.output",
            "dmn-default",
            "A default answer is not taken.",
            "Add a last rule for it, with the hit policy FIRST.",
        )
    listed = source.text(source.child(output, "outputValues"))
    if listed:
        try:
            return list(read_text_literals(listed))
        except FeelError as error:
            source.refuse(f"{decision.place}.outputValues", "dmn-feel", error.message, error.remedy)
    elif policy == HitPolicy.PRIORITY.value:
        source.refuse(
            f"{decision.place}.outputValues",
            "dmn-priority",
            "Without the order of the answers PRIORITY says nothing.",
            "List the output values, the best first.",
        )
    return list(dict.fromkeys(answers))


def _columns(source: DmnSource, decision: Decision, inputs: Inputs) -> list[str]:
    """Return our name of each column's input; empty where it is not taken."""
    columns: list[str] = []
    for at, clause in enumerate(source.children(decision.table, "input"), 1):
        expression = source.child(clause, "inputExpression")
        written = source.text(expression)
        place = f"{decision.place}.input[{escaped(written[:60]) or at}]"
        name = inputs.names.get(written, written)
        domain = inputs.domains.get(name)
        type_ref = None if expression is None else expression.get("typeRef")
        if domain is None:
            source.refuse(
                place,
                "dmn-input",
                "The column reads no fact, no score and no decision of the file.",
                "Let it name one; an expression is not taken.",
            )
        elif name in columns:
            source.refuse(place, "dmn-input", "Two columns read the same.", "Join them.")
            name = ""
        elif type_ref is not None and not _is_type(type_ref, domain):
            source.refuse(
                place,
                "dmn-type",
                f"Its type is not that of {name}.",
                f"Use the type {TYPES[domain.kind]}.",
            )
        columns.append(name if domain is not None else "")
    return columns


def _is_type(type_ref: str, domain: Domain) -> bool:
    local = type_ref.rpartition(":")[2].lower()
    return local in ("any", TYPES[domain.kind]) or _ALIASES.get(local) == TYPES[domain.kind]


def _rules(
    source: DmnSource, decision: Decision, columns: list[str], inputs: Inputs
) -> list[dict[str, object]]:
    rules: list[dict[str, object]] = []
    taken: set[str] = set()
    for at, row in enumerate(source.children(decision.table, "rule"), 1):
        written = row.get("id", "").removeprefix(f"{decision.id}.")
        name = written if ROW_ID.fullmatch(written) and written not in taken else f"R{at}"
        taken.add(name)
        place = f"{decision.place}.rule[{at}]"
        entries = source.children(row, "inputEntry")
        answers = source.children(row, "outputEntry")
        if len(entries) != len(columns) or len(answers) != 1:
            source.refuse(
                place,
                "dmn-shape",
                "The rule has other columns than the table.",
                "Give it one entry for each input, and one answer.",
            )
            continue
        when: dict[str, object] = {}
        for column, entry in zip(columns, entries, strict=True):
            cell = _cell(source, entry, f"{place}.{column}", inputs.domains.get(column))
            if cell != "-":
                when[column] = cell
        rules.append({"id": name, "when": when, "then": _answer(source, answers[0], place)})
    return rules


def _cell(source: DmnSource, entry: Element, place: str, domain: Domain | None) -> str:
    if domain is None:
        return "-"
    try:
        return read_unary_tests(source.text(entry), nullable=domain.nullable)
    except FeelError as error:
        source.refuse(place, "dmn-feel", error.message, error.remedy)
        return "-"


def _answer(source: DmnSource, entry: Element, place: str) -> str:
    try:
        return read_text_literal(source.text(entry))
    except FeelError as error:
        source.refuse(f"{place}.then", "dmn-feel", error.message, error.remedy)
        return ""
