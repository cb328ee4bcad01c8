from __future__ import annotations

import asyncio
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.rows.rule_set import RuleSetActivationRow, RuleSetVersionRow
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.words import PRODUCT_LINES
from app.features.rule_sets.service import (
    BEGINNING,
    get_version,
    install_templates,
    load_document,
    resolve,
    resolve_all,
    shipped_documents,
    versions,
)
from app.infra.database import open_database
from app.infra.settings import Settings

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 22)


def document(id_: str = "motor-strict", line: str = "motor", bound: str = "0.5") -> str:
    """A document over the shipped one, different for every bound."""
    return f"""
format: tiering/1
id: {id_}
product_line: {line}
extends: all@1
title: {{en: Strict, zh: 严格}}
scorecard:
  characteristics:
    - id: premium_ratio
      bins:
        - {{when: "< {bound}", points: 0}}
        - {{when: ">= {bound}", points: 100}}
        - {{when: "null", points: 0}}
"""


async def ranges(session: AsyncSession, line: str) -> list[tuple[str, date, date | None]]:
    """Who decides for a line when, in order."""
    row = RuleSetActivationRow
    query = (
        select(row.rule_set_id, func.lower(row.valid), func.upper(row.valid))
        .where(row.product_line == line)
        .order_by(row.valid)
    )
    return [(found[0], found[1], found[2]) for found in await session.execute(query)]


async def test_templates_decide_from_the_beginning_and_are_installed_once(
    session: AsyncSession,
) -> None:
    await install_templates(session)
    await install_templates(session)
    in_force = await resolve_all(session, BEGINNING)
    assert {"motor", "corporate", "all"} <= set(in_force)
    assert all(item.stored.version == 1 for item in in_force.values())
    assert await session.scalar(select(func.count()).select_from(RuleSetVersionRow)) == len(
        in_force
    )
    assert await ranges(session, "all") == [("all", BEGINNING, None)]


async def test_a_line_without_a_rule_set_of_its_own_falls_back_to_all(
    session: AsyncSession,
) -> None:
    await install_templates(session)
    row = RuleSetActivationRow
    await session.execute(delete(row).where(row.product_line == "liability"))
    assert (await resolve(session, "liability", TODAY)).stored.rule_set_id == "all"
    assert (await resolve(session, "motor", TODAY)).stored.product_line == "motor"


async def test_without_any_rule_set_the_answer_says_what_is_missing(
    session: AsyncSession,
) -> None:
    with pytest.raises(Conflict) as refused:
        await resolve(session, "motor", TODAY)
    assert refused.value.type == "no-rule-set"


async def test_a_template_that_changed_with_a_release_moves_nobody(session: AsyncSession) -> None:
    await install_templates(session)
    await load_document(session, document("motor-own"))
    await install_templates(session)
    assert (await resolve(session, "motor", TODAY)).stored.rule_set_id == "motor-own"


async def test_a_template_that_is_new_with_a_release_is_stored_and_decides_for_nobody(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = shipped_documents()
    before = tuple(found for found in shipped if found.id in {"all", "corporate", "motor"})
    monkeypatch.setattr(versions, "shipped_documents", lambda: before)
    await install_templates(session)
    monkeypatch.setattr(versions, "shipped_documents", lambda: shipped)
    await install_templates(session)
    assert (await resolve(session, "life", TODAY)).stored.rule_set_id == "all"
    life = await get_version(session, rule_set_id="life", version=1)
    assert life.compiled.document.product_line == "life"
    await load_document(session, document("own-life", "life").replace("all@1", "life@1"))
    assert (await resolve(session, "life", TODAY)).stored.rule_set_id == "own-life"


async def test_in_a_new_database_every_line_has_its_own(session: AsyncSession) -> None:
    await install_templates(session)
    for line in (*PRODUCT_LINES, "corporate", "all"):
        assert (await resolve(session, line, TODAY)).stored.rule_set_id == line


async def test_a_document_is_in_force_from_its_day_and_its_predecessor_until_then(
    session: AsyncSession,
) -> None:
    await install_templates(session)
    motor = (await resolve(session, "motor", TODAY)).stored.rule_set_id
    loaded = await load_document(session, document(), valid_from=date(2026, 7, 1))
    assert (loaded.rule_set_id, loaded.version, loaded.product_line) == (
        "motor-strict",
        1,
        "motor",
    )
    assert await ranges(session, "motor") == [
        (motor, BEGINNING, date(2026, 7, 1)),
        ("motor-strict", date(2026, 7, 1), None),
    ]
    assert (await resolve(session, "motor", date(2026, 6, 30))).stored.rule_set_id == motor
    assert (await resolve(session, "motor", date(2026, 7, 1))).stored == loaded


async def test_the_same_document_is_stored_once_and_a_changed_one_is_a_new_version(
    session: AsyncSession,
) -> None:
    await install_templates(session)
    first = await load_document(session, document())
    again = await load_document(session, document().replace('"< 0.5"', '"< 0.50"'))
    other = await load_document(session, document(bound="0.75"))
    assert again == first
    assert (other.version, other.hash == first.hash) == (2, False)
    assert (await resolve(session, "motor", TODAY)).stored == other
    assert (await load_document(session, document())).version == 1
    assert (await resolve(session, "motor", TODAY)).stored == first


async def test_a_stored_version_is_read_back_as_the_document_it_was(session: AsyncSession) -> None:
    await install_templates(session)
    loaded = await load_document(session, document())
    found = await get_version(session, rule_set_id="motor-strict", version=1)
    assert found.stored == loaded
    assert found.compiled.document.title.zh == "严格"
    with pytest.raises(NotFound):
        await get_version(session, rule_set_id="motor-strict", version=2)


@pytest.mark.parametrize(
    ("text", "type_", "named"),
    [
        ("a: *b", "document-unreadable", "line 1, column 4"),
        (document().replace("all@1", "none@1"), "rule-set-refused", "extends"),
        (document().replace("all@1", "all@x"), "rule-set-refused", "extends"),
        (document().replace("all@1", '"a\\0@1"'), "rule-set-refused", "extends"),
        ("format: tiering/1", "rule-set-refused", "product_line"),
        (document(bound="-1"), "rule-set-refused", "cell-out-of-range"),
        (
            document()
            + "tables: [{id: segment, output: {name: segment, values: [platinum_club, base]}}]",
            "rule-set-refused",
            ".output.values[0]: unstorable-outcome: platinum_club",
        ),
        (
            document() + "tests: [{in: {premium_ratio: '0'}, expect: {tier: diamond}}]",
            "rule-set-refused",
            "tests[0].expect.tier: test-failed",
        ),
    ],
)
async def test_a_document_that_cannot_decide_is_refused_with_all_that_is_wrong(
    session: AsyncSession, text: str, type_: str, named: str
) -> None:
    await install_templates(session)
    with pytest.raises(Invalid) as refused:
        await load_document(session, text)
    assert refused.value.type == type_
    assert named in refused.value.detail
    assert await ranges(session, "motor") == [("motor", BEGINNING, None)]


async def test_a_stored_version_cannot_be_changed(session: AsyncSession) -> None:
    await install_templates(session)
    row = await session.get(RuleSetVersionRow, ("all", 1))
    assert row is not None
    row.hash = "0" * 64
    with pytest.raises(DBAPIError, match="append-only"):
        await session.flush()


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(loads=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5)), max_size=6))
async def test_whatever_is_loaded_in_whatever_order_one_rule_set_decides_on_every_day(
    session: AsyncSession, loads: list[tuple[str, int]]
) -> None:
    async with session.begin_nested() as savepoint:
        await install_templates(session)
        days = [date(2026, 1, 1 + day) for day in range(7)]
        expected = dict.fromkeys(days, "motor")
        for name, day in loads:
            await load_document(session, document(f"motor-{name}"), valid_from=days[day])
            expected |= dict.fromkeys(days[day:], f"motor-{name}")
        found = {day: (await resolve(session, "motor", day)).stored.rule_set_id for day in days}
        assert found == expected
        await savepoint.rollback()


async def test_parallel_loads_of_one_line_take_turns(
    fresh_database_url: str, settings: Settings
) -> None:
    async with open_database(fresh_database_url, settings) as database:
        async with database.sessions.begin() as session:
            await install_templates(session)

        async def load(bound: int) -> None:
            async with database.sessions.begin() as own:
                # However busy the cores are.
                await own.execute(text("SET LOCAL lock_timeout = 0"))
                await load_document(own, document(bound=f"0.{bound}"))

        await asyncio.gather(*(load(bound) for bound in range(1, 4)))
        async with database.sessions() as session:
            versions = await session.scalars(
                select(RuleSetVersionRow.version)
                .where(RuleSetVersionRow.rule_set_id == "motor-strict")
                .order_by(RuleSetVersionRow.version)
            )
            assert list(versions) == [1, 2, 3]
            assert len(await ranges(session, "motor")) == 1
