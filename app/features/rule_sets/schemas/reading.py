"""Rule sets as they are read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import Field

from app.domain.rules.check import box_text
from app.domain.rules.evaluation import Answer
from app.domain.rules.findings import Finding, Severity
from app.features.rule_sets.service import (
    BEGINNING,
    Changes,
    ListedRuleSet,
    Listing,
    StoredActivation,
    Template,
)
from app.infra.masking import Open, ReadModel

LARGEST_VERSION: Final = 2**31 - 1

RuleSetId = Annotated[
    str, Path(pattern="^[a-z][a-z0-9-]{0,63}$", description="Id of a rule set.", examples=["motor"])
]
VersionNumber = Annotated[
    int, Path(ge=1, le=LARGEST_VERSION, description="Version, from 1.", examples=[1])
]

SinceVersion = Annotated[
    int | None,
    Query(ge=1, le=LARGEST_VERSION, description="Version to compare with; the one before without."),
]


class TitleRead(ReadModel):
    """What people call a rule set."""

    en: Open[str] = Field(description="In English.")
    zh: Open[str] = Field(description="In Chinese.")


class ActivationRead(ReadModel):
    """The business days on which a version decides."""

    version: Open[int] = Field(description="The version.")
    valid_from: Open[date | None] = Field(description="First business day; null: ever since.")
    valid_to: Open[date | None] = Field(description="First business day it no longer decides.")

    @classmethod
    def of(cls, found: StoredActivation) -> ActivationRead:
        """One range."""
        since = None if found.since <= BEGINNING else found.since
        return cls(version=found.version, valid_from=since, valid_to=found.until)


class VersionRead(ReadModel):
    """One immutable version."""

    version: Open[int] = Field(description="From 1.")
    hash: Open[str] = Field(description="SHA-256 of the document's canonical JSON (RFC 8785).")
    origin: Open[str] = Field(description="template (shipped), loaded or published.")
    created_at: Open[datetime] = Field(description="When it was stored.")
    published_at: Open[datetime | None] = Field(
        description="When a publisher last put it in force; null where none did."
    )


class ListedRuleSetRead(ReadModel):
    """A rule set, its versions, and which of them decides."""

    id: Open[str] = Field(description="Its id.")
    product_line: Open[str] = Field(description="The line it decides for; all, if no other does.")
    title: TitleRead = Field(description="What people call the newest version.")
    in_force: Open[int | None] = Field(description="The version that decides today, if any.")
    versions: list[VersionRead] = Field(description="All versions, the oldest first.")
    activations: list[ActivationRead] = Field(description="When which of them decides.")

    @classmethod
    def from_domain(cls, listed: ListedRuleSet, today: date) -> ListedRuleSetRead:
        """One rule set on a business day."""
        in_force = listed.in_force_on(today)
        return cls(
            id=listed.rule_set_id,
            product_line=listed.product_line,
            title=TitleRead.model_validate(dict(listed.title)),
            in_force=None if in_force is None else in_force.version,
            versions=[
                VersionRead(
                    version=found.version,
                    hash=found.hash,
                    origin=found.origin,
                    created_at=found.created_at,
                    published_at=found.published_at,
                )
                for found in listed.versions
            ],
            activations=[ActivationRead.of(found) for found in listed.activations],
        )


class VersionFindingRead(ReadModel):
    """Business days on which versions of a line are not one after the other."""

    code: Open[str] = Field(
        description="version-gap: the line has none of its own, so that `all` decides."
        " version-overlap: it has two."
    )
    severity: Open[Severity] = Field(description="A gap is a warning, an overlap an error.")
    product_line: Open[str] = Field(description="The line.")
    as_of: Open[date] = Field(description="The first such day.")
    versions: Open[list[str]] = Field(description="On either side of it, as `motor@1`.")
    message: Open[str] = Field(description="What is wrong.")
    suggestion: Open[str] = Field(description="What to do.")

    @classmethod
    def from_domain(cls, found: Finding) -> VersionFindingRead:
        """One finding."""
        witness = dict(found.witness)
        return cls(
            code=found.code,
            severity=found.severity,
            product_line=witness["product_line"],
            as_of=date.fromisoformat(witness["as_of"]),
            versions=list(found.rules),
            message=found.message,
            suggestion=found.remedy,
        )


class RuleSetsRead(ReadModel):
    """Every stored rule set."""

    items: list[ListedRuleSetRead] = Field(description="In the order of their ids.")
    findings: list[VersionFindingRead] = Field(
        description="Where versions of a line leave it without one, or with two, by line and day."
    )

    @classmethod
    def from_domain(cls, listing: Listing, today: date) -> RuleSetsRead:
        """All rule sets on a business day."""
        return cls(
            items=[ListedRuleSetRead.from_domain(item, today) for item in listing.items],
            findings=[VersionFindingRead.from_domain(found) for found in listing.findings],
        )


class TemplateRead(ReadModel):
    """A rule set that travels with this version of the service."""

    id: Open[str] = Field(description="Its id; a document extends it as `<id>@<version>`.")
    product_line: Open[str] = Field(description="The line it is made for.")
    title: TitleRead = Field(description="What people call it.")
    objectives: Open[list[str]] = Field(description="Weightings of the dimensions to choose from.")
    hash: Open[str] = Field(description="SHA-256 of the document's canonical JSON (RFC 8785).")
    version: Open[int | None] = Field(
        description="The version it is stored as; null until `tiering migrate` has stored it."
    )

    @classmethod
    def from_domain(cls, template: Template) -> TemplateRead:
        """One template."""
        document = template.document
        return cls(
            id=document.id,
            product_line=document.product_line,
            title=TitleRead(en=document.title.en, zh=document.title.zh),
            objectives=sorted(document.objectives),
            hash=template.hash,
            version=template.version,
        )


class TemplatesRead(ReadModel):
    """The shipped rule sets."""

    items: list[TemplateRead] = Field(description="In the order of their ids.")


class ChangeRead(ReadModel):
    """One part that differs."""

    path: Open[str] = Field(description="Which part, by ids.")
    kind: Open[str] = Field(description="added, removed, changed or moved.")
    before: Open[str | None] = Field(description="Its canonical text before; null where added.")
    after: Open[str | None] = Field(description="Its canonical text after; null where removed.")
    effect: Open[str] = Field(
        description="decides (it can change decisions), tests (the document's own), or words."
    )


class AnswerShiftRead(ReadModel):
    """What a table answers otherwise, and for whom."""

    table: Open[str] = Field(description="Id of the table.")
    box: Open[str] = Field(description="The values that it is for, in words.")
    before: Open[str | list[str] | None] = Field(description="The answer before; null: unmatched.")
    after: Open[str | list[str] | None] = Field(description="The answer after; null: unmatched.")


class ChangesRead(ReadModel):
    """What differs between two documents in meaning; how they are spelled is no part of it."""

    since: Open[str] = Field(description="The version that was compared with, as `motor@1`.")
    can_decide: Open[bool] = Field(description="Whether anybody may be decided on otherwise.")
    items: list[ChangeRead] = Field(description="In the order of the document.")
    answers: list[AnswerShiftRead] = Field(
        description="Where tables on both sides answer otherwise: all of it, and nothing twice."
        " Scores and earlier outputs count as independent of facts and of each other."
    )
    uncompared: Open[list[str]] = Field(
        description="Tables that answer otherwise in too many places to tell, or read something"
        " that has other values now."
    )

    @classmethod
    def from_domain(cls, changes: Changes) -> ChangesRead:
        """All differences."""
        return cls(
            since=changes.since,
            can_decide=changes.can_decide,
            items=[
                ChangeRead(
                    path=item.path,
                    kind=item.kind,
                    before=item.before,
                    after=item.after,
                    effect=item.effect,
                )
                for item in changes.items
            ],
            answers=[
                AnswerShiftRead(
                    table=shift.table,
                    box=box_text(shift.box),
                    before=_answered(shift.before),
                    after=_answered(shift.after),
                )
                for shift in changes.answers.items
            ],
            uncompared=list(changes.answers.uncompared),
        )


def _answered(answer: Answer) -> str | list[str] | None:
    return list(answer) if isinstance(answer, tuple) else answer
