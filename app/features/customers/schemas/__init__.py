"""Customers as they are sent and answered."""

from app.features.customers.schemas.parameters import CustomerId, in_language
from app.features.customers.schemas.profile import GRADE_BANDS, ProfileRead

__all__ = ["GRADE_BANDS", "CustomerId", "ProfileRead", "in_language"]
