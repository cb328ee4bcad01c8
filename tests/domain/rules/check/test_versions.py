"""Ranges of published versions: never two for a line on one day, and no day left out."""

from datetime import date

from app.domain.rules.check import ActivationRange, check_versions
from app.domain.rules.findings import Severity


def of(version: str, start: int, end: int | None, line: str = "motor") -> ActivationRange:
    days = [None if day is None else date(2027, 1, day) for day in (start, end)]
    assert days[0] is not None
    return ActivationRange(line, version, days[0], days[1])


def test_versions_that_follow_each_other_are_fine_and_lines_do_not_mind_each_other() -> None:
    assert check_versions([]) == ()
    ranges = [of("v2", 5, None), of("v1", 1, 5), of("h1", 1, None, "health")]
    assert check_versions(ranges) == ()


def test_two_versions_in_force_on_one_day_are_an_error() -> None:
    (finding,) = check_versions([of("v1", 1, 9), of("v2", 5, None)])
    assert (finding.code, finding.severity) == ("version-overlap", Severity.ERROR)
    assert finding.rules == ("v1", "v2")
    assert finding.witness == (("product_line", "motor"), ("as_of", "2027-01-05"))
    assert finding.message == "v1 and v2 are both in force for motor on 2027-01-05."
    assert finding.remedy == "Let v1 end on 2027-01-05."


def test_every_pair_is_told_and_one_that_lasts_for_ever_overlaps_all_later_ones() -> None:
    found = check_versions([of("v1", 1, None), of("v2", 5, 6), of("v3", 7, 8)])
    assert [(f.code, f.rules) for f in found] == [
        ("version-overlap", ("v1", "v2")),
        ("version-overlap", ("v1", "v3")),
    ]


def test_a_day_without_a_version_is_a_warning() -> None:
    (finding,) = check_versions([of("v1", 1, 5), of("v2", 9, 11)])
    assert (finding.code, finding.severity) == ("version-gap", Severity.WARNING)
    assert finding.message == "No version is in force for motor from 2027-01-05 to 2027-01-08."
    assert finding.remedy == "Let v1 end on 2027-01-09."


def test_one_that_outlasts_the_next_leaves_no_gap_and_an_empty_range_says_nothing() -> None:
    found = check_versions([of("v1", 1, 9), of("v2", 3, 5), of("v3", 9, None), of("v4", 6, 6)])
    assert [(f.code, f.rules) for f in found] == [("version-overlap", ("v1", "v2"))]
