"""A value that does not leak when it is forgotten."""

from __future__ import annotations

from typing import Final, Generic, NoReturn, TypeVar, final

from app.domain.privacy.classes import Disposition, SensitivityClass

T_co = TypeVar("T_co", covariant=True)

WITHHELD_TEXT: Final = "<withheld>"


class SensitiveUseError(TypeError):
    """A sensitive value was used in a way that could tell it."""

    def __init__(self) -> None:
        super().__init__("a sensitive value is neither compared, hashed, iterated, nor copied")


@final
class Sensitive(Generic[T_co]):
    """One classified value, with the less telling forms that are stored beside it.

    Printing gives `<withheld>`; comparison, hashing, truth, iteration, copying and pickling raise,
    so that no log line, set, cache key or `==` tells the value by accident.

    Args:
        sensitivity: the class of the value.
        value: the clear value; None when there is none.
        masked: the masked form; None when there is no value, or none that may be shown.
        band: the banded form, likewise.

    >>> f"{Sensitive(SensitivityClass.C2_NAME, '欧阳锋', masked='欧阳**')}"
    '<withheld>'
    """

    __slots__ = ("_band", "_masked", "_sealed", "_sensitivity", "_value")

    _sensitivity: SensitivityClass
    _value: T_co | None
    _masked: str | None
    _band: str | None
    _sealed: bool

    def __init__(
        self,
        sensitivity: SensitivityClass,
        value: T_co | None,
        *,
        masked: str | None = None,
        band: str | None = None,
    ) -> None:
        _set_sensitivity(self, sensitivity)
        _set_value(self, value)
        _set_masked(self, masked)
        _set_band(self, band)
        _set_sealed(self, False)  # noqa: FBT003 - what a slot is set to.

    @classmethod
    def sealed(
        cls,
        sensitivity: SensitivityClass,
        *,
        masked: str | None = None,
        band: str | None = None,
    ) -> Sensitive[T_co]:
        """A value known by its stored forms only, because the clear one was not decrypted."""
        made: Sensitive[T_co] = cls(sensitivity, None, masked=masked, band=band)
        _set_sealed(made, True)  # noqa: FBT003 - what a slot is set to.
        return made

    @property
    def sensitivity(self) -> SensitivityClass:
        """The class of the value."""
        return self._sensitivity

    @property
    def is_sealed(self) -> bool:
        """Whether the clear value was never loaded, so that no viewer can be shown it."""
        return self._sealed

    def form(self, disposition: Disposition) -> T_co | str | None:
        """The value in the form a disposition allows.

        A form that is not there becomes a less telling one, never a more telling one: a sealed
        value granted in clear gives its masked form, else its band, else nothing.
        """
        if disposition is Disposition.CLEAR:
            return (self._masked or self._band) if self._sealed else self._value
        if disposition is Disposition.PARTIAL:
            return self._masked
        if disposition is Disposition.BAND:
            return self._band
        return None

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise SensitiveUseError

    def __delattr__(self, name: str) -> NoReturn:
        raise SensitiveUseError

    def __repr__(self) -> str:
        return WITHHELD_TEXT

    def __str__(self) -> str:
        return WITHHELD_TEXT

    def __format__(self, format_spec: str) -> str:
        return WITHHELD_TEXT

    def __eq__(self, other: object) -> NoReturn:
        raise SensitiveUseError

    def __ne__(self, other: object) -> NoReturn:
        raise SensitiveUseError

    def __lt__(self, other: object) -> NoReturn:
        raise SensitiveUseError

    def __le__(self, other: object) -> NoReturn:
        raise SensitiveUseError

    def __gt__(self, other: object) -> NoReturn:
        raise SensitiveUseError

    def __ge__(self, other: object) -> NoReturn:
        raise SensitiveUseError

    def __hash__(self) -> NoReturn:
        raise SensitiveUseError

    def __bool__(self) -> NoReturn:
        raise SensitiveUseError

    def __len__(self) -> NoReturn:
        raise SensitiveUseError

    def __iter__(self) -> NoReturn:
        raise SensitiveUseError

    def __contains__(self, item: object) -> NoReturn:
        raise SensitiveUseError

    def __copy__(self) -> NoReturn:
        raise SensitiveUseError

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise SensitiveUseError

    def __getstate__(self) -> NoReturn:
        raise SensitiveUseError

    def __reduce__(self) -> NoReturn:
        raise SensitiveUseError

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise SensitiveUseError


# The slots' own setters, since the class refuses every assignment; a look-up makes dozens of these.
_set_sensitivity = vars(Sensitive)["_sensitivity"].__set__
_set_value = vars(Sensitive)["_value"].__set__
_set_masked = vars(Sensitive)["_masked"].__set__
_set_band = vars(Sensitive)["_band"].__set__
_set_sealed = vars(Sensitive)["_sealed"].__set__
