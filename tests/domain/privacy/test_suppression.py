"""Counts that are hidden stay hidden to whoever subtracts."""

from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.privacy.suppression import SMALLEST_TOLD, hidden_counts, is_small

Cell = tuple[str, int]


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[Cell, int], list[list[Cell]]]:
    """Rows and columns with their sums, which are told too."""
    width, height = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    numbers = st.integers(0, 12) | st.integers(0, 500)
    inner = {(f"r{row}", column): draw(numbers) for row in range(height) for column in range(width)}
    counts = dict(inner)
    for column in range(width):
        counts["sum", column] = sum(inner[f"r{row}", column] for row in range(height))
    rows = sorted({row for row, _ in counts})
    sums = [[(row, column) for column in range(width)] for row in rows]
    sums += [[(row, column) for row in rows] for column in range(width)]
    return counts, sums


@given(tables())
@example(({("r0", 0): 3}, [[("r0", 0)]]))
def test_a_hidden_count_is_never_all_that_is_missing_of_a_sum(
    table: tuple[dict[Cell, int], list[list[Cell]]],
) -> None:
    counts, sums = table
    hidden = hidden_counts(counts, sums)
    assert {key for key, count in counts.items() if is_small(count)} <= hidden
    assert all(counts[key] > 0 for key in hidden)
    for one in sums:
        positive = [key for key in one if counts[key] > 0]
        behind = [key for key in positive if key in hidden]
        everything = behind == positive
        together = sum(counts[key] for key in behind)
        assert not behind or everything or (len(behind) > 1 and together >= SMALLEST_TOLD)


def test_what_is_large_enough_is_told_and_nobody_is_no_secret() -> None:
    counts = {"none": 0, "few": 9, "enough": 10, "many": 900}
    assert hidden_counts(counts, []) == {"few"}
    assert hidden_counts({"none": 0, "enough": 10}, [["none", "enough"]]) == set()


def test_the_smallest_of_the_others_is_hidden_too() -> None:
    counts = {"few": 9, "enough": 10, "many": 900, "elsewhere": 11}
    assert hidden_counts(counts, [["few", "many", "enough"]]) == {"few", "enough"}


def test_few_together_are_as_telling_as_few() -> None:
    counts = {"one": 1, "two": 2, "many": 50, "more": 90}
    assert hidden_counts(counts, [list(counts)]) == {"one", "two", "many"}


def test_what_is_hidden_for_one_sum_is_hidden_in_the_next() -> None:
    counts = {"few": 3, "b": 40, "c": 60, "d": 70}
    assert hidden_counts(counts, [["b", "c"], ["few", "b"], ["c", "d"]]) == {"few", "b", "c", "d"}


def test_a_kind_that_is_not_counted_counts_nobody() -> None:
    assert hidden_counts({"few": 3, "many": 40}, [["few", "absent", "many"]]) == {"few", "many"}
