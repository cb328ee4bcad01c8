"""Simulations as they are asked for, listed and read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.domain.privacy.roles import Viewer
from app.features.simulations.schemas.report import ReportRead
from app.features.simulations.service import (
    Chosen,
    Simulation,
    SimulationOrder,
    SimulationState,
)
from app.infra.masking import Open, ReadModel
from app.infra.requester import Requester
from app.infra.written import WHOLE, BusinessDay

_LARGEST_VERSION: Final = 2**31 - 1
#: Each costs an evaluation of everybody for whom the candidate decides.
_MOST_OBJECTIVES: Final = 8

_VersionField: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=_LARGEST_VERSION), WHOLE]
_RuleSetField: TypeAlias = Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,63}$")]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DraftChoice(_Written):
    """The draft, as it is when this is asked for."""

    draft: Literal[True] = Field(description="Always true.")


class VersionChoice(_Written):
    """A stored version."""

    version: _VersionField = Field(description="Version, from 1.", examples=[1])


class BaselineDraft(DraftChoice):
    """The draft of a rule set of the same line."""

    rule_set: _RuleSetField = Field(description="Id of a rule set.", examples=["motor"])


class BaselineVersion(VersionChoice):
    """A stored version of a rule set of the same line."""

    rule_set: _RuleSetField = Field(description="Id of a rule set.", examples=["motor"])


class SimulationCreate(_Written):
    """What is to be rehearsed."""

    candidate: DraftChoice | VersionChoice | None = Field(
        default=None,
        description="The draft of this rule set, or one of its versions; the draft without it.",
    )
    baseline: BaselineDraft | BaselineVersion | None = Field(
        default=None,
        description="What it is compared with; without one, what decides on the day.",
    )
    objectives: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64, pattern="^[a-z][a-z0-9_-]*$")]],
        Field(max_length=_MOST_OBJECTIVES, json_schema_extra={"uniqueItems": True}),
    ] = Field(
        default_factory=list,
        description="Profiles of the candidate that are compared besides its own.",
    )
    as_of: BusinessDay | None = Field(
        default=None, description="Business day of the facts; today without it."
    )

    def to_domain(self, rule_set_id: str, requester: Requester, today: date) -> SimulationOrder:
        """The order of one caller."""
        candidate, baseline = self.candidate, self.baseline
        return SimulationOrder(
            candidate=_chosen(rule_set_id, candidate),
            baseline=None if baseline is None else _chosen(baseline.rule_set, baseline),
            objectives=tuple(dict.fromkeys(self.objectives)),
            as_of=self.as_of or today,
            requested_by=requester.digest,
            requested_role=requester.role,
        )


def _chosen(rule_set_id: str, choice: DraftChoice | VersionChoice | None) -> Chosen:
    return Chosen(rule_set_id, choice.version if isinstance(choice, VersionChoice) else None)


class SimulationProgressRead(ReadModel):
    """How far a simulation is."""

    done: Open[int] = Field(description="Customers compared.", ge=0)
    total: Open[int | None] = Field(description="Of how many; null until the book is read.")


class FailureRead(ReadModel):
    """Why the latest attempt ended."""

    type: Open[str] = Field(description="Stable slug.")
    detail: Open[str] = Field(description="What to do, in English; no value of anybody.")


class RuleSetSideRead(ReadModel):
    """A rule set as it was when the simulation was asked for."""

    rule_set: Open[str] = Field(description="Its id.")
    version: Open[int | None] = Field(description="Its version; null for a draft.")
    hash: Open[str] = Field(description="SHA-256 of the document's canonical JSON (RFC 8785).")


class SimulationOrderedRead(ReadModel):
    """A simulation that was put in."""

    id: Open[UUID] = Field(description="Id of the simulation.")
    state: Open[SimulationState] = Field(description="queued, as a rule.")


class SimulationListedRead(ReadModel):
    """A simulation without its report."""

    id: Open[UUID] = Field(description="Id of the simulation.")
    state: Open[SimulationState] = Field(
        description="queued, running, completed, failed or cancelled."
    )
    progress: SimulationProgressRead = Field(description="How far it is.")
    failure: FailureRead | None = Field(description="Why the latest attempt ended, if it failed.")
    product_line: Open[str] = Field(description="Line the candidate decides for.")
    candidate: RuleSetSideRead = Field(description="What is rehearsed.")
    baseline: RuleSetSideRead = Field(description="What it is compared with.")
    objectives: Open[list[str]] = Field(description="Profiles compared besides the own one.")
    as_of: Open[date] = Field(description="Business day of the facts.")
    rehearsal: Open[bool] = Field(
        description="Whether it compares with what decided on the day it was asked for, as of that "
        "day: publishing asks for a completed one of the very hash."
    )
    requested_by: Open[str | None] = Field(description="Subject of who asked for it.")
    requested_at: Open[datetime] = Field(description="When it was asked for.")
    snapshot_at: Open[datetime | None] = Field(description="When the book was read.")
    completed_at: Open[datetime | None] = Field(description="When it was completed.")

    @classmethod
    def of_simulation(cls, found: Simulation) -> SimulationListedRead:
        """A simulation in a list."""
        stored = found.stored
        failure = None
        if found.state != "completed" and stored.error_type is not None:
            failure = FailureRead(type=stored.error_type, detail=stored.error_detail or "")
        return SimulationListedRead(
            id=stored.id,
            state=found.state,
            progress=SimulationProgressRead(done=stored.done or 0, total=stored.total),
            failure=failure,
            product_line=stored.product_line,
            candidate=RuleSetSideRead(
                rule_set=stored.rule_set_id, version=stored.candidate_version, hash=stored.hash
            ),
            baseline=RuleSetSideRead(
                rule_set=stored.baseline_rule_set_id,
                version=stored.baseline_version,
                hash=stored.baseline_hash,
            ),
            objectives=list(stored.objectives),
            as_of=stored.as_of,
            rehearsal=stored.is_rehearsal,
            requested_by=found.requested_by,
            requested_at=stored.recorded_at,
            snapshot_at=stored.snapshot_at,
            completed_at=stored.completed_at,
        )


class SimulationRead(SimulationListedRead):
    """A simulation, and what it found."""

    report: ReportRead | None = Field(description="What it found; null until it is completed.")

    @classmethod
    def from_domain(cls, found: Simulation, viewer: Viewer) -> SimulationRead:
        """A simulation, for one role."""
        listed = SimulationListedRead.of_simulation(found)
        report = found.report
        return cls(
            **{name: getattr(listed, name) for name in SimulationListedRead.model_fields},
            report=None if report is None else ReportRead.of_report(report, viewer),
        )


class SimulationsRead(ReadModel):
    """A page of simulations, the newest first."""

    items: list[SimulationListedRead] = Field(description="The simulations.")
    next_cursor: Open[str | None] = Field(description="Continues the listing; null at its end.")

    @classmethod
    def of_page(cls, found: Iterable[Simulation], next_cursor: str | None) -> SimulationsRead:
        """A page, and where the next begins."""
        items = [SimulationListedRead.of_simulation(one) for one in found]
        return cls(items=items, next_cursor=next_cursor)
