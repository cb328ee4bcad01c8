"""What is derived from facts, in the forms it may be shown in."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeVar

from app.domain.facts.catalogue import CATALOGUE
from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.masks import BANDS
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.domain.privacy.sensitive import Sensitive
from app.domain.rules.model import Text

T = TypeVar("T")

#: Stands for a code whose class is withheld; a list keeps its length.
GENERAL: Final = "GENERAL"
GENERAL_TEXT: Final = Text("A further characteristic.", "其他因素。")


def internal(value: T | None) -> Sensitive[T]:
    """A value of class internal."""
    return Sensitive(SensitivityClass.INTERNAL, value)


def sees_internal(viewer: Viewer) -> bool:
    """Whether the viewer is one of the staff.

    Nobody else is told what would lift a tier: to a customer it would say “pay more”.
    """
    return MATRIX.disposition(viewer, SensitivityClass.INTERNAL) is Disposition.CLEAR


def class_of(fact: str) -> SensitivityClass:
    """The class of a fact; what is said of it is of the same class."""
    return SensitivityClass(CATALOGUE[fact].sensitivity)


def code(sensitivity: SensitivityClass, name: str) -> Sensitive[str]:
    """A code: a name is no value, so it stands where the value may be shown as a band."""
    return Sensitive(sensitivity, name, band=name, masked=GENERAL)


def amount(fact: str, text: str) -> Sensitive[str]:
    """A fact's value as people write it; amounts of money have bands."""
    is_money = CATALOGUE[fact].unit == "money"
    band = BANDS["premium"].band(Decimal(text)) if is_money else None
    return Sensitive(class_of(fact), text, band=band)
