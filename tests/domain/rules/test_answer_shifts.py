"""Where tables answer otherwise, by worked examples."""

from app.domain.rules import parse_document
from app.domain.rules.check import box_text
from app.domain.rules.difference import AnswerShifts, answer_shifts
from tests.domain.rules.samples import CATALOGUE, Raw, sample


def shifts(after: Raw, before: Raw | None = None, **limits: int) -> AnswerShifts:
    old, new = (parse_document(raw, CATALOGUE) for raw in (before or sample(), after))
    return answer_shifts(old, new, **limits)


def told(found: AnswerShifts) -> list[tuple[str, str, object, object]]:
    return [(one.table, box_text(one.box), one.before, one.after) for one in found.items]


def test_a_moved_bound_is_told_as_what_lies_between() -> None:
    raw = sample()
    rules = raw["tables"][1]["rules"]
    rules[0]["when"]["ratio"] = "> 4"
    rules[1]["when"]["ratio"] = "[1..4]"
    rules[2]["when"]["ratio"] = "> 4"
    found = shifts(raw)
    assert told(found) == [
        ("segment", "ratio in (3..4], growth >= 2", "high_net_worth", "mid_market")
    ]
    assert found.uncompared == ()


def test_rows_cut_otherwise_that_answer_alike_are_no_shift() -> None:
    raw = sample()
    rules = raw["tables"][1]["rules"]
    rules[1:2] = [
        {"id": "LOW", "when": {"ratio": "[1..2]"}, "then": "mid_market"},
        {"id": "HIGH", "when": {"ratio": "(2..3]"}, "then": "mid_market"},
    ]
    assert shifts(raw) == AnswerShifts((), ())


def test_what_is_no_longer_answered_or_newly_is_told() -> None:
    raw = sample()
    raw["tables"][5]["rules"].pop(0)
    assert told(shifts(raw)) == [("module", "occupation is high", "on", None)]
    assert told(shifts(sample(), raw)) == [("module", "occupation is high", None, "on")]


def test_sets_are_compared_as_sets() -> None:
    raw = sample()
    raw["tables"][3]["output"]["values"].reverse()
    assert shifts(raw).items == ()
    raw["tables"][3]["rules"].pop(3)
    assert {one.table for one in shifts(raw).items} == {"labels"}
    assert all("cluster is c" in box_text(one.box) for one in shifts(raw).items)


def test_another_order_of_answers_shifts_what_ranks_by_it() -> None:
    raw = sample()
    raw["tables"][0]["output"]["values"] = ["B", "A", "C", "D", "E"]
    assert shifts(raw).items == ()
    raw["tables"][0]["output"]["values"] = ["C", "A", "B", "D", "E"]
    assert {(one.before, one.after) for one in shifts(raw).items} == {("A", "C"), ("B", "C")}


def test_an_input_on_one_side_only_bounds_all_the_same() -> None:
    raw = sample()
    raw["tables"][2]["inputs"].append("growth")
    raw["tables"][2]["rules"][0]["when"]["growth"] = "null"
    assert {one.before for one in shifts(raw).items} == {"lapsed"}
    assert all("growth is known" in box_text(one.box) for one in shifts(raw).items)


def test_tables_on_one_side_only_are_not_compared() -> None:
    raw = sample()
    raw["tables"][5]["id"] = "other"
    assert shifts(raw) == AnswerShifts((), ())


def test_what_takes_too_long_or_has_other_values_is_named() -> None:
    raw = sample()
    raw["tables"][1]["rules"][3]["then"] = "potential"
    assert shifts(raw, steps=1).uncompared == ("segment",)
    raw = sample()
    raw["tables"][1]["output"]["values"].remove("potential")
    raw["tables"][4]["rules"][4]["then"] = "gold"
    assert "tier" in shifts(raw).uncompared


def test_too_many_places_are_not_listed() -> None:
    def checkered(first: str, second: str) -> Raw:
        raw = sample() | {"tests": []}
        raw["tables"][3]["inputs"] = ["claims", "growth"]
        raw["tables"][3]["rules"] = [
            {
                "id": f"R{claims}x{growth}",
                "when": {"claims": str(claims), "growth": str(growth)},
                "then": first
                if (claims**3 + 7 * growth * claims + growth**2) % 101 % 2
                else second,
            }
            for claims in range(101)
            for growth in range(11)
        ]
        return raw

    found = shifts(checkered("vip_care", "big"), checkered("big", "vip_care"))
    assert found == AnswerShifts((), ("labels",))
