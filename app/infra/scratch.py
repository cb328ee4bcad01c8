"""Folders for what is only needed while somebody works on it."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def scratch_folder(folder: Path, prefix: str) -> Iterator[Path]:
    """A folder of ours alone that goes with the block; what a killed process left behind goes now.

    Its user holds a lock on it, which dies with the process. A folder that only has such a name is
    somebody else's, and stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_left_behind(folder, prefix)
    home = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield home
        finally:
            shutil.rmtree(home, ignore_errors=True)


def remove_left_behind(folder: Path, prefix: str) -> None:
    """Remove the folders of processes that are gone."""
    for left in folder.glob(f"{prefix}*"):
        with suppress(OSError), (left / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
