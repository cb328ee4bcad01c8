"""The vault as routes get it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Request

from app.infra.cipher import Vault, load_master_key
from app.infra.settings import Settings


def install_vault(app: FastAPI, settings: Settings) -> None:
    """Load the master key at start-up and put the vault on the application."""
    app.state.vault = Vault(load_master_key(settings))


async def get_vault(request: Request) -> Vault:
    """The vault the entry point put on the application."""
    vault: Vault = request.app.state.vault
    return vault


AppVault = Annotated[Vault, Depends(get_vault)]
