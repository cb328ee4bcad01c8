"""`/v1/customers`: profiles that everybody sees as his role allows, and finding them."""

from app.features.customers.router import consents, finding, identity, profile
from app.features.customers.router.shared import router

__all__ = ["consents", "finding", "identity", "profile", "router"]
