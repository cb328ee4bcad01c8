"""The scorecard of a rule set as PMML 4.4, for programs that score and do not decide.

A chain of models: one scorecard per dimension, whose predicted value is the raw sum of points, and
the score of the dimension and of the customer as outputs that are computed from it. All of that is
whole numbers that a double holds exactly, so another program comes to the same score, to the bit.
Reason codes come per dimension, ranked by points lost; our ranking across dimensions, the tables,
stability and tests are nothing PMML can say, and travel in an extension of the header.
"""

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement

from app.domain.rules.cell_sets import Cell, everything
from app.domain.rules.cells import lower_bound, upper_bound
from app.domain.rules.compiled import CompiledDimension, CompiledRuleSet
from app.domain.rules.domains import INT64_HIGH, INT64_LOW, Domain, Kind, ordered_text
from app.domain.rules.exchange.plain_text import escaped
from app.domain.rules.findings import DocumentError, Finding
from app.domain.rules.literals import BARE_WORD
from app.domain.rules.model import DIMENSION_PREFIX, SCORE, Characteristic
from app.domain.rules.writing import canonical_json, document_hash

NAMESPACE = "http://www.dmg.org/PMML-4_4"
RAW_PREFIX = "raw."
REASON_PREFIX = "reason."
MAX_DIGITS = 15
"""Decimal digits that a double keeps apart, whatever number they make."""

_TYPES = {
    Kind.NUMBER: ("continuous", "double"),
    Kind.DATE: ("continuous", "date"),
    Kind.BOOL: ("categorical", "boolean"),
    Kind.TEXT: ("categorical", "string"),
}


def pmml_scorecard(compiled: CompiledRuleSet) -> Element:
    """Return the root element; its namespace is declared, so it is written as it stands.

    Raises DocumentError with every number and text of a bin that PMML would not keep apart.
    """
    document = compiled.document
    findings = list(_not_carried(compiled))
    if findings:
        raise DocumentError(findings)
    root = Element("PMML", {"xmlns": NAMESPACE, "version": "4.4"})
    title = f"{document.title.en} / {document.title.zh}"
    header = SubElement(root, "Header", {"description": title})
    for name, value in (
        ("hash", document_hash(document)),
        ("document", escaped(canonical_json(document).decode())),
    ):
        SubElement(header, "Extension", {"extender": "Tiering", "name": name, "value": value})
    SubElement(header, "Application", {"name": "Tiering"})
    facts = tuple(dict.fromkeys(item.input for item in document.characteristics))
    dictionary = SubElement(root, "DataDictionary")
    for name in facts:
        dictionary.append(_data_field(name, document.domains[name]))
    model = SubElement(
        root, "MiningModel", {"modelName": document.id, "functionName": "regression"}
    )
    _mining_schema(model, facts)
    model.append(_outputs(compiled))
    chain = SubElement(model, "Segmentation", {"multipleModelMethod": "modelChain"})
    for dimension in compiled.dimensions:
        items = [item for item in document.characteristics if item.dimension == dimension.name]
        segment = SubElement(chain, "Segment", {"id": dimension.name})
        SubElement(segment, "True")
        segment.append(_scorecard(dimension, items, compiled))
    return root


def _not_carried(compiled: CompiledRuleSet) -> Iterator[Finding]:
    document = compiled.document
    for item in document.characteristics:
        domain = document.domains[item.input]
        for at, bin_ in enumerate(item.bins):
            path = f"scorecard.characteristics[{item.id}].bins[{at}].when"
            if domain.kind is Kind.NUMBER and any(
                len(ordered_text(domain, bound).strip("-").replace(".", "")) > MAX_DIGITS
                for bound in _bounds(bin_.when, domain)
            ):
                yield Finding(
                    path,
                    "not-carried",
                    f"PMML programs compute with {MAX_DIGITS} digits, a bound here has more.",
                    "Use bounds of fewer digits.",
                )
            if any(not word or not word.isprintable() for word in bin_.when.words):
                yield Finding(
                    path,
                    "not-carried",
                    "PMML cannot hold an empty text, or signs that are not printable.",
                    "Use other texts.",
                )


def _bounds(cell: Cell, domain: Domain) -> Iterator[int]:
    """Return the bounds that predicates compare with."""
    for low, high in cell.spans:
        if low > domain.low:
            yield low
        if high < domain.high:
            yield high


def _data_field(name: str, domain: Domain) -> Element:
    optype, data_type = _TYPES[domain.kind]
    item = Element("DataField", {"name": name, "optype": optype, "dataType": data_type})
    if domain.kind is Kind.NUMBER:
        margins = {}
        if domain.low > INT64_LOW:
            margins["leftMargin"] = ordered_text(domain, domain.low)
        if domain.high < INT64_HIGH:
            margins["rightMargin"] = ordered_text(domain, domain.high)
        if margins:
            SubElement(item, "Interval", {"closure": "closedClosed", **margins})
    for word in domain.words:
        SubElement(item, "Value", {"value": word})
    return item


def _mining_schema(model: Element, facts: Iterable[str]) -> None:
    schema = SubElement(model, "MiningSchema")
    for name in facts:
        SubElement(schema, "MiningField", {"name": name})


def _scorecard(
    dimension: CompiledDimension, items: list[Characteristic], compiled: CompiledRuleSet
) -> Element:
    card = Element(
        "Scorecard",
        {
            "modelName": dimension.name,
            "functionName": "regression",
            "initialScore": "0",
            "useReasonCodes": "true",
            "reasonCodeAlgorithm": "pointsBelow",
            "baselineMethod": "max",
        },
    )
    _mining_schema(card, dict.fromkeys(item.input for item in items))
    card.append(_card_output(dimension.name, compiled))
    characteristics = SubElement(card, "Characteristics")
    for item in items:
        domain = compiled.document.domains[item.input]
        characteristics.append(_characteristic(item, domain))
    return card


def _outputs(compiled: CompiledRuleSet) -> Element:
    """Return what the chain tells: per dimension points, reason codes and score, then the score.

    A chain tells what its last model does. So each model gives its points and reasons names of
    their own, which those after it and the chain may read, and the chain tells them all.
    """
    output = Element("Output")
    for dimension in compiled.dimensions:
        told = [RAW_PREFIX + dimension.name, *_reason_names(dimension.name, compiled)]
        for name in told:
            data_type = "double" if name.startswith(RAW_PREFIX) else "string"
            _computed(output, name, data_type).append(_field(_MODEL_PREFIX + name))
        scaled = _computed(output, DIMENSION_PREFIX + dimension.name)
        scaled.append(_scaled(_MODEL_PREFIX + told[0], dimension))
    _computed(output, SCORE).append(_score(compiled.dimensions))
    return output


_MODEL_PREFIX = "model."


def _reason_names(dimension: str, compiled: CompiledRuleSet) -> list[str]:
    """Return a name for each reason code that the scorecard of a dimension tells, best first."""
    items = [one for one in compiled.document.characteristics if one.dimension == dimension]
    top = min(compiled.document.top_reasons, len(items))
    return [f"{REASON_PREFIX}{dimension}.{rank}" for rank in range(1, top + 1)]


def _card_output(dimension: str, compiled: CompiledRuleSet) -> Element:
    output = Element("Output")
    raw = _MODEL_PREFIX + RAW_PREFIX + dimension
    _output_field(output, raw, {"dataType": "double", "feature": "predictedValue"})
    for rank, name in enumerate(_reason_names(dimension, compiled), 1):
        told = {"dataType": "string", "feature": "reasonCode", "rank": str(rank)}
        _output_field(output, _MODEL_PREFIX + name, told)
    return output


def _computed(output: Element, name: str, data_type: str = "double") -> Element:
    return _output_field(output, name, {"dataType": data_type, "feature": "transformedValue"})


def _output_field(output: Element, name: str, told: dict[str, str]) -> Element:
    optype = "categorical" if told["dataType"] == "string" else "continuous"
    return SubElement(output, "OutputField", {"name": name, "optype": optype, **told})


def _scaled(raw: str, dimension: CompiledDimension) -> Element:
    """Return floor((2000 (raw - low) + span) / (2 span)), which rounds half up; 0 without span."""
    span = dimension.high - dimension.low
    if not span:
        return _constant(0)
    above = _apply("-", _field(raw), _constant(dimension.low))
    doubled = _apply("+", _apply("*", _constant(2000), above), _constant(span))
    return _apply("floor", _apply("/", doubled, _constant(2 * span)))


def _score(dimensions: Iterable[CompiledDimension]) -> Element:
    """Return floor((sum of weight · score + 500) / 1000)."""
    total = _constant(500)
    for dimension in dimensions:
        part = _field(DIMENSION_PREFIX + dimension.name)
        total = _apply("+", total, _apply("*", _constant(dimension.weight), part))
    return _apply("floor", _apply("/", total, _constant(1000)))


def _apply(function: str, *arguments: Element) -> Element:
    apply = Element("Apply", {"function": function})
    apply.extend(arguments)
    return apply


def _field(name: str) -> Element:
    return Element("FieldRef", {"field": name})


def _constant(number: int) -> Element:
    # Two whole numbers would be divided to a whole number.
    constant = Element("Constant", {"dataType": "double"})
    constant.text = str(number)
    return constant


def _characteristic(item: Characteristic, domain: Domain) -> Element:
    best = max(bin_.points for bin_ in item.bins)
    written = Element(
        "Characteristic",
        {"name": item.id, "reasonCode": item.reason.code, "baselineScore": str(best)},
    )
    for bin_ in item.bins:
        attribute = SubElement(written, "Attribute", {"partialScore": str(bin_.points)})
        if bin_.reason is not None:
            attribute.set("reasonCode", bin_.reason.code)
        attribute.append(predicate(item.input, bin_.when, domain))
    return written


def predicate(name: str, cell: Cell, domain: Domain) -> Element:
    """Return the PMML predicate that is true of a cell's values, null included where it is."""
    if cell == everything(domain):
        return Element("True")
    parts: list[Element] = []
    if domain.is_ordered:
        parts = [_span(name, span, domain) for span in cell.spans]
    elif cell.others:
        parts = [_excluded(name, cell.words)]
    elif cell.words:
        parts = [_listed(name, cell.words)]
    if cell.has_null:
        parts.append(_simple(name, "isMissing"))
    return _compound("or", parts)


def _span(name: str, span: tuple[int, int], domain: Domain) -> Element:
    low, high = span
    if low == high:
        return _simple(name, "equal", _literal(ordered_text(domain, low)))
    bounds: list[Element] = []
    if low > domain.low:
        bracket, bound = lower_bound(low, domain)
        operator = "greaterOrEqual" if bracket == "[" else "greaterThan"
        bounds.append(_simple(name, operator, _literal(bound)))
    if high < domain.high:
        bound, bracket = upper_bound(high, domain)
        operator = "lessOrEqual" if bracket == "]" else "lessThan"
        bounds.append(_simple(name, operator, _literal(bound)))
    return _compound("and", bounds or [_simple(name, "isNotMissing")])


def _literal(text: str) -> str:
    return text.removeprefix("date(").removesuffix(")")


def _listed(name: str, words: tuple[str, ...]) -> Element:
    if len(words) > 1 and all(BARE_WORD.fullmatch(word) for word in words):
        return _set(name, "isIn", words)
    return _compound("or", [_simple(name, "equal", word) for word in words])


def _excluded(name: str, words: tuple[str, ...]) -> Element:
    if not words:
        return _simple(name, "isNotMissing")
    if len(words) > 1 and all(BARE_WORD.fullmatch(word) for word in words):
        return _set(name, "isNotIn", words)
    return _compound("and", [_simple(name, "notEqual", word) for word in words])


def _set(name: str, operator: str, words: tuple[str, ...]) -> Element:
    item = Element("SimpleSetPredicate", {"field": name, "booleanOperator": operator})
    array = SubElement(item, "Array", {"n": str(len(words)), "type": "string"})
    array.text = " ".join(f'"{word}"' for word in words)
    return item


def _simple(name: str, operator: str, value: str | None = None) -> Element:
    told = {"field": name, "operator": operator}
    return Element("SimplePredicate", told if value is None else {**told, "value": value})


def _compound(operator: str, parts: list[Element]) -> Element:
    if len(parts) == 1:
        return parts[0]
    item = Element("CompoundPredicate", {"booleanOperator": operator})
    item.extend(parts)
    return item
