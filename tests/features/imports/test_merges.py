"""Files that name one customer by several ids, since merges."""

from __future__ import annotations

import pytest

from tests.features.imports.desk import CUSTOMER, ImportDesk, Row, rejects

pytestmark = pytest.mark.anyio

ALIAS: Row = {"alias_id": "OLD", "customer_id": "C1", "merged_on": "2021-01-01"}
SCORE: Row = {"customer_id": "C1", "valid_from": "2022-01-01", "uplift_3y": 5}
SURVIVOR_S_SCORES = "SELECT customer_id, uplift_3y FROM model_scores ORDER BY valid_from"


@pytest.fixture
async def merged(desk: ImportDesk) -> ImportDesk:
    """A desk at which OLD was merged into C1, and C2 is known too."""
    await desk.load("customers", CUSTOMER, {**CUSTOMER, "customer_id": "C2"})
    await desk.load("customer_aliases", ALIAS)
    return desk


def reasons(desk: ImportDesk) -> list[tuple[str, str, str]]:
    """Row, column and reason of what the last import listed."""
    lines = rejects(desk.folder / "rejects.csv")
    return [(line["row"], line["column"], line["reason"]) for line in lines]


async def test_rows_that_share_a_key_since_a_merge_are_rejected_one_by_one(
    merged: ImportDesk,
) -> None:
    result = await merged.load(
        "model_scores",
        SCORE,
        {**SCORE, "customer_id": "OLD", "uplift_3y": 7},
        {**SCORE, "customer_id": "C2"},
        rejects=merged.folder / "rejects.csv",
    )
    clash = ("customer_id, valid_from", "duplicate-key")
    assert reasons(merged) == [("1", *clash), ("2", *clash)]
    assert (result.total.loaded, result.total.rejected) == (1, 2)
    assert await merged.query(SURVIVOR_S_SCORES) == [("C2", 5)]


async def test_rows_that_are_equal_since_a_merge_count_once(merged: ImportDesk) -> None:
    result = await merged.load("model_scores", SCORE, {**SCORE, "customer_id": "OLD"})
    counts = result.total.records["model_scores"]
    assert (counts.inserted, counts.unchanged, counts.duplicates) == (1, 0, 1)
    assert await merged.query(SURVIVOR_S_SCORES) == [("C1", 5)]


async def test_the_last_row_of_a_merged_customer_wins_where_the_mapping_says_so(
    merged: ImportDesk,
) -> None:
    path = merged.write("rows.csv", [SCORE, {**SCORE, "customer_id": "OLD", "uplift_3y": 7}])
    mapping = merged.write_text(
        "mapping.yaml",
        "format: tiering-mapping/1\n"
        "source: {format: csv}\n"
        "records:\n"
        "- record: model_scores\n"
        "  on_duplicate: last\n"
        "  columns: {customer_id: customer_id, valid_from: valid_from, uplift_3y: uplift_3y}\n",
    )
    await merged.run(path, mapping=mapping)
    assert await merged.query(SURVIVOR_S_SCORES) == [("C1", 7)]


async def test_who_referred_himself_under_an_old_id_is_rejected_by_himself(
    merged: ImportDesk,
) -> None:
    own = {
        "referral_no": "R1",
        "customer_id": "OLD",
        "referred_customer_id": "C1",
        "succeeded_on": "2022-01-01",
    }
    other = {**own, "referral_no": "R2", "referred_customer_id": "C2"}
    await merged.load("referrals", own, other, rejects=merged.folder / "rejects.csv")
    assert reasons(merged) == [("1", "referred_customer_id", "same-customer")]
    assert await merged.query("SELECT referral_no, customer_id FROM referrals") == [("R2", "C1")]


async def test_merges_in_a_ring_are_rejected_so_that_somebody_stays(merged: ImportDesk) -> None:
    back = {**ALIAS, "alias_id": "C1", "customer_id": "C2"}
    await merged.load("customer_aliases", back)
    await merged.load(
        "customer_aliases",
        {**ALIAS, "alias_id": "C2", "customer_id": "C1"},
        {**ALIAS, "alias_id": "OLDER", "customer_id": "C2"},
        rejects=merged.folder / "rejects.csv",
    )
    assert reasons(merged) == [("1", "alias_id", "merged-back")]
    assert await merged.query("SELECT alias_id, customer_id FROM customer_aliases") == [
        ("OLD", "C1"),
        ("C1", "C2"),
        ("OLDER", "C2"),
    ]


async def test_merges_that_end_in_each_other_in_one_file_are_both_rejected(
    merged: ImportDesk,
) -> None:
    await merged.load(
        "customer_aliases",
        {**ALIAS, "alias_id": "C1", "customer_id": "C2"},
        {**ALIAS, "alias_id": "C2", "customer_id": "C1"},
        rejects=merged.folder / "rejects.csv",
    )
    assert reasons(merged) == [("1", "alias_id", "merged-back"), ("2", "alias_id", "merged-back")]


async def test_a_merge_may_be_corrected_to_another_survivor(merged: ImportDesk) -> None:
    await merged.load("customer_aliases", {**ALIAS, "customer_id": "C2"})
    assert await merged.query("SELECT customer_id FROM customer_aliases") == [("C2",)]
