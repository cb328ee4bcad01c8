"""Bearer tokens: strict verification, the development issuer, and who the caller is."""

from app.infra.auth.dependencies import CurrentActor, install_authentication, requires
from app.infra.auth.issuer import development_token

__all__ = ["CurrentActor", "development_token", "install_authentication", "requires"]
