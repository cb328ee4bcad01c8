"""Secrets that development makes for itself: files of mode 0600, made once, never overwritten."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from app.domain.errors import Invalid

_SHARED_BITS = 0o077


def read_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a secret file, which is made if it is not there.

    Two processes that start at once agree on one content: the file appears complete or not at all,
    and whoever comes second reads the first one's.

    Raises:
        Invalid: others than the owner may read the file, or it cannot be read or made.
    """
    try:
        if not path.exists():
            _create(path, make())
        return _read(path)
    except OSError as error:
        detail = f"{path.name} cannot be read or made in the data folder: {error.strerror}"
        raise Invalid("settings-invalid", detail) from None


def _create(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made with mode 0600, and with a name that no other process or thread uses.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A hard link fails where a rename would overwrite what another process has just made.
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _SHARED_BITS:
            detail = f"{path.name} may be read by others; run: chmod 600 on it"
            raise Invalid("settings-invalid", detail)
        return file.read()
