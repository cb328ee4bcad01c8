"""Whoever is shown no customer cannot reckon a small count from all that he is told."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.privacy.roles import Role, Viewer
from app.domain.words import SEGMENTS, TIERS
from app.features.simulations.schemas import ReportRead
from app.features.simulations.service.disclosure import direction_of
from app.features.simulations.service.report import Loads, Report
from app.features.simulations.service.tally import OWN, Answered, Cell, Group, Tally
from tests.features.simulations.rehearsal import Rehearsal

LINES = ("motor", "health", "all")
NOTHING = Loads(None, (), ())


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """What might be found, consistent in itself."""
    tally = Tally()
    for _ in range(draw(st.integers(1, 12))):
        tiers = [draw(st.sampled_from(TIERS)) for _ in range(4)]
        line, segment = draw(st.sampled_from(LINES)), draw(st.sampled_from(SEGMENTS))
        cell = Cell(OWN, line, segment, *tiers)
        number = draw(st.integers(1, 14) | st.integers(10, 400))
        tally.cells[cell] += number
        tally.premiums[cell] += 100 * number
        tally.customers += number
        tally.undecided += number if line != "motor" else 0
        for side, tier in ((tally.before, tiers[0]), (tally.after, tiers[1])):
            side[Answered("tier", tier)] += number
            side[Answered("segment", segment)] += number
        old, new = TIERS.index(tiers[0]), TIERS.index(tiers[1])
        way: Any = "same" if old == new else "up" if new < old else "down"
        tally.groups[Group("channel", draw(st.sampled_from(("app", "agent"))), way)] += number
    return tally.report(NOTHING, [])


def told(report: Report, role: Role) -> dict[str, Any]:
    """The report as a role is told it."""
    viewer = Viewer(role, "somebody")
    return ReportRead.of_report(report, viewer).model_dump()


def parts(found: dict[str, Any], view: str) -> list[list[dict[str, Any]]]:
    """Every table of moves of a view."""
    return [part[view] for part in (found, *found["lines"], *found["segments"])]


@given(reports())
def test_nothing_small_is_told_and_no_sum_gives_it_away(report: Report) -> None:
    exact, shown = told(report, Role.RISK_OFFICER), told(report, Role.RULE_AUTHOR)
    for view in ("evaluated", "serving"):
        for real, seen in zip(parts(exact, view), parts(shown, view), strict=True):
            assert_row(real, seen)
            assert_premiums(seen)
        columns(exact, shown, view, "lines")
        columns(exact, shown, view, "segments")
    for way in ("up", "down", "same"):
        meant = [
            cell["customers"]
            for cell in shown["evaluated"]
            if direction_of(cell["before"], cell["after"]) == way
        ]
        # Where not all of these are told, how many move that way is not known either.
        if all(isinstance(count, int) for count in meant):
            groups = [side["fairness"] for side in (exact, shown)]
            assert_sum(*([group[way] for group in side] for side in groups))


def assert_row(real: list[dict[str, Any]], seen: list[dict[str, Any]]) -> None:
    """The cells of one table add up to its customers."""
    assert_sum([cell["customers"] for cell in real], [cell["customers"] for cell in seen])


def columns(exact: dict[str, Any], shown: dict[str, Any], view: str, kind: str) -> None:
    """A move of everybody is made by the customers of the parts."""
    for place, cell in enumerate(exact[view]):
        key = (cell["before"], cell["after"])
        real: list[int] = []
        seen: list[Any] = []
        for side, into in ((exact, real), (shown, seen)):
            for part in side[kind]:
                into += [
                    one["customers"] for one in part[view] if (one["before"], one["after"]) == key
                ]
        total = shown[view][place]["customers"]
        if isinstance(total, int):
            assert sum(real) == total
            assert_sum(real, seen)


def assert_sum(real: list[int], seen: list[Any]) -> None:
    """What is missing of a sum is several, of ten or more; or all of it."""
    behind = [count for count, one in zip(real, seen, strict=True) if not isinstance(one, int)]
    assert all(one >= 10 or one == 0 for one in seen if isinstance(one, int))
    everything = len(behind) == len([count for count in real if count])
    assert not behind or everything or (len(behind) > 1 and sum(behind) >= 10)


def assert_premiums(seen: list[dict[str, Any]]) -> None:
    """A premium is told where its customers are."""
    for cell in seen:
        assert (cell["premium"] is None) is not isinstance(cell["customers"], int)


@given(reports())
def test_officers_are_told_everything(report: Report) -> None:
    for role in (Role.RISK_OFFICER, Role.BUSINESS_OFFICER):
        shown = told(report, role)
        counted = Counter[tuple[str, str]]()
        for cell in shown["evaluated"]:
            counted[cell["before"], cell["after"]] = cell["customers"]
        assert counted.total() == shown["customers"] == report.customers
    assert told(report, Role.COMPLIANCE) == told(report, Role.RULE_PUBLISHER)


@pytest.mark.anyio
async def test_over_http_small_counts_are_no_numbers(simulated: Rehearsal) -> None:
    rehearsal, place = simulated, await simulated.only()
    for role in (Role.RULE_AUTHOR, Role.RULE_PUBLISHER, Role.COMPLIANCE):
        report = (await rehearsal.get(place, role))["report"]
        found = list(numbers(report))
        assert "<10" in found
        assert all(one in {None, "<10", 0} or one >= 10 for one in found)
    exact = (await rehearsal.get(place))["report"]
    assert any(isinstance(one, int) and 0 < one < 10 for one in numbers(exact))
    assert None not in numbers(exact)


COUNTS = {"customers", "before", "after", "up", "down", "same", "movers", "undecided"}


def numbers(value: Any) -> Any:  # noqa: ANN401 - any JSON there is.
    """All counts of customers in a report."""
    if isinstance(value, list):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, dict):
        for name, part in value.items():
            is_tier = name in {"before", "after"} and part in TIERS
            if isinstance(part, dict | list):
                yield from numbers(part)
            elif (name in COUNTS or name.startswith(("evaluated_", "serving_"))) and not is_tier:
                yield part
