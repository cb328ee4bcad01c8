"""Why a file is not read."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - a decision, not a fault.
    """A file is not read; nothing here repeats what it holds.

    Args:
        place: where in it, as `row 7`; empty for all of it.
        what: is wrong.
        remedy: what to do.
    """

    def __init__(self, place: str, what: str, remedy: str) -> None:
        super().__init__(place, what, remedy)
        self.place = place
        self.what = what
        self.remedy = remedy
