"""`python -m app.cli` is `tiering`."""

from __future__ import annotations

from app.cli import main

main()
