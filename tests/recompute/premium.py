"""Premium facts, one function each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from math import floor

from tests.recompute.calendar import complete_months, half_up, in_months, shifted, within
from tests.recompute.records import LINE_ORDER, Records, Term

MONEY_MAX = 999_999_999_999_00


def _tenth(premium: int) -> int:
    return half_up(Fraction(premium, 10))


def policy_premium(records: Records, policy_no: str) -> int:
    """What one policy counts in annual_premium."""
    as_of = records.as_of
    if not records.in_force(policy_no) or records.cooling_off(policy_no):
        return 0
    terms = records.terms_of(policy_no)
    regular = [term for term in terms if term.kind == "regular"]
    running = [term for term in regular if term.in_force(as_of)]
    total = sum(term.premium for term in running)
    total += sum(
        _tenth(term.premium)
        for term in terms
        if term.kind in {"single", "top_up"}
        and as_of < shifted(term.start, 120)
        and not (term.ended_on and term.ended_on < term.row["term_end"])
    )
    if records.paid_up(policy_no) and not running and regular:
        total += _tenth(max(regular, key=lambda term: term.start).premium)
    return total


def line_premium(records: Records, line: str) -> int:
    """The part of annual_premium that one line's policies make."""
    return within(
        sum(
            policy_premium(records, number)
            for number, policy in records.policies.items()
            if policy["product_line"] == line
        ),
        0,
        MONEY_MAX,
    )


def annual_premium(records: Records) -> int | None:
    """Sum over the policies; null if terms were never loaded."""
    if not records.loaded("policy_terms", "term_start"):
        return None
    return within(sum(policy_premium(records, number) for number in records.policies), 0, MONEY_MAX)


def lines_in_force(records: Records) -> set[str]:
    """The lines with a policy in force."""
    return {
        policy["product_line"]
        for number, policy in records.policies.items()
        if records.in_force(number)
    }


def _first(lines: Iterable[str]) -> str:
    return min(lines, key=LINE_ORDER.index)


def primary_line(records: Records) -> str | None:
    """The line in force with the most premium, ties by line order."""
    premiums = {line: line_premium(records, line) for line in lines_in_force(records)}
    if not premiums:
        return None
    most = max(premiums.values())
    return _first(line for line, premium in premiums.items() if premium == most)


def last_line(records: Records) -> str | None:
    """The primary line, else that of the term with the latest end."""
    line = primary_line(records)
    if line is not None or not records.terms:
        return line
    latest = max(term.end for term in records.terms)
    return _first(term.policy["product_line"] for term in records.terms if term.end == latest)


def ratio(amount: int | None, average: int | None) -> int | None:
    """Amount over average, four decimals, half up."""
    if amount is None or average is None:
        return None
    return within(half_up(Fraction(amount, average), 4), 0, 10**10)


def precise_ratio(amount: int | None, average: int | None) -> int | None:
    """Amount over average, eight decimals, rounded down."""
    if amount is None or average is None:
        return None
    return within(floor(Fraction(amount, average) * 10**8), 0, 10**14)


def line_premium_ratio(records: Records) -> int | None:
    """The primary line's premium over its average."""
    line = primary_line(records)
    if line is None or annual_premium(records) is None:
        return None
    average = records.average(line, records.customer["kind"])
    return ratio(line_premium(records, line), average)


def years_of_premium_growth(records: Records) -> int | None:
    """The largest k of the meaning, tried from 10 down."""
    if not records.loaded("policy_terms", "term_start"):
        return None
    years: list[list[int]] = [[] for _ in range(11)]
    for term in records.terms:
        if term.kind != "regular" or records.cooling_off(term.row["policy_no"]):
            continue
        for i in range(11):
            after = shifted(records.as_of, -12 * (i + 1))
            if after < term.start <= shifted(records.as_of, -12 * i):
                years[i].append(term.premium)
    totals = [sum(year) for year in years]
    for k in range(10, 0, -1):
        if (
            all(years[: k + 1])
            and all(totals[i] >= totals[i + 1] for i in range(k))
            and totals[0] > totals[k]
        ):
            return k
    return 0


def lifetime_premium(records: Records) -> int | None:
    """All premiums paid, or untracked."""
    if not records.loaded("policy_terms", "term_start"):
        return None
    paid = sum(term.premium for term in records.terms if term.paid_on or term.row["due_on"] is None)
    return within(paid, 0, MONEY_MAX)


def premium_change_pct(records: Records) -> int | None:
    """Now against twelve months ago."""
    before = shifted(records.as_of, -12)

    def counts(term: Term) -> bool:
        number = term.row["policy_no"]
        return (
            term.kind == "regular"
            and not records.cooling_off(number)
            and not records.paid_up(number)
        )

    terms = [term for term in records.terms if counts(term)]
    now = sum(term.premium for term in terms if term.in_force(records.as_of))
    then = sum(term.premium for term in terms if term.in_force(before))
    if not then:
        return None
    return within(half_up(Fraction(100 * (now - then), then)), -100, 1000)


def payment_delays_12m(records: Records) -> int | None:
    """Terms due in the window and paid more than 15 days late, or still not."""
    if not records.payments_loaded():
        return None

    def late(term: Term) -> bool:
        due: date | None = term.row["due_on"]
        if due is None or not in_months(due, records.as_of, 12):
            return False
        return (term.paid_on or records.as_of) > due + timedelta(days=15)

    return sum(late(term) for term in records.terms)


def cross_sell_potential(records: Records, age: int | None) -> int | None:
    """Lines that fit and are not held."""
    if not records.loaded("policy_terms", "term_start"):
        return None
    if records.customer["kind"] == "corporate":
        fitting = {"motor", "health", "property", "liability"}
    elif age is None:
        return None
    else:
        bounds = {"motor": (18, 70), "health": (0, 65), "life": (18, 60), "property": (25, 80)}
        fitting = {line for line, (low, high) in bounds.items() if low <= age <= high}
    return len(fitting - lines_in_force(records))


def age(records: Records) -> int | None:
    """Complete years since the birth month."""
    row = records.latest("scoring_inputs")
    if row is None or row["birth_month"] is None or row["birth_month"] > records.as_of:
        return None
    return within(complete_months(row["birth_month"], records.as_of) // 12, 0, 120)
