"""One reason of a decision, told alike in every answer that gives reasons."""

from __future__ import annotations

from pydantic import Field

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.classes import SensitivityClass
from app.domain.privacy.roles import Viewer
from app.domain.privacy.sensitive import Sensitive
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.paths import reason_classes
from app.domain.tiering.explanation import ReasonPiece
from app.domain.tiering.ladder import in_language
from app.features.tiers.schemas.sight import GENERAL_TEXT, code, least_shown
from app.infra.locale import Locale
from app.infra.masking import Derived, ReadModel


class ReasonRead(ReadModel):
    """Points missing at one characteristic; GENERAL where its class is withheld."""

    code: Derived[str] = Field(description="Stable code, or GENERAL.")
    text: Derived[str] = Field(description="What it says; without figures where only bands show.")
    points: Derived[int] = Field(description="Points given.")
    lost: Derived[int] = Field(description="Points missing.")


class ReasonTeller:
    """Tells the reasons of one rule set to one viewer, in one language.

    A reason is of the class of the fact its characteristic reads, and internal as all points are.
    Points name the bin, as its own code and text do, and the bin tells of the value: whoever is
    shown the fact in a band is told the characteristic only.
    """

    def __init__(self, document: RuleSetDocument, viewer: Viewer, locale: Locale) -> None:
        self._classes = reason_classes(document, CATALOGUE)
        self._viewer = viewer
        self._locale = locale

    def read(self, piece: ReasonPiece) -> ReasonRead:
        """One reason, ready to be masked; a withheld one still takes its place in a list."""
        fact_class = SensitivityClass(self._classes[piece.code])
        sensitivity = least_shown(self._viewer, SensitivityClass.INTERNAL, fact_class)
        return ReasonRead(
            code=code(sensitivity, piece.code, band=piece.heading.code),
            text=Sensitive(
                sensitivity,
                in_language(piece.text, self._locale),
                band=in_language(piece.heading.text, self._locale),
                masked=in_language(GENERAL_TEXT, self._locale),
            ),
            points=Sensitive(sensitivity, piece.points),
            lost=Sensitive(sensitivity, piece.lost),
        )
