"""Insurance customer tiering: scores, tiers, SLA and benefits over HTTP, masked by role.

Rooms, from the entry points down: ``main``/``cli`` wire, ``features`` speak HTTP and SQL by
feature, ``infra`` carries the machinery, ``db`` holds tables and the one definition of the facts,
``domain`` is pure. ``pyproject.toml`` states which may import which, and the tests keep it.
"""

__version__ = "0.1.0"
