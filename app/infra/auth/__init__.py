"""Bearer tokens: strict verification, the development issuer, and who the caller is."""

from app.infra.auth.dependencies import (
    Admission,
    CurrentActor,
    admission_of,
    admit,
    charge,
    costs,
    get_token_verifier,
    install_authentication,
    requires,
)
from app.infra.auth.issuer import development_token
from app.infra.auth.tokens import TokenVerifier

__all__ = [
    "Admission",
    "CurrentActor",
    "TokenVerifier",
    "admission_of",
    "admit",
    "charge",
    "costs",
    "development_token",
    "get_token_verifier",
    "install_authentication",
    "requires",
]
