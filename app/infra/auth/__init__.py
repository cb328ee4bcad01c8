"""Bearer tokens: strict verification, the development issuer, and who the caller is."""

from app.infra.auth.actor import Actor
from app.infra.auth.dependencies import CurrentActor, install_authentication, requires

__all__ = ["Actor", "CurrentActor", "install_authentication", "requires"]
