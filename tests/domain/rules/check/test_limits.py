"""What the checker does where it may look no further: it says so, and stays on the safe side."""

from app.domain.rules.check.gaps import gap_boxes, gap_findings
from app.domain.rules.check.grid import bounded
from app.domain.rules.check.meetings import overlap_findings
from app.domain.rules.check.reach import examine
from app.domain.rules.check.witness import Witnesses
from app.domain.rules.compile_document import compile_unproved
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.document import parse_document
from app.domain.rules.limits import Limits
from tests.domain.rules.samples import CATALOGUE, Raw, fact, sample


def compiled(raw: Raw) -> CompiledRuleSet:
    return compile_unproved(parse_document(raw, CATALOGUE), CATALOGUE)


def first_segment() -> Raw:
    """The sample with a table of segments whose rows overlap, so that answers are to be proved."""
    raw = sample()
    raw["tables"][1]["hit_policy"] = "first"
    raw["tables"][1]["rules"][1:1] = [
        {"id": "S5", "when": {"ratio": "[0..5]", "growth": "[1..3]"}, "then": "base"},
        {"id": "S6", "when": {"ratio": "[2..9]", "growth": "[2..8]"}, "then": "potential"},
        {"id": "S7", "when": {"ratio": "[1..7]", "growth": "[0..5]"}, "then": "potential"},
    ]
    raw["tests"] = []
    return raw


def test_answers_that_cannot_be_proved_count_as_possible() -> None:
    rule_set = compiled(first_segment())
    slot = rule_set.tables[1].slot
    every = (1 << rule_set.inputs[slot].size) - 1
    assert examine(rule_set, Limits(proof_steps=0)).live[slot] == every


def test_a_witness_that_cannot_be_worked_out_stays_at_column_level() -> None:
    examination = examine(compiled(first_segment()), Limits())
    tier = examination.tables[4]
    potential = tier.grid.rows[3]
    assert Witnesses(examination).find(tier, potential)[1] == ""
    examination.tables[1].cover.budget.steps = 0
    witness, remark = Witnesses(examination).find(tier, potential)
    assert remark == " The witness is at column level."
    assert [name for name, _ in witness] == ["segment", "score"]
    assert Witnesses(examination).find(tier, bounded(potential, 0, 0)) == ((), "")


def test_a_gap_of_which_null_may_be_the_reason_is_called_a_gap() -> None:
    raw = first_segment()
    raw["tables"][1]["rules"][-1]["when"]["ratio"] = "< 1"
    examined = examine(compiled(raw), Limits()).tables[1]
    witnesses = Witnesses(examine(compiled(raw), Limits()))
    budget = examined.cover.budget
    gap_boxes(examined)
    before = budget.steps
    gap_boxes(examined)
    # As many as it takes to find the gap again, and none to ask for its reason.
    budget.steps, steps = before - budget.steps, budget.steps
    (told,) = gap_findings(examined, witnesses)
    assert told.code == "gap"
    budget.steps = steps
    (told,) = gap_findings(examined, witnesses)
    assert told.code == "null-unhandled"


def test_a_number_that_is_never_null_is_nought_in_a_witness_that_is_not_about_it() -> None:
    catalogue = {**CATALOGUE, "visits": fact("visits", "int", minimum=0, nullable=False)}
    raw = sample()
    raw["tables"][5]["inputs"].append("visits")
    raw["tables"][5]["rules"][0]["when"]["visits"] = "> 7"
    raw["tables"].append(
        {
            "id": "note",
            "output": {"name": "note", "values": ["yes"]},
            "inputs": ["segment"],
            "rules": [{"id": "N1", "when": {"segment": "base"}, "then": "yes"}],
        }
    )
    rule_set = compile_unproved(parse_document(raw, catalogue), catalogue)
    examination = examine(rule_set, Limits())
    note = examination.tables[6]
    witness, remark = Witnesses(examination).find(note, note.grid.rows[0])
    assert (remark, dict(witness)) == ("", {"ratio": "null", "growth": "0"})


def test_of_thousands_of_rows_that_all_overlap_the_pairs_are_only_counted() -> None:
    """There are two million of them, which nobody could hold."""
    raw = sample()
    raw["tests"] = []
    values = raw["tables"][1]["output"]["values"]
    raw["tables"][1]["hit_policy"] = "any"
    raw["tables"][1]["rules"] = [{"id": f"R{n}", "then": values[n % 2]} for n in range(2_000)]
    examined = examine(compiled(raw), Limits())
    told = overlap_findings(examined.tables[1], Witnesses(examined))
    assert [one.rules for one in told[:2]] == [("R0", "R1"), ("R0", "R3")]
    assert told[-1].message == f"There are {1_000 * 1_000 - 20} more like the 20 that are listed."
