"""The use cases on customers."""

from app.features.customers.service.profile import Profile, get_profile
from app.features.customers.service.subjects import Subject, identify

__all__ = ["Profile", "Subject", "get_profile", "identify"]
