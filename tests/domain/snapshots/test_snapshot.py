from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.facts.catalogue import CATALOGUE
from app.domain.facts.model import Fact, FactType, FactValue
from app.domain.snapshots import frame
from app.domain.snapshots.snapshot import Snapshot, SnapshotError, read_snapshot, write_snapshot
from tests.domain.snapshots.strategies import SCHEMA, facts
from tests.domain.tiering.strategies import overrides, states

snapshots = st.builds(
    Snapshot, facts=facts, state=st.none() | states(), override=st.none() | overrides()
)
OVERRIDE = {**dict.fromkeys(frame.OVERRIDE, pl.String), "until": pl.Date}
STATE = {"tier": pl.String, **dict.fromkeys(frame.STATE_BEFORE[1:], pl.Date)}


@given(snapshots)
def test_a_snapshot_reads_back_as_what_was_evaluated(snapshot: Snapshot) -> None:
    assert read_snapshot(write_snapshot(snapshot), CATALOGUE) == snapshot


@settings(max_examples=40)
@given(st.lists(snapshots, min_size=1, max_size=4))
def test_a_snapshot_from_a_run_reads_back_alike(written: list[Snapshot]) -> None:
    before = [
        {name: getattr(snapshot.state, name, None) for name in frame.STATE_BEFORE}
        for snapshot in written
    ]
    serving = [
        {name: getattr(snapshot.override, name, None) for name in frame.OVERRIDE}
        | {"id": None if snapshot.override is None else str(snapshot.override.id)}
        for snapshot in written
    ]
    table = (
        pl.DataFrame([dict(snapshot.facts) for snapshot in written], schema=SCHEMA)
        .hstack(pl.DataFrame(before, schema=STATE).rename(lambda name: f"before.{name}"))
        .hstack(pl.DataFrame(serving, schema=OVERRIDE).rename(lambda name: f"override.{name}"))
    )
    texts = frame.snapshots(table, list(CATALOGUE))
    assert [read_snapshot(text.encode(), CATALOGUE) for text in texts] == written


def test_dates_are_kept_as_iso_text_and_decimals_as_scaled_integers() -> None:
    assert json.loads(
        write_snapshot(Snapshot({"annual_premium": 1250, "age": None, "smoker": True}, None))
    ) == {
        "facts": {"annual_premium": 1250, "age": None, "smoker": True},
        "state": None,
        "override": None,
    }


def test_a_fact_that_is_a_date_survives() -> None:
    catalogue: Mapping[str, Fact] = {
        "seen_on": replace(CATALOGUE["age"], name="seen_on", type=FactType.DATE)
    }
    seen: Mapping[str, FactValue] = {"seen_on": date(2026, 11, 22)}
    text = write_snapshot(Snapshot(seen, None))
    assert read_snapshot(text, catalogue).facts == seen


def test_what_was_written_before_there_were_overrides_has_none() -> None:
    assert read_snapshot(b'{"facts": {}, "state": null}', CATALOGUE) == Snapshot({}, None, None)


def test_a_fact_that_the_catalogue_no_longer_knows_is_left_out() -> None:
    text = b'{"facts": {"age": 40, "shoe_size": 44}, "state": null}'
    assert read_snapshot(text, CATALOGUE) == Snapshot({"age": 40}, None)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"facts": 1, "state": null}',
        b'{"facts": {}}',
        b'{"facts": {}, "state": {"tier": "gold"}}',
        b'{"facts": {}, "state": null, "override": {}}',
        (
            b'{"facts": {}, "state": null, "override": {"tier": "gold", "until": "2026-01-01",'
            b' "mode": "lift", "id": "0193a5d2-0000-7000-8000-000000000000"}}'
        ),
        (
            b'{"facts": {}, "state": null, "override": {"tier": "gold", "until": "2026-01-01",'
            b' "mode": "pin", "id": "mine"}}'
        ),
        (
            b'{"facts": {}, "state": {"tier": null, "since": "2026-01-01",'
            b' "last_downgrade_on": null, "first_lower_on": null, "evaluated_on": "2026-01-01"}}'
        ),
        (
            b'{"facts": {}, "state": {"tier": "gold", "since": "never", "last_downgrade_on": null,'
            b' "first_lower_on": null, "evaluated_on": "2026-01-01"}}'
        ),
    ],
)
def test_what_no_one_wrote_is_refused_without_telling_it(text: bytes) -> None:
    with pytest.raises(SnapshotError, match=r"^the snapshot is not in the form"):
        read_snapshot(text, CATALOGUE)
