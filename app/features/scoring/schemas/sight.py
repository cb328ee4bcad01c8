"""What one viewer may see of what a rule set derives from facts."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from typing import Final, TypeVar

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.domain.privacy.sensitive import Sensitive
from app.domain.rules.evaluation import Answer
from app.domain.rules.model import DIMENSION_PREFIX, HitPolicy, RuleSetDocument
from app.domain.rules.paths import ADVICE_OUTCOMES, RISK_OUTCOMES, facts_reaching
from app.domain.tiering.decision import COMPLETENESS_SCALE
from app.domain.tiering.record import DecisionRecord
from app.domain.words import GRADE_BANDS
from app.features.tiers.schemas import GENERAL, least_shown
from app.infra.masking import internal

Class = SensitivityClass
T = TypeVar("T")

_BAND_WIDTH = 200
_RISK_DIMENSION: Final = DIMENSION_PREFIX + Class.RISK

#: What has a field of its own, with the class that the role table lists for it.
_NAMED: Final = frozenset({"risk_grade", "segment", "life_cycle_stage", "labels", "tier"})


class Sight:
    """What one viewer may see of what a rule set derives from facts.

    A derived thing is of the highest class among the facts it comes from.
    """

    def __init__(self, document: RuleSetDocument, viewer: Viewer) -> None:
        self._document = document
        self._viewer = viewer
        self._reach = facts_reaching(document)

    def dimensions(self, record: DecisionRecord) -> dict[str, Sensitive[int]]:
        """The dimension scores; the one called risk is risk whatever it is made of."""
        return {
            name: self.dimension(name, score, score)
            for name in self._document.dimensions
            for score in [record.dimensions[name]]
        }

    def dimension(self, name: str, score: int, shown: T) -> Sensitive[T]:
        """One dimension score as it is to be shown in clear; where it is banded, the band."""
        found = self._of_dimension(name)
        if found is Disposition.CLEAR:
            return internal(shown)
        return Sensitive.sealed(
            Class.INTERNAL, band=_band(score) if found is Disposition.BAND else None
        )

    def shows_dimension(self, name: str) -> bool:
        """Whether a dimension's score is shown in clear, and so what it is made of."""
        return self._of_dimension(name) is Disposition.CLEAR

    def _of_dimension(self, name: str) -> Disposition:
        listed = {Class.INTERNAL, *self._listed(DIMENSION_PREFIX + name)}
        return self._disposition(DIMENSION_PREFIX + name, listed)

    def outcomes(self, record: DecisionRecord) -> dict[str, Sensitive[str | list[str]]]:
        """What the tables give that have no field of their own, in their order.

        Advice and the extra module are risk, as the role table lists them.
        """
        names = [table.output.name for table in self._document.tables]
        return {
            name: self.outcome(name, answered(record.outcomes.get(name)))
            for name in names
            if name not in _NAMED
        }

    def outcome(self, name: str, answer: T | None) -> Sensitive[T]:
        """One outcome, in the form that a decision shows it in."""
        if name == "risk_grade":
            return Sensitive(Class.RISK, answer, band=GRADE_BANDS.get(str(answer)))
        if name in _NAMED:
            return internal(answer)
        return Sensitive(self._class_of_outcome(name), answer)

    def _class_of_outcome(self, name: str) -> SensitivityClass:
        if name in RISK_OUTCOMES | ADVICE_OUTCOMES:
            return Class.RISK
        return least_shown(self._viewer, Class.INTERNAL, *self._classes(name))

    def fired(self, record: DecisionRecord) -> dict[str, Sensitive[str | list[str]]]:
        """The rules that fired, in the order of the tables."""
        shown: dict[str, Sensitive[str | list[str]]] = {}
        for table in self._document.tables:
            rules = record.fired[table.id]
            # A rule's id tells the very values it asks for, and has no band.
            if not self.shows_rules(table.output.name):
                sealed = Sensitive[str | list[str]].sealed(Class.INTERNAL, masked=GENERAL)
                shown[table.id] = sealed
            elif table.hit_policy is HitPolicy.COLLECT:
                shown[table.id] = internal(list(rules))
            else:
                shown[table.id] = internal(rules[0] if rules else None)
        return shown

    def shows_rules(self, output: str) -> bool:
        """Whether the viewer may know which rule of a table fired, and which nearly did.

        A rule tells of all that its table reads, however far back, and of what it answers.
        """
        listed = {Class.INTERNAL, *self._listed(output)}
        return self._disposition(output, listed) is Disposition.CLEAR

    def _listed(self, name: str) -> frozenset[SensitivityClass]:
        """The classes that the role table lists for something derived, and all it comes from."""
        return self._listed_by_name.get(name, frozenset())

    @cached_property
    def _listed_by_name(self) -> dict[str, frozenset[SensitivityClass]]:
        listed = {_RISK_DIMENSION: frozenset({Class.RISK})}
        for table in self._document.tables:
            name = table.output.name
            is_risk = name in RISK_OUTCOMES | ADVICE_OUTCOMES
            own = frozenset({Class.RISK} if is_risk else ())
            listed[name] = own.union(*(listed.get(one, frozenset()) for one in table.inputs))
        return listed

    def _disposition(self, name: str, listed: Iterable[SensitivityClass]) -> Disposition:
        return MATRIX.joint_disposition(self._viewer, self._classes(name).union(listed))

    def _classes(self, name: str) -> set[SensitivityClass]:
        return {Class(CATALOGUE[fact].sensitivity) for fact in self._reach[name]}


def answered(answer: Answer) -> str | list[str] | None:
    """An answer as JSON has it."""
    return list(answer) if isinstance(answer, tuple) else answer


def share(completeness: int) -> Decimal:
    """A completeness as a share of one."""
    return Decimal(completeness) / COMPLETENESS_SCALE


def _band(score: int) -> str:
    """A fifth of the scale; the last one holds its upper end.

    >>> _band(0), _band(399), _band(1000)
    ('0-199', '200-399', '800-1000')
    """
    low = min(score // _BAND_WIDTH, 4) * _BAND_WIDTH
    return "800-1000" if low == 4 * _BAND_WIDTH else f"{low}-{low + _BAND_WIDTH - 1}"
