"""`tiering demo`: everything in one go, on made-up customers."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Annotated, Final

import typer

from app.cli import stopping
from app.cli.output import out, progress, say
from app.cli.pictures import draw_pyramid, print_run
from app.cli.records import evaluate_book, import_with_progress, surroundings_of
from app.cli.serving import Host, Port, bring_up_to_date, require_port, run_server
from app.demo.book import write_book
from app.demo.layout import LAYOUT
from app.domain.errors import Invalid
from app.domain.privacy.roles import Role
from app.features.imports.service import ImportOptions
from app.features.tiers.service.book import BookByTier, get_book_by_tier
from app.infra.auth import development_token
from app.infra.clock import business_day, utc_now
from app.infra.database import open_database
from app.infra.docs_page import DemoSeats, may_offer_tokens
from app.infra.embedded import database_url
from app.infra.logging import configure_logging
from app.infra.settings import Settings, load_settings
from app.worker import worker_beside

_SEED: Final = 20_261_122
_TOKEN_SECONDS: Final = 12 * 3600


def show_demo(
    customers: Annotated[
        int, typer.Option(envvar="CUSTOMERS", min=0, max=5_000_000, help="0 serves an empty book.")
    ] = 20_000,
    port: Port = 8000,
    host: Host = "127.0.0.1",
) -> None:
    """Migrate, load a made-up book, score and tier it, print what to call, and serve."""
    settings = load_settings()
    if settings.is_production:
        raise Invalid("demo-refused", "the demo is for development; production runs `serve`")
    require_port(host, port)
    with database_url(settings) as url:
        stopping.run(prepare(url, settings, customers=customers))
        shown = stopping.run(look(url, settings))
        print_book(shown)
        seats = seats_of(settings, shown, host=host)
        print_calls(settings, shown, port=port)
        print_signing_in(seats)
        configure_logging()
        with worker_beside(url, settings):
            run_server(url, settings, port=port, host=host, seats=seats)


async def prepare(url: str, settings: Settings, *, customers: int) -> None:
    """Bring the database up to date, and fill it if it is empty or an earlier try was cut short.

    What a try makes up is written down first, so that the next one makes up the same files; their
    imports then go on where they stopped.
    """
    await bring_up_to_date(url, settings)
    note = settings.data_dir.expanduser().resolve() / "demo-book.json"
    plan = _read_plan(note)
    if plan is None:
        if customers == 0 or (await look(url, settings)).customers:
            return
        day = business_day(utc_now(), settings.business_zone)
        plan = _Plan(customers=customers, as_of=day)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"customers": customers, "as_of": day.isoformat()}))
    started = perf_counter()
    await _load(url, settings, plan)
    with progress(f"scoring as of {plan.as_of}") as advance:
        summary = await evaluate_book(url, settings, as_of=plan.as_of, apply=True, advance=advance)
    note.unlink()
    say(f"generated, imported and scored in {perf_counter() - started:.0f} seconds")
    print_run(summary)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A book that is being loaded."""

    customers: int
    as_of: date


def _read_plan(note: Path) -> _Plan | None:
    try:
        raw = json.loads(note.read_text())
        return _Plan(customers=int(raw["customers"]), as_of=date.fromisoformat(raw["as_of"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise Invalid("demo-broken", f"{note}: cannot be read; remove it") from None


async def _load(url: str, settings: Settings, plan: _Plan) -> None:
    """Write the book as import files, and import them; the files go when all are in."""
    folder = settings.data_dir.expanduser().resolve() / "demo-book"
    with progress(f"making up {plan.customers:,}") as advance:
        book = write_book(folder, customers=plan.customers, seed=_SEED, as_of=plan.as_of)
        advance(plan.customers, plan.customers)
    async with open_database(url, settings) as database:
        surroundings = surroundings_of(database, settings)
        for record in LAYOUT:
            options = ImportOptions(record=record, rejects=folder / f"{record}.rejects.csv")
            result = await import_with_progress(
                surroundings, book.folder / f"{record}.parquet", options
            )
            if result.total.rejected:
                raise Invalid("demo-broken", f"{record}: rows were refused, see {options.rejects}")
    shutil.rmtree(folder)


def seats_of(settings: Settings, shown: BookByTier, *, host: str) -> DemoSeats | None:
    """Who can be signed in as on the documentation page; nobody where others may reach it."""
    if not may_offer_tokens(settings, host):
        return None
    return DemoSeats(customer_id=shown.example, account_manager=shown.account_manager)


async def look(url: str, settings: Settings) -> BookByTier:
    """What is in the database now."""
    async with open_database(url, settings) as database, database.sessions() as session:
        return await get_book_by_tier(session)


def print_book(shown: BookByTier) -> None:
    """Print the pyramid of what is stored."""
    if shown.tiers:
        out.print()
        draw_pyramid(shown.tiers)


def print_calls(settings: Settings, shown: BookByTier, *, port: int) -> None:
    """Print ready-to-paste calls of the three clients, with fresh tokens."""
    base = f"http://127.0.0.1:{port}"
    out.print(f"\n  API {base}/v1   documentation {base}/docs   description {base}/openapi.json")
    out.print(
        "  The embedded PostgreSQL is for trying out; production sets TIERING_DATABASE_URL.\n"
    )
    if shown.example is None:
        remedy = (
            "`tiering reevaluate --apply` scores" if shown.customers else "`tiering import` fills"
        )
        out.print(f"  {shown.customers:,} customers, none scored yet; {remedy} the book.\n")
        return
    one = shown.example
    calls = (
        (
            "call centre: tier and promises while the phone rings",
            Role.AGENT,
            (f"/v1/customers/{one}/tier", "/v1/tiers/gold/sla"),
        ),
        (
            "mobile app: the customer's own benefits",
            Role.CUSTOMER,
            (f"/v1/customers/{one}/benefits",),
        ),
        ("compliance: the same record, masked", Role.COMPLIANCE, (f"/v1/customers/{one}",)),
    )
    for title, role, paths in calls:
        token = development_token(
            settings,
            role=role,
            customer_id=one if role is Role.CUSTOMER else None,
            seconds=_TOKEN_SECONDS,
            now=utc_now(),
        )
        out.print(f"  # {title}", style="bold")
        out.out(f"  {role.upper()}={token}", highlight=False)
        for path in paths:
            out.out(f'  curl -s -H "Authorization: Bearer ${role.upper()}" {base}{path}')
        out.print()


def print_signing_in(seats: DemoSeats | None) -> None:
    """Print what the documentation page offers besides."""
    if seats is None:
        said = "The documentation page signs nobody in: that is for 127.0.0.1 and our own issuer."
    else:
        said = "On the documentation page one click signs in as any of the roles."
    out.print(f"  {said}\n")


def register(app: typer.Typer) -> None:
    """Add this room's command."""
    app.command("demo")(show_demo)
