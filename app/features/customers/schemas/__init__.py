"""Customers as they are sent and answered."""

from app.features.customers.schemas.parameters import CustomerId, in_language
from app.features.customers.schemas.profile import GRADE_BANDS, ProfileRead
from app.features.customers.schemas.upsert import BODY_FIELDS, CustomerWrite

__all__ = [
    "BODY_FIELDS",
    "GRADE_BANDS",
    "CustomerId",
    "CustomerWrite",
    "ProfileRead",
    "in_language",
]
