"""Drafts as callers send and are told them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.domain.facts.catalogue import CATALOGUE
from app.domain.rules.findings import Finding
from app.domain.rules.reading import MAX_TEXT_LENGTH
from app.domain.words import RuleSetLine
from app.features.rule_sets.schemas.reading import LARGEST_VERSION
from app.features.rule_sets.service import (
    DraftOpening,
    DraftSource,
    OpenDraft,
)
from app.infra.documents import require_plain
from app.infra.masking import Open, ReadModel
from app.infra.problems import FURTHER_ERRORS, MOST_ERRORS, UNKNOWN_NAME, FieldError
from app.infra.written import FILLED, given

_ID: Final = "^[a-z][a-z0-9-]{0,63}$"
_REFERENCE: Final = "^[a-z][a-z0-9-]{0,63}@[1-9][0-9]{0,8}$"
_MOST_KEYS: Final = 100
_PARTS: Final = re.compile(r"[^.\[\]]+")
#: What the format calls its parts; anything else in a place was sent.
_VOCABULARY: Final = frozenset(
    {
        *("format", "id", "product_line", "title", "en", "zh", "extends", "removed"),
        *("objective", "objectives", "scorecard", "reasons", "top", "characteristics"),
        *("dimension", "input", "trend", "reason", "code", "bins", "when", "points"),
        *("tables", "output", "name", "values", "hit_policy", "complete", "inputs", "rules"),
        *("then", "stability", "downgrade_cooldown_days", "downgrade_step", "grace_days"),
        *("min_dwell_days", "tests", "in", "expect", "risk_model", "score"),
        *CATALOGUE,
    }
)

RuleSetName = Annotated[str, Field(pattern=_ID, description="Id of a rule set.")]
TitleText = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_LENGTH), FILLED]


class TitleWrite(BaseModel):
    """What people are to call a rule set."""

    model_config = ConfigDict(extra="forbid")

    en: TitleText = Field(description="In English.")
    zh: TitleText = Field(description="In Chinese.")


class SourceWrite(BaseModel):
    """The version that a draft begins with: that of a template, or a stored one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"oneOf": [given("template"), given("rule_set", "version")]},
    )

    template: RuleSetName | None = Field(
        default=None, description="Id of a template, in the version it is stored as."
    )
    rule_set: RuleSetName | None = Field(default=None, description="Id of a rule set.")
    version: Annotated[int, Field(strict=True, ge=1, le=LARGEST_VERSION)] | None = Field(
        default=None, description="Its version."
    )

    @model_validator(mode="after")
    def _names_one(self) -> SourceWrite:
        named = (self.template is None, self.rule_set is None, self.version is None)
        if named not in {(False, True, True), (True, False, False)}:
            kind, message = "template_or_version", "a template, or a rule set and its version"
            raise PydanticCustomError(kind, message)
        return self


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    try:
        require_plain(document)
    except ValueError:
        kind = "document_unreadable"
        raise PydanticCustomError(kind, "decimals are texts, and nothing is nested deep") from None
    return document


class SinceQuery(BaseModel):
    """What a draft is compared with."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[str, Field(pattern=_REFERENCE)] | None = Field(
        default=None,
        description="A stored version; what decides for its line today, by default.",
        examples=["motor@1"],
    )

    @property
    def reference(self) -> tuple[str, int] | None:
        """Rule set and version, if any were named."""
        if self.since is None:
            return None
        own_id, _, version = self.since.partition("@")
        return own_id, int(version)


class DraftCreate(BaseModel):
    """What a draft begins with: a stored version, or a whole document."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=False,
        json_schema_extra={
            "oneOf": [given("from"), given("document")],
            "examples": [
                {
                    "id": "motor-retail",
                    "from": {"template": "motor"},
                    "title": {"en": "Motor retail", "zh": "车险零售"},
                }
            ],
        },
    )

    id: RuleSetName = Field(description="Id of the rule set, there or new.")
    source: SourceWrite | None = Field(
        default=None, alias="from", description="The version it begins with."
    )
    form: Literal["overlay", "copy"] | None = Field(
        default=None,
        alias="as",
        description="overlay: it extends that version and says what differs, and has no tests yet;"
        " so of a template by default. copy: it says everything; so of a rule set by default.",
    )
    document: (
        Annotated[
            dict[str, Any],
            Field(
                max_length=_MOST_KEYS,
                json_schema_extra={"maxProperties": _MOST_KEYS},
            ),
            AfterValidator(_plain),
        ]
        | None
    ) = Field(default=None, description="The document it begins with; decimals are texts.")
    product_line: RuleSetLine | None = Field(
        default=None, description="The line to decide for, if another."
    )
    title: TitleWrite | None = Field(default=None, description="What people call it, if otherwise.")

    @model_validator(mode="after")
    def _has_one_beginning(self) -> DraftCreate:
        if (self.source is None) == (self.document is None):
            kind, message = "from_or_document", "a draft begins with a version or with a document"
            raise PydanticCustomError(kind, message)
        return self

    def to_domain(self) -> DraftOpening:
        """What is to be opened."""
        beginning = self.document if self.source is None else self._version(self.source)
        assert beginning is not None  # noqa: S101 - one of them is there, see above.
        title = None if self.title is None else {"en": self.title.en, "zh": self.title.zh}
        return DraftOpening(self.id, beginning, self.product_line, title)

    def _version(self, source: SourceWrite) -> DraftSource:
        named = source.template or source.rule_set or ""
        form = self.form or ("copy" if source.template is None else "overlay")
        return DraftSource(named, source.version, copies=form == "copy")


class DraftRead(ReadModel):
    """An open draft."""

    id: Open[str] = Field(description="Id of the rule set.")
    product_line: Open[str] = Field(description="The line it would decide for.")
    revision: Open[int] = Field(description="From 1; every edit is the next.")
    hash: Open[str] = Field(
        description="SHA-256 of the canonical JSON (RFC 8785) of what it resolves to: what is"
        " simulated and published is named by it."
    )
    based_on: Open[str | None] = Field(
        description="The version it began with, as `motor@1`; null where it was sent."
    )
    document: Open[dict[str, Any]] = Field(description="The document as it was written.")
    editors: Open[int] = Field(description="How many people edited it; none of them publishes it.")
    edited_by_caller: Open[bool] = Field(description="Whether the caller is one of them.")
    created_at: Open[datetime] = Field(description="When it was opened.")
    updated_at: Open[datetime] = Field(description="When it was edited last.")

    @classmethod
    def from_domain(cls, draft: OpenDraft, caller: str) -> DraftRead:
        """A draft as it is told to a caller, who is known by his digest."""
        stored = draft.stored
        return cls(
            id=stored.rule_set_id,
            product_line=stored.product_line,
            revision=stored.revision,
            hash=stored.hash,
            based_on=stored.based_on,
            document=stored.document,
            editors=len(draft.editors),
            edited_by_caller=caller in draft.editors,
            created_at=stored.created_at,
            updated_at=stored.updated_at,
        )


def refused_places(findings: Sequence[Finding], *within: str) -> Iterable[FieldError]:
    """Where a document was refused and why, by places that repeat nothing of what was sent.

    Findings that come to the same place and kind by that are told once.

    Args:
        findings: what is wrong with it.
        within: where the document itself stands.
    """
    told = dict.fromkeys(
        FieldError((*within, *map(_place, _PARTS.findall(finding.path))), finding.code)
        for finding in findings
    )
    yield from islice(told, MOST_ERRORS)
    if len(told) > MOST_ERRORS:
        yield FieldError((), FURTHER_ERRORS)


def _place(part: str) -> str | int:
    if part.isascii() and part.isdigit():
        return int(part)
    return part if part in _VOCABULARY else UNKNOWN_NAME
