"""What a simulation found, as one role is told it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

from pydantic import Field

from app.domain.privacy.roles import Viewer
from app.domain.tiering.ladder import LADDER
from app.features.rule_sets.schemas import FindingRead, ToldEffects, is_told_exactly
from app.features.simulations.service import (
    ALL,
    VIEWS,
    Disclosure,
    Key,
    Move,
    Moves,
    Part,
    Report,
    Told,
    View,
    answer_key,
    cell_key,
    disclosure,
    tier_key,
    tiers_of,
)
from app.infra.masking import Open, ReadModel

CountRead: TypeAlias = Open[Told]

_COUNTED = "`<10`: so few; null: withheld, since it would tell such a count."
_CENTS = Decimal("0.01")
_SHARE = Decimal("0.0001")


class MoveRead(ReadModel):
    """Customers who were of one tier and would be of another, or the same."""

    before: Open[str] = Field(description="Tier by the baseline.")
    after: Open[str] = Field(description="Tier by the candidate.")
    customers: CountRead = Field(description=f"How many. {_COUNTED}")
    premium: Open[Decimal | None] = Field(
        description="Their annual premium in force; null where the customers are not counted."
    )

    @classmethod
    def of(cls, move: Move, key: Key, told: Disclosure) -> MoveRead:
        """A cell of the matrix."""
        return cls(
            before=move.before,
            after=move.after,
            customers=told.count(key, move.customers),
            premium=move.premium * _CENTS if told.is_told(key) else None,
        )


def moves_of(part: Key, view: View, moves: Moves, told: Disclosure) -> list[MoveRead]:
    """A matrix as the list of its cells in which there is anybody."""
    return [
        MoveRead.of(move, cell_key(part, view, move.before, move.after), told)
        for move in moves.of(view)
    ]


class MovesRead(ReadModel):
    """The matrix of tiers, old to new, in both views; cells without anybody are left out."""

    evaluated: list[MoveRead] = Field(description="By the rules alone.")
    serving: list[MoveRead] = Field(
        description="As runs of that day would let tiers serve: after stability and overrides."
    )


class PartRead(MovesRead):
    """The matrix of a product line or a segment."""

    name: Open[str] = Field(description="Which one; `unknown` where nothing says it.")

    @classmethod
    def each(cls, kind: str, parts: Iterable[Part], told: Disclosure) -> list[PartRead]:
        """The parts of one kind."""
        return [
            cls(
                name=part.name,
                evaluated=moves_of((kind, part.name), "evaluated", part.moves, told),
                serving=moves_of((kind, part.name), "serving", part.moves, told),
            )
            for part in parts
        ]


class TierCountRead(ReadModel):
    """Customers of one tier."""

    tier: Open[str] = Field(description="The tier.")
    evaluated_before: CountRead = Field(description=f"By the baseline's rules alone. {_COUNTED}")
    evaluated_after: CountRead = Field(description=f"By the candidate's rules alone. {_COUNTED}")
    serving_before: CountRead = Field(description=f"Served so by the baseline. {_COUNTED}")
    serving_after: CountRead = Field(description=f"Served so by the candidate. {_COUNTED}")

    @classmethod
    def each(cls, part: Key, moves: Moves, told: Disclosure) -> list[TierCountRead]:
        """All tiers, the best first."""
        counts = {view: tiers_of(moves, view) for view in VIEWS}

        def count(view: View, side: str, tier: str) -> Told:
            found = counts[view][0 if side == "before" else 1].get(tier, 0)
            return told.count(tier_key(part, view, side, tier), found)

        return [
            cls(
                tier=tier,
                evaluated_before=count("evaluated", "before", tier),
                evaluated_after=count("evaluated", "after", tier),
                serving_before=count("serving", "before", tier),
                serving_after=count("serving", "after", tier),
            )
            for tier in LADDER.tiers
        ]


class ObjectiveRead(MovesRead):
    """The candidate weighed by another of its profiles, against the same baseline."""

    name: Open[str] = Field(description="The profile.")
    tiers: list[TierCountRead] = Field(description="Customers by tier, best first.")

    @classmethod
    def each(cls, parts: Iterable[Part], told: Disclosure) -> list[ObjectiveRead]:
        """The profiles, in the order asked for."""
        return [
            cls(
                name=part.name,
                tiers=TierCountRead.each(("objective", part.name), part.moves, told),
                evaluated=moves_of(("objective", part.name), "evaluated", part.moves, told),
                serving=moves_of(("objective", part.name), "serving", part.moves, told),
            )
            for part in parts
        ]


class ShiftRead(ReadModel):
    """Customers who are given one answer of a table by the rules alone."""

    outcome: Open[str] = Field(description="What the table decides, as `risk_grade`.")
    value: Open[str] = Field(description="The answer; `unknown` where no row gave one.")
    before: CountRead = Field(description=f"By the baseline. {_COUNTED}")
    after: CountRead = Field(description=f"By the candidate. {_COUNTED}")
    share_before: Open[Decimal | None] = Field(description="Of the customers compared.")
    share_after: Open[Decimal | None] = Field(description="Of the customers compared.")

    @classmethod
    def each(cls, report: Report, told: Disclosure) -> list[ShiftRead]:
        """All answers of all tables."""
        compared = sum(move.customers for move in report.moves.evaluated)

        def share(key: Key, count: int) -> Decimal | None:
            if not told.is_told(key) or not compared:
                return None
            return (Decimal(count) / compared).quantize(_SHARE)

        shifts = []
        for shift in report.shifts:
            before, after = (
                answer_key(shift.outcome, shift.value, side) for side in ("before", "after")
            )
            shifts.append(
                cls(
                    outcome=shift.outcome,
                    value=shift.value,
                    before=told.count(before, shift.before),
                    after=told.count(after, shift.after),
                    share_before=share(before, shift.before),
                    share_after=share(after, shift.after),
                )
            )
        return shifts


class FairnessRead(ReadModel):
    """How the customers of one group move by the rules alone."""

    attribute: Open[str] = Field(description="age, gender, region or channel.")
    group: Open[str] = Field(
        description="Band of age in years, gender, city, or channel; `unknown` where nothing is "
        "recorded, `others` for those beyond the forty largest."
    )
    up: CountRead = Field(description=f"Customers in a better tier. {_COUNTED}")
    down: CountRead = Field(description=f"In a lower one. {_COUNTED}")
    same: CountRead = Field(description=f"In the same one. {_COUNTED}")

    @classmethod
    def each(cls, report: Report, told: Disclosure) -> list[FairnessRead]:
        """All groups of all attributes."""

        def count(attribute: str, group: str, way: str, number: int) -> Told:
            return told.count(("group", attribute, group, way), number)

        return [
            cls(
                attribute=one.attribute,
                group=one.group,
                up=count(one.attribute, one.group, "up", one.up),
                down=count(one.attribute, one.group, "down", one.down),
                same=count(one.attribute, one.group, "same", one.same),
            )
            for one in report.fairness
        ]


class SlaLoadRead(ReadModel):
    """A promise to a tier, for the customers it serves before and after."""

    tier: Open[str] = Field(description="The tier.")
    service_type: Open[str] = Field(description="What is promised.")
    customers_before: CountRead = Field(description=f"For how many it holds. {_COUNTED}")
    customers_after: CountRead = Field(description=f"For how many it would. {_COUNTED}")
    contacts_per_month: Open[int | None] = Field(description="Of each; null where none recur.")
    contacts_before: Open[int | None] = Field(description="In a month, of all of them.")
    contacts_after: Open[int | None] = Field(description="In a month, of all of them.")


class BenefitLoadRead(ReadModel):
    """A benefit of a tier, for the customers it serves before and after."""

    tier: Open[str] = Field(description="The tier.")
    code: Open[str] = Field(description="The benefit.")
    customers_before: CountRead = Field(description=f"Who has it. {_COUNTED}")
    customers_after: CountRead = Field(description=f"Who would have it. {_COUNTED}")
    uses_per_year: Open[int | None] = Field(description="Of each; null: as needed.")
    uses_before: Open[int | None] = Field(description="In a year, of all of them, at most.")
    uses_after: Open[int | None] = Field(description="In a year, of all of them, at most.")


class InputErrorRead(ReadModel):
    """Customers whose facts a rule set cannot judge."""

    error: Open[str] = Field(description="The fact, and what is wrong with it; never its value.")
    before: CountRead = Field(description=f"By the baseline. {_COUNTED}")
    after: CountRead = Field(description=f"By the candidate. {_COUNTED}")


def _times(each: int | None, customers: Told) -> int | None:
    return each * customers if each is not None and isinstance(customers, int) else None


class ReportRead(MovesRead):
    """What the candidate would change, counted on the whole book."""

    customers: Open[int] = Field(description="Customers of the book.")
    undecided: CountRead = Field(
        description=f"For whom the same rule set decides either way; the candidate is not theirs. "
        f"{_COUNTED}"
    )
    refused: CountRead = Field(
        description=f"Evaluated for a later day already, so not compared. {_COUNTED}"
    )
    unjudged: CountRead = Field(
        description=f"Whose facts cannot be judged, so not compared. {_COUNTED}"
    )
    movers: CountRead = Field(description=f"Whose tier differs in one view or both. {_COUNTED}")
    tiers: list[TierCountRead] = Field(description="Customers by tier, best first.")
    lines: list[PartRead] = Field(description="By the product line whose rule set decides.")
    segments: list[PartRead] = Field(description="By the segment that the baseline gives.")
    objectives: list[ObjectiveRead] = Field(description="The candidate weighed otherwise.")
    shifts: list[ShiftRead] = Field(description="All answers of all tables, before and after.")
    sla_policy_version: Open[int | None] = Field(description="Policy the promises are of.")
    sla: list[SlaLoadRead] = Field(description="What is promised, by tier.")
    benefits: list[BenefitLoadRead] = Field(description="What is granted, by tier.")
    fairness: list[FairnessRead] = Field(description="Who moves which way, by what they are.")
    input_errors: list[InputErrorRead] = Field(description="Why facts cannot be judged.")
    decided: Open[int] = Field(
        description="Customers whom the candidate decides for, among whom those of the findings are"
        " counted; callers who are not told every count are told full tens."
    )
    findings: list[FindingRead] = Field(
        description="What a check finds of the candidate that is true of some customers: the worst "
        "first, of equal ones those that affect most customers."
    )
    findings_unlisted: Open[int] = Field(
        description="Findings besides, no worse than those listed, of whom nobody was counted."
    )

    @classmethod
    def of_report(cls, report: Report, viewer: Viewer) -> ReportRead:
        """A report, as far as a viewer is told of it."""
        told = disclosure(report, viewer)
        tiers = TierCountRead.each(ALL, report.moves, told)
        serving = {one.tier: (one.serving_before, one.serving_after) for one in tiers}
        effects = ToldEffects(
            report.effects.customers,
            exactly=told.is_exact and is_told_exactly(report.effects.classes, viewer),
        )
        return cls(
            customers=report.customers,
            undecided=told.count(("undecided",), report.undecided),
            refused=told.count(("refused",), report.refused),
            unjudged=told.count(("unjudged",), report.unjudged),
            movers=told.count(("movers",), report.movers),
            tiers=tiers,
            evaluated=moves_of(ALL, "evaluated", report.moves, told),
            serving=moves_of(ALL, "serving", report.moves, told),
            lines=PartRead.each("line", report.lines, told),
            segments=PartRead.each("segment", report.segments, told),
            objectives=ObjectiveRead.each(report.objectives, told),
            shifts=ShiftRead.each(report, told),
            sla_policy_version=report.loads.sla_policy_version,
            sla=[
                SlaLoadRead(
                    tier=load.tier,
                    service_type=load.service_type,
                    customers_before=serving[load.tier][0],
                    customers_after=serving[load.tier][1],
                    contacts_per_month=load.contacts_per_month,
                    contacts_before=_times(load.contacts_per_month, serving[load.tier][0]),
                    contacts_after=_times(load.contacts_per_month, serving[load.tier][1]),
                )
                for load in report.loads.sla
            ],
            benefits=[
                BenefitLoadRead(
                    tier=load.tier,
                    code=load.code,
                    customers_before=serving[load.tier][0],
                    customers_after=serving[load.tier][1],
                    uses_per_year=load.uses_per_year,
                    uses_before=_times(load.uses_per_year, serving[load.tier][0]),
                    uses_after=_times(load.uses_per_year, serving[load.tier][1]),
                )
                for load in report.loads.benefits
            ],
            fairness=FairnessRead.each(report, told),
            input_errors=[
                InputErrorRead(
                    error=one.error,
                    before=told.count(("error", one.error, "before"), one.before),
                    after=told.count(("error", one.error, "after"), one.after),
                )
                for one in report.input_errors
            ],
            decided=effects.base() or 0,
            findings=[
                FindingRead.from_domain(one.finding, one.customers, effects)
                for one in report.effects.by_effect(effects.unit)
            ],
            findings_unlisted=report.effects.unlisted,
        )
