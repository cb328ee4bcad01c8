"""The bar of the page in a demonstration: a button for each role, and what the role sees."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from string import Template

from app.domain.privacy.roles import Purpose, Role
from app.infra.docs_page.desk import DemoSeats
from app.infra.docs_page.files import read_asset


@dataclass(frozen=True, slots=True)
class Seat:
    """A role in words, and for what it usually asks."""

    label: str
    sees: str
    purpose: Purpose | None


def read_seats() -> Mapping[Role, Seat]:
    """The roles as `roles.toml` words them, in its order."""
    return {
        Role(role): Seat(raw["label"], raw["sees"], Purpose(raw["purpose"]))
        if "purpose" in raw
        else Seat(raw["label"], raw["sees"], None)
        for role, raw in tomllib.loads(read_asset("roles.toml")).items()
    }


def render_bar(seats: DemoSeats) -> str:
    """The bar in HTML. It holds no token: those are fetched at the click."""
    offered = {role: seat for role, seat in read_seats().items() if role in seats.roles}
    return Template(read_asset("demo.html")).substitute(
        buttons="".join(_button(role, seat) for role, seat in offered.items()),
        purposes="".join(f'<option value="{name}">{name}</option>' for name in Purpose),
    )


def _button(role: Role, seat: Seat) -> str:
    return (
        f'<li><button type="button" data-role="{role}" data-purpose="{seat.purpose or ""}"'
        f' aria-pressed="false" aria-describedby="sees-{role}" disabled>{escape(seat.label)}'
        f'</button><span id="sees-{role}">{escape(seat.sees)}</span></li>\n'
    )
