"""The use cases on customers."""

from app.features.customers.service.profile import (
    Profile,
    ProfileLookups,
    get_profile,
    lock_version,
)
from app.features.customers.service.subjects import StoredSubject, Subject, get_survivor, identify
from app.features.customers.service.upsert import CustomerChange, Upserted, put_customer

__all__ = [
    "CustomerChange",
    "Profile",
    "ProfileLookups",
    "StoredSubject",
    "Subject",
    "Upserted",
    "get_profile",
    "get_survivor",
    "identify",
    "lock_version",
    "put_customer",
]
