"""Who would move, for those who are shown customers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Query, Request, Response

from app.domain.privacy.actor import Actor
from app.features.rule_sets.schemas import RuleSetId
from app.features.simulations import service
from app.features.simulations.router.shared import WATCHERS, SimulationId, router
from app.features.simulations.schemas import (
    MOVER_FIELDS,
    MoverQuery,
    MoverRead,
    MoversRead,
    movers_file,
)
from app.features.simulations.service import Mover
from app.infra.audit import Audit
from app.infra.auth import requires
from app.infra.deadline import takes_up_to
from app.infra.description import read_responses
from app.infra.desk import Desk
from app.infra.downloads import Making, Row, respond_list
from app.infra.list_files import LONGEST_LIST_SECONDS, media_type_of_list
from app.infra.locale import RequestLocale
from app.infra.media_types import CSV, JSON, XLSX
from app.infra.pagination import Cursors, require_known_fields
from app.infra.reveal import respond_each


async def known_fields(request: Request, actor: Annotated[Actor, requires(*WATCHERS)]) -> Actor:
    """A caller who asks about nothing but what there is to ask about."""
    require_known_fields(request, MOVER_FIELDS)
    return actor


async def listed_as(
    request: Request,
    actor: Annotated[Actor, Depends(known_fields)],
    accept: Annotated[
        str | None,
        # The description tells it by the media types of the answer, as OpenAPI wants it.
        Header(max_length=1000, include_in_schema=False),
    ] = None,
) -> str:
    """The media type of the list."""
    return media_type_of_list(request, actor, accept)


@dataclass(frozen=True, slots=True)
class Listed:
    """The simulation whose movers are listed, and who lists them."""

    simulation_id: UUID
    actor: Actor


async def listed_simulation(
    rule_set_id: RuleSetId,
    simulation_id: SimulationId,
    actor: Annotated[Actor, Depends(known_fields)],
    desk: Desk,
) -> Listed:
    """A completed simulation of the path, of which is known who moves."""
    await service.require_movers(desk.session, rule_set_id=rule_set_id, simulation_id=simulation_id)
    return Listed(simulation_id, actor)


@router.get(
    "/v1/rule-sets/{rule_set_id}/simulations/{simulation_id}/movers",
    response_model=MoversRead,
    summary="Customers whose tier a simulated rule set would change",
    response_description="A page of them, or all of them as a file; masked.",
    responses={
        200: {
            "content": {
                CSV: {"schema": {"type": "string"}},
                XLSX: {"schema": {"type": "string", "format": "binary"}},
            }
        },
        **read_responses(
            404,
            "field-not-permitted",
            406,
            "simulation-not-completed",
            "movers-removed",
            "list-too-long",
        ),
    },
)
@takes_up_to(seconds=LONGEST_LIST_SECONDS)
async def list_movers(
    media_type: Annotated[str, Depends(listed_as)],
    # In the scope of the desk's session.
    listed: Annotated[Listed, Depends(listed_simulation, scope="function")],
    query: Annotated[MoverQuery, Query()],
    desk: Desk,
    audit: Audit,
    locale: RequestLocale,
) -> Response:
    """In the order of ids, each page one look in the audit; rule authors are shown nobody.

    As CSV or XLSX (`Accept`) the answer is a file of all that the filter leaves, with headings in
    the caller's language; it takes neither `limit` nor `cursor`, and refuses a list that is too
    long for it.
    """
    actor, wanted = listed.actor, query.to_domain()
    if media_type != JSON:
        found = service.list_all_movers(
            desk.session,
            simulation_id=listed.simulation_id,
            wanted=wanted,
            most=desk.settings.list_max_rows,
        )
        return await respond_list(
            (_rows(part, actor) async for part in found),
            file=movers_file(media_type, locale),
            making=Making(desk.settings.data_dir.expanduser().resolve(), desk.now, desk.today),
            viewer=actor.viewer(),
            audit=audit,
        )
    cursors = Cursors(desk.vault.master, query.listing(listed.simulation_id), actor)
    page = await service.list_movers(
        desk.session,
        simulation_id=listed.simulation_id,
        wanted=wanted,
        limit=query.limit,
        after="" if query.cursor is None else cursors.open(query.cursor)[0],
    )
    next_cursor = None if page.after is None else cursors.seal([page.after])
    return await respond_each(
        MoversRead(items=[], next_cursor=next_cursor),
        items=[(model, viewer) for _, model, viewer in _rows(page.items, actor)],
        viewer=actor.viewer(),
        audit=audit,
        subjects=[item.customer_id for item in page.items],
        headers={"Vary": "Accept"},
    )


def _rows(items: Iterable[Mover], actor: Actor) -> Iterator[Row]:
    """Movers as they are told, each with the caller as the viewer of that customer."""
    for item in items:
        viewer = actor.viewer_of(item.customer_id, item.account_manager)
        yield item.customer_id, MoverRead.from_domain(item), viewer
