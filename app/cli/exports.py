"""`tiering export tiers`: the book out, as files for others."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli import stopping
from app.cli.output import out
from app.domain.errors import Forbidden
from app.domain.privacy.roles import Role
from app.features.tiers.service import export_tiers
from app.infra.audit import NO_ROLE, AuditEvent, AuditWriter, Outcome
from app.infra.cipher import load_master_key
from app.infra.clock import business_day, utc_now
from app.infra.database import open_database
from app.infra.embedded import database_url
from app.infra.settings import Settings, load_settings

exports = typer.Typer(help="Write files for others.", no_args_is_help=True)

#: Who runs a command is known by the name the machine knows him by.
_ISSUER: Final = "command"
_PURPOSE: Final = "export"
_ROUTE: Final = "export tiers"


@exports.callback()
def export() -> None:
    """Write files for others."""


@exports.command("tiers")
def export_tier_file(
    target: Annotated[Path, typer.Option("--out", help="File to write, .csv or .parquet.")],
    role: Annotated[
        Role | None, typer.Option(help="Mask as this role is shown customers; else unmasked.")
    ] = None,
) -> None:
    """Write customer_id, tier, segment, score and evaluated_at of everyone evaluated."""
    settings = load_settings()
    with database_url(settings) as url:
        written = stopping.run(_export(url, settings, target, role))
    out.print(f"{target}: {written:,} customers")


async def _export(url: str, settings: Settings, target: Path, role: Role | None) -> int:
    async with open_database(url, settings) as database, database.sessions() as session:
        writer = AuditWriter(load_master_key(settings), database.lanes)

        async def note(written: int) -> None:
            await writer.commit(_event(writer, role, written))

        try:
            today = business_day(utc_now(), settings.business_zone)
            return await export_tiers(session, target, today=today, role=role, note=note)
        except Forbidden:
            await writer.commit(_event(writer, role, None))
            raise


def _event(writer: AuditWriter, role: Role | None, written: int | None) -> AuditEvent:
    """What is noted of a file with so many customers, or of one that was refused."""
    return AuditEvent(
        actor_digest=writer.actor_digest(_ISSUER, getpass.getuser()),
        role=NO_ROLE if role is None else role,
        purpose=_PURPOSE,
        route=_ROUTE,
        subjects=(),
        subject_count=written,
        status=403 if written is None else 200,
        outcome=Outcome.DENIED if written is None else Outcome.ANSWERED,
    )


def register(app: typer.Typer) -> None:
    """Add this room's command."""
    app.add_typer(exports, name="export")
