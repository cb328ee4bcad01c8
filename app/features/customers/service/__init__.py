"""The use cases on customers."""

from app.features.customers.service.profile import Profile, get_profile
from app.features.customers.service.subjects import Subject, identify
from app.features.customers.service.upsert import CustomerChange, Upserted, put_customer

__all__ = [
    "CustomerChange",
    "Profile",
    "Subject",
    "Upserted",
    "get_profile",
    "identify",
    "put_customer",
]
