"""Bearer tokens: strict verification, the development issuer, and who the caller is."""

from app.infra.auth.dependencies import (
    CurrentActor,
    costs,
    get_token_verifier,
    install_authentication,
    requires,
    roles_let_through,
)
from app.infra.auth.issuer import development_token
from app.infra.auth.tokens import TokenVerifier

__all__ = [
    "CurrentActor",
    "TokenVerifier",
    "costs",
    "development_token",
    "get_token_verifier",
    "install_authentication",
    "requires",
    "roles_let_through",
]
