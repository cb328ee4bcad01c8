"""How Hypothesis searches: the same examples in every run, or new ones when asked."""

import os

from hypothesis import settings

# A red suite must be red again at the next desk; machines differ in speed, so no deadline.
settings.register_profile("suite", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("explore", max_examples=2_000, deadline=None, print_blob=True)


def load_profile() -> None:
    """Load the profile that HYPOTHESIS_PROFILE names, `suite` unless it is set."""
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
