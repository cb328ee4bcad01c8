"""`tiering token`: one token of the development issuer."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.output import out
from app.domain.privacy.roles import Role
from app.infra.auth import development_token
from app.infra.clock import utc_now
from app.infra.settings import load_settings


def print_token(
    role: Annotated[Role, typer.Option(help="The role the token carries.")],
    customer_id: Annotated[
        str | None, typer.Option(help="Whose own token it is (role customer).")
    ] = None,
    sub: Annotated[str | None, typer.Option(help="Subject; by default made from the role.")] = None,
    ttl: Annotated[int, typer.Option(min=1, max=86400, help="Seconds it is valid.")] = 3600,
) -> None:
    """Print one token of the development issuer in DATA_DIR; refused in production."""
    token = development_token(
        load_settings(),
        role=role,
        customer_id=customer_id,
        subject=sub,
        seconds=ttl,
        now=utc_now(),
    )
    out.out(token, highlight=False)


def register(app: typer.Typer) -> None:
    """Add this room's command."""
    app.command("token")(print_token)
