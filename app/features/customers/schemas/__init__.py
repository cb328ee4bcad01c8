"""Customers as they are sent and answered."""

from app.features.customers.schemas.parameters import CustomerId
from app.features.customers.schemas.profile import ProfileRead
from app.features.customers.schemas.upsert import BODY_FIELDS, CustomerWrite

__all__ = [
    "BODY_FIELDS",
    "CustomerId",
    "CustomerWrite",
    "ProfileRead",
]
