"""Holding, renewing, claims and service facts, one function each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction

from tests.recompute.calendar import (
    complete_months,
    half_up,
    in_days,
    in_months,
    shifted,
    within,
)
from tests.recompute.premium import primary_line
from tests.recompute.records import Records, Row, Term, known

SIXTY = timedelta(days=60)

APPETITE = {
    "motor": (Fraction(30, 100), 7000),
    "health": (Fraction(1), 8000),
    "life": (Fraction(5, 100), 6000),
    "property": (Fraction(20, 100), 6000),
    "liability": (Fraction(20, 100), 6000),
}


def _span(records: Records, term: Term) -> tuple[date, date]:
    start = term.start
    if term.row["started_as"] == "reinstatement":
        ends = [
            other.end
            for other in records.terms_of(term.row["policy_no"])
            if other.start < term.start
        ]
        start = min([start, *([max(ends)] if ends else [])])
    return start, term.end


def tenure_years(records: Records) -> int | None:
    """Thousandths of a year of unbroken holding."""
    if not records.loaded("policy_terms", "term_start"):
        return None
    groups: list[tuple[date, date]] = []
    for start, end in sorted(_span(records, term) for term in records.terms):
        if groups and start <= groups[-1][1] + SIXTY:
            groups[-1] = (groups[-1][0], max(end, groups[-1][1]))
        else:
            groups.append((start, end))
    if not groups:
        return 0
    since, until = max(groups, key=lambda group: group[1])
    if until < records.as_of - SIXTY:
        return 0
    years = complete_months(since, records.as_of) // 12
    days = (records.as_of - shifted(since, 12 * years)).days
    return within(years * 1000 + 1000 * days // 366, 0, 150_000)


def renewal_rate(records: Records) -> int | None:
    """Renewed over due terms of five years."""
    due = renewed = 0
    for term in records.terms:
        lapsed = term.how == "lapsed"
        early = term.ended_on is not None and term.ended_on < term.row["term_end"]
        if term.kind != "regular" or (early and not lapsed):
            continue
        falls_due = term.ended_on if lapsed and term.ended_on else term.row["term_end"]
        if not in_months(falls_due, records.as_of, 60):
            continue
        again = term.how == "renewed" or any(
            other.kind != "top_up" and term.start < other.start <= falls_due + SIXTY
            for other in records.terms_of(term.row["policy_no"])
        )
        if not again and term.how is None and records.as_of <= falls_due + SIXTY:
            continue
        due += 1
        renewed += again
    return half_up(Fraction(renewed, due), 4) if due else None


def days_to_renewal(records: Records) -> int | None:
    """To the earliest agreed end of a regular term in force."""
    ends = [
        term.row["term_end"]
        for term in records.terms
        if term.kind == "regular" and term.in_force(records.as_of)
    ]
    return within((min(ends) - records.as_of).days, 1, 100_000) if ends else None


def renewal_interval_days(records: Records) -> int | None:
    """Between the two latest regular starts of the policy that renewed last."""
    pairs = []
    for number in records.policies:
        starts = sorted(t.start for t in records.terms_of(number) if t.kind == "regular")
        if len(starts) > 1:
            pairs.append((starts[-1], -(starts[-1] - starts[-2]).days))
    return -max(pairs)[1] if pairs else None


def surrenders_12m(records: Records) -> int | None:
    """Policies surrendered in the window, after their cooling-off period."""
    if not records.loaded("policy_terms", "term_start"):
        return None
    surrendered = set()
    for row in records.own("policy_terms", "term_start"):
        policy = records.policies.get(row["policy_no"])
        if policy is None or row["ended_how"] != "surrendered":
            continue
        free_until = policy["cooling_off_until"]
        if in_months(row["ended_on"], records.as_of, 12) and (
            free_until is None or row["ended_on"] > free_until
        ):
            surrendered.add(row["policy_no"])
    return len(surrendered)


def unclaimed_benefits(records: Records) -> int | None:
    """Life policies that ended and still owe something."""
    loaded = records.loaded("policy_terms", "term_start") and records.loaded(
        "claims", "reported_on"
    )
    if not loaded:
        return None
    return sum(
        _owes(records, number)
        for number, policy in records.policies.items()
        if policy["product_line"] == "life" and not records.in_force(number)
    )


def _owes(records: Records, policy_no: str) -> bool:
    terms = records.terms_of(policy_no)
    if not terms:
        return False
    latest = max((term.end, term.start) for term in terms)
    last = [term for term in terms if (term.end, term.start) == latest]
    end = latest[0]
    reported = [row for row in records.claims if row["policy_no"] == policy_no]
    if end > records.as_of - timedelta(days=90):
        return False
    if any(row["reported_on"] >= end for row in reported):
        return False
    endings = {term.how for term in last}
    regular = sum(term.kind == "regular" for term in terms)
    return "expired" in endings or ("lapsed" in endings and regular >= 2)


def claim_amount(row: Row, as_of: date) -> int:
    """Paid if known, nothing if closed without, else what was claimed."""
    if known(row["paid_on"], as_of):
        return row["paid"]  # type: ignore[no-any-return]
    if known(row["closed_on"], as_of):
        return 0
    return row["claimed"] or 0


def recent_claims(records: Records) -> list[Row]:
    """Claims that occurred in the 36-month window."""
    return [row for row in records.claims if in_months(row["occurred_on"], records.as_of, 36)]


def max_claim_3y(records: Records) -> int:
    """The largest single claim; a record of several counts its mean."""
    return max(
        (
            half_up(Fraction(claim_amount(row, records.as_of), row["claim_count"]))
            for row in recent_claims(records)
        ),
        default=0,
    )


def _covered(records: Records, term: Term) -> int:
    start = max(term.start, shifted(records.as_of, -36) + timedelta(days=1))
    end = min(term.end, records.as_of + timedelta(days=1))
    return max(0, (end - start).days)


def loss_ratio(records: Records, chosen: Callable[[str], bool]) -> int | None:
    """Incurred over earned, of the policies chosen by number; unbounded."""
    incurred = sum(
        claim_amount(row, records.as_of)
        for row in recent_claims(records)
        if chosen(row["policy_no"])
    )
    earned = sum(
        half_up(
            Fraction(
                term.premium * _covered(records, term),
                (term.row["term_end"] - term.start).days,
            )
        )
        for term in records.terms
        if term.kind == "regular" and chosen(term.row["policy_no"])
    )
    return half_up(Fraction(incurred, earned), 4) if earned else None


def loss_ratio_3y(records: Records) -> int | None:
    """Over all policies."""
    value = loss_ratio(records, lambda _: True)
    return None if value is None else within(value, 0, 10_000_000)


def appetite_fit(records: Records) -> str | None:
    """The claim profile on the primary line against its appetite."""
    line = primary_line(records)
    if line is None:
        return None

    def on_line(policy_no: str) -> bool:
        policy = records.policies.get(policy_no)
        return policy is not None and policy["product_line"] == line

    frequency, loss = APPETITE[line]
    claims = sum(row["claim_count"] for row in recent_claims(records) if on_line(row["policy_no"]))
    days = sum(
        _covered(records, term)
        for term in records.terms
        if term.kind != "top_up" and on_line(term.row["policy_no"])
    )
    value = loss_ratio(records, on_line)
    exceeded = (claims >= 2 and claims > frequency * Fraction(days, 365)) + (
        value is not None and claims >= 1 and value > loss
    )
    return ("within", "stretched", "outside")[exceeded]


def object_risk(records: Records) -> int | None:
    """Mean coefficient of the things insured."""
    coefficients = [
        policy["object_coefficient"]
        for number, policy in records.policies.items()
        if policy["product_line"] in {"motor", "property", "liability"}
        and policy["object_coefficient"] is not None
        and records.in_force(number)
    ]
    return half_up(Fraction(sum(coefficients), len(coefficients))) if coefficients else None


def addon_depth_12m(records: Records) -> int | None:
    """Services used over services entitled to."""
    if not records.loaded("product_services", None) or not records.loaded(
        "service_uses", "used_on"
    ):
        return None
    products = {
        policy["product"] for number, policy in records.policies.items() if records.in_force(number)
    }
    entitled = {
        row["service_code"]
        for row in records.book["product_services"]
        if row["product"] in products
    }
    used = {
        row["service_code"]
        for row in records.own("service_uses", "used_on")
        if in_months(row["used_on"], records.as_of, 12)
    }
    return half_up(Fraction(len(entitled & used), len(entitled)), 4) if entitled else None


def contacts(records: Records) -> list[Row]:
    """What the customer began, complaints apart."""
    return [
        row
        for row in records.own("interactions", "occurred_on")
        if row["initiated_by"] == "customer" and row["kind"] != "complaint"
    ]


def interaction_change_pct(records: Records) -> int | None:
    """The last quarter against the own mean quarter before."""
    days = [row["occurred_on"] for row in contacts(records)]
    recent = sum(in_days(day, records.as_of, 90) for day in days)
    before = sum(in_days(day, records.as_of, 450) for day in days) - recent
    if before < 12:
        return None
    return within(half_up(Fraction(100 * (4 * recent - before), before)), -100, 1000)


def months_since_contact(records: Records) -> int | None:
    """Since the latest contact, else since the first policy."""
    days = [row["occurred_on"] for row in contacts(records)]
    issued = [policy["issued_on"] for policy in records.policies.values()]
    if not days and not issued:
        return None
    since = max(days) if days else min(issued)
    return within(complete_months(since, records.as_of), 0, 2400)


def months_since_activity(records: Records) -> int | None:
    """Since the customer last did anything."""
    days = [row["occurred_on"] for row in contacts(records)]
    days += [row["used_on"] for row in records.own("service_uses", "used_on")]
    days += [row["reported_on"] for row in records.claims]
    days += [policy["issued_on"] for policy in records.policies.values()]
    days += [
        term.start
        for term in records.terms
        if term.row["started_as"] == "renewal" and term.row["voluntary"]
    ]
    if not days:
        return None
    return within(complete_months(max(days), records.as_of), 0, 2400)


def declared_matches_verified(records: Records) -> bool | None:
    """Whether the latest checks of every kind agree."""
    checks = records.own("external_checks", "checked_on")
    if not checks:
        return None
    latest: dict[str, date] = {}
    for row in checks:
        latest[row["kind"]] = max(row["checked_on"], latest.get(row["kind"], date.min))
    return all(row["matches"] for row in checks if row["checked_on"] == latest[row["kind"]])


def nps(records: Records) -> int | None:
    """The lowest answer of the latest day."""
    answers = records.own("surveys", "answered_on")
    if not answers:
        return None
    latest = max(row["answered_on"] for row in answers)
    lowest: int = min(row["nps"] for row in answers if row["answered_on"] == latest)
    return lowest
