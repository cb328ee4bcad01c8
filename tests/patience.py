"""How long a test waits for what is sure to come.

It is no measure of speed: only a broken program takes so long, even where it gets little of the
processor. What has to be quick is held to figures of its own.
"""

from __future__ import annotations

from typing import Final

PATIENCE_SECONDS: Final = 120
