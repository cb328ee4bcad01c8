"""How much work compiling and checking may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Up to how many cells a table is dense, and all of a document, and the steps of a proof."""

    dense_cells: int = 1_000_000
    all_dense_cells: int = 8_000_000
    proof_steps: int = 2_000_000
