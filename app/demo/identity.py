"""ID numbers, credit codes and phone numbers that are valid in form and belong to nobody."""

from typing import Final

import numpy as np

from app.demo.columns import Glyphs, constant, digits, one_of_texts
from app.demo.dice import Flags, Ints
from app.demo.vocabulary import Identity

# GB 11643-1999: the weights of the 17 digits before the check character, and the character for
# each remainder modulo 11.
_ID_WEIGHTS: Final = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_ID_CHECKS: Final = np.frombuffer(b"10X98765432", dtype=np.uint8)

# GB 32100-2015: the alphabet of the unified social credit code and the powers of 3 modulo 31.
CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_GLYPHS: Final = np.frombuffer(CREDIT_ALPHABET.encode("ascii"), dtype=np.uint8)
_CREDIT_WEIGHTS: Final = np.array([pow(3, place, 31) for place in range(17)])

# GB 11714-1997: the organisation code inside it has its own check character.
_ORGANISATION_WEIGHTS: Final = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_ORGANISATION_CHECKS: Final = np.frombuffer(b"0X987654321", dtype=np.uint8)

_SERIALS_PER_REGION: Final = 500  # three digits, odd for men and even for women
_REGIONS_PER_PROVINCE: Final = 10_000
_ODD_STRIDE: Final = 61_803_399  # coprime to 10**8, so serials map to numbers one to one


def with_id_check(body: Glyphs) -> Glyphs:
    """Append the check character of a resident ID to rows of 17 digits."""
    weighted = (body.astype(np.int64) - ord("0")) @ _ID_WEIGHTS
    return np.hstack([body, _ID_CHECKS[weighted % 11][:, None]])


def with_organisation_check(body: Glyphs) -> Glyphs:
    """Append the check character of an organisation code to rows of 8 digits or letters."""
    numbers = body.astype(np.int64)
    values = np.where(numbers >= ord("A"), numbers - ord("A") + 10, numbers - ord("0"))
    return np.hstack([body, _ORGANISATION_CHECKS[(values @ _ORGANISATION_WEIGHTS) % 11][:, None]])


def with_credit_check(body: Glyphs) -> Glyphs:
    """Append the check character of a unified social credit code to rows of 17 characters."""
    value_of = np.zeros(128, dtype=np.int64)
    value_of[_CREDIT_GLYPHS] = np.arange(len(CREDIT_ALPHABET))
    weighted = value_of[body] @ _CREDIT_WEIGHTS
    return np.hstack([body, _CREDIT_GLYPHS[-weighted % 31][:, None]])


def resident_ids(identity: Identity, births: Ints, male: Flags, serials: Ints) -> Glyphs:
    """18-character resident IDs of unassigned provinces; distinct for distinct serials."""
    slot, within = serials // _SERIALS_PER_REGION, serials % _SERIALS_PER_REGION
    provinces = identity.unassigned_provinces
    moments = births.astype("M8[D]")
    years = moments.astype("M8[Y]").astype(np.int64) + 1970
    months = moments.astype("M8[M]").astype(np.int64) % 12 + 1
    days = (moments - moments.astype("M8[M]").astype("M8[D]")).astype(np.int64) + 1
    return with_id_check(
        np.hstack(
            [
                one_of_texts(provinces, slot % len(provinces)),
                digits(slot // len(provinces) % _REGIONS_PER_PROVINCE, 4),
                digits(years * 10_000 + months * 100 + days, 8),
                digits(within * 2 + male.astype(np.int64), 3),
            ]
        )
    )


def credit_codes(identity: Identity, serials: Ints) -> Glyphs:
    """18-character unified social credit codes with a region of an unassigned province."""
    size = len(serials)
    provinces = identity.unassigned_provinces
    organisation = np.hstack([constant("MA", size), digits(serials % 1_000_000, 6)])
    region = np.hstack(
        [
            one_of_texts(provinces, serials % len(provinces)),
            digits(serials // 1_000_000 % _REGIONS_PER_PROVINCE, 4),
        ]
    )
    return with_credit_check(
        np.hstack(
            [
                constant(identity.credit_code_authority, size),
                region,
                with_organisation_check(organisation),
            ]
        )
    )


def mobile_numbers(identity: Identity, serials: Ints) -> Glyphs:
    """11-digit mobile numbers of unassigned network codes; distinct for distinct serials."""
    networks = identity.unassigned_mobile
    numbers = (serials // len(networks) * _ODD_STRIDE + _ODD_STRIDE) % 10**8
    return np.hstack([one_of_texts(networks, serials % len(networks)), digits(numbers, 8)])


def travel_documents(serials: Ints) -> Glyphs:
    """Passport or permit numbers of a series no authority issues."""
    return np.hstack([constant("XX", len(serials)), digits(serials, 8)])
