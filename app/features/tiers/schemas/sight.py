"""What is derived from facts, in the forms it may be shown in."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Final

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.masks import BANDS
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.domain.privacy.sensitive import Sensitive
from app.domain.rules.model import Text

#: Stands for a code whose class is withheld; a list keeps its length.
GENERAL: Final = "GENERAL"
GENERAL_TEXT: Final = Text("A further characteristic.", "其他因素。")


def sees_internal(viewer: Viewer) -> bool:
    """Whether the viewer is one of the staff.

    Nobody else is told what would lift a tier: to a customer it would say “pay more”.
    """
    return MATRIX.disposition(viewer, SensitivityClass.INTERNAL) is Disposition.CLEAR


@cache
def class_of(fact: str) -> SensitivityClass:
    """The class of a fact; what is said of it is of the same class."""
    return SensitivityClass(CATALOGUE[fact].sensitivity)


def least_shown(viewer: Viewer, *classes: SensitivityClass) -> SensitivityClass:
    """The one of several classes that a viewer is shown least of.

    What is derived from all of them is of this class for him.
    """
    joint = MATRIX.joint_disposition(viewer, classes)
    return next(found for found in classes if MATRIX.disposition(viewer, found) is joint)


def code(sensitivity: SensitivityClass, name: str, *, band: str | None = None) -> Sensitive[str]:
    """A code: a name is no value, so it or a wider one stands where a band of the value would."""
    return Sensitive(sensitivity, name, band=band or name, masked=GENERAL)


def amount(fact: str, text: str) -> Sensitive[str]:
    """A fact's value as people write it; amounts of money have bands."""
    is_money = CATALOGUE[fact].unit == "money"
    band = BANDS["premium"].band(Decimal(text)) if is_money else None
    return Sensitive(class_of(fact), text, band=band)
