"""What holds of the differences of any two documents."""

import copy
from collections.abc import Callable
from typing import Any, TypeAlias

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.domain.rules import (
    DocumentError,
    compile_rule_set,
    document_hash,
    evaluate,
    parse_document,
)
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.difference import Difference, Effect, Kind, differences
from app.domain.rules.evaluation import Answer, InputError, Reason
from app.domain.rules.model import RuleSetDocument
from tests.parity.rule_strategies import CATALOGUE, Raw, cases, customers, readable_documents

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
#: All of an evaluation but the names of the rows that fired.
Decided: TypeAlias = tuple[dict[str, int], int, dict[str, Answer], tuple[Reason, ...]] | str
Pair: TypeAlias = tuple[Raw, RuleSetDocument, RuleSetDocument]

TEST = {"in": {}, "expect": {"score": 500}}


def entry(draw: Draw, entries: list[Any]) -> Any:  # noqa: ANN401 - part of a raw document.
    return entries[draw(st.integers(0, len(entries) - 1))]


def swap(draw: Draw, entries: list[Any]) -> None:
    first, second = (draw(st.integers(0, len(entries) - 1)) for _ in range(2))
    entries[first], entries[second] = entries[second], entries[first]


def change_words(draw: Draw, raw: Raw) -> None:
    title = draw(st.sampled_from(["Other", "Random"]))
    raw["title"]["en"] = title
    raw["id"] = draw(st.sampled_from(["random", "other"]))
    entry(draw, raw["scorecard"]["characteristics"])["reason"]["zh"] = "别的"


def change_scorecard(draw: Draw, raw: Raw) -> None:
    item = entry(draw, raw["scorecard"]["characteristics"])
    bin_ = entry(draw, item["bins"])
    match draw(st.integers(0, 5)):
        case 0:
            bin_["points"] += draw(st.integers(-3, 3))
        case 1:
            swap(draw, item["bins"])
        case 2:
            swap(draw, raw["scorecard"]["characteristics"])
        case 3:
            item["trend"] = "decreasing"
        case 4:
            raw["scorecard"]["reasons"]["top"] = draw(st.integers(1, 5))
        case _:
            item["reason"]["code"] = "Z99"


def change_row(draw: Draw, raw: Raw) -> None:
    table = entry(draw, raw["tables"])
    rule = entry(draw, table["rules"])
    match draw(st.integers(0, 4)):
        case 0:
            swap(draw, table["rules"])
        case 1:
            table["rules"].append({**copy.deepcopy(rule), "id": "NEW"})
        case 2:
            table["rules"].remove(rule)
        case 3:
            rule["then"] = entry(draw, table["output"]["values"])
        case _:
            kept = rule.get("when", {}).items()
            rule["when"] = {name: cell for name, cell in kept if draw(st.booleans())}


def change_table(draw: Draw, raw: Raw) -> None:
    table = entry(draw, raw["tables"])
    match draw(st.integers(0, 3)):
        case 0:
            table["hit_policy"] = draw(st.sampled_from(("any", "first", "priority")))
        case 1:
            swap(draw, table["output"]["values"])
        case 2:
            swap(draw, table["inputs"])
            table["complete"] = draw(st.booleans())
        case _:
            swap(draw, raw["tables"])


def change_rest(draw: Draw, raw: Raw) -> None:
    match draw(st.integers(0, 4)):
        case 0:
            raw["tests"] = draw(
                st.lists(st.sampled_from([TEST, {**TEST, "expect": {"score": 1}}]), max_size=3)
            )
        case 1:
            raw["stability"]["grace_days"] = draw(st.integers(0, 2))
        case 2:
            raw["product_line"] = "motor"
            raw["risk_model"] = "v2"
        case 3:
            raw["objectives"]["second"] = dict(raw["objectives"]["only"])
            raw["objective"] = draw(st.sampled_from(("only", "second")))
        case _:
            first, *others = raw["objectives"]["only"]
            if others:
                weight = draw(st.integers(0, 1000))
                raw["objectives"]["only"] = {first: weight, others[0]: 1000 - weight}


CHANGES = (change_words, change_scorecard, change_row, change_table, change_rest)


@st.composite
def pairs(draw: st.DrawFn, raws: st.SearchStrategy[Raw]) -> Pair:
    """Return a raw document, how it reads, and how it reads after changes."""
    raw = draw(raws)
    other = copy.deepcopy(raw)
    for change in draw(st.lists(st.sampled_from(CHANGES), max_size=3)):
        change(draw, other)
    try:
        return raw, parse_document(raw, CATALOGUE), parse_document(other, CATALOGUE)
    except DocumentError:
        assume(condition=False)
        raise


@given(pairs(readable_documents()))
@settings(max_examples=40)
def test_nothing_differs_exactly_if_the_hashes_are_equal(
    pair: Pair,
) -> None:
    _, old, new = pair
    assert (differences(old, new) == ()) is (document_hash(old) == document_hash(new))
    assert differences(old, old) == differences(new, new) == ()


@given(pairs(readable_documents()))
@settings(max_examples=50)
def test_from_the_other_side_the_same_parts_differ_the_other_way_round(
    pair: Pair,
) -> None:
    _, old, new = pair
    there, back = differences(old, new), differences(new, old)
    assert set(map(turned, there)) == set(back)
    assert len(set(there)) == len(there) == len(back)


def turned(found: Difference) -> Difference:
    kinds = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED}
    kind = kinds.get(found.kind, found.kind)
    return Difference(found.path, kind, found.after, found.before, found.effect)


@given(st.data())
@settings(max_examples=50)
def test_what_is_said_to_decide_nothing_decides_nothing(data: st.DataObject) -> None:
    raw, old, new = data.draw(pairs(cases().map(lambda case: case.raw)))
    found = differences(old, new)
    if any(difference.effect is Effect.DECIDES for difference in found):
        return
    assert old.stability == new.stability
    assert old.product_line == new.product_line
    try:
        compiled = [compile_rule_set(document, CATALOGUE) for document in (old, new)]
    except DocumentError:
        # Of rows that contradict each other the order would choose.
        return
    for facts in data.draw(customers(raw)):
        before, after = (decided(each, facts) for each in compiled)
        assert before == after


def decided(compiled: CompiledRuleSet, facts: dict[str, Any]) -> Decided:
    try:
        found = evaluate(compiled, facts)
    except InputError as error:
        return str(error)
    return found.dimensions, found.score, found.outcomes, found.reasons
