"""Bearer tokens: strict verification, the development issuer, and who the caller is.

Who only issues a token does not wait for what verifies it in a request: that is imported when it
is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from app.infra.auth.issuer import development_token
from app.infra.auth.tokens import TokenVerifier

if TYPE_CHECKING:
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


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module("app.infra.auth.dependencies"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
