"""P11: the importer against COPY of the same rows into the same tables with their indexes.

    python -m benchmarks.importer [--policies 1000000] [--repeats 3] [--motor FILE]

Each repetition imports into an empty database, reads the rows back in COPY's binary form, and
copies them into another empty database, so that both store the same rows with the same indexes and
foreign keys.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pyarrow as pa
import pyarrow.parquet as pq

from app.features.imports.service import ImportOptions, Surroundings, run_import
from app.infra.cipher import Vault, load_master_key
from app.infra.database import libpq_url, normalise_url, open_database
from app.infra.embedded import embedded_server
from app.infra.ids import new_id
from app.infra.migrations import upgrade
from app.infra.settings import Settings
from tests.paths import MOTOR, ROOT

MAPPING = ROOT / "examples" / "motor_es" / "mapping.yaml"
TODAY = date(2026, 11, 22)
TEMPLATE = "import_template"
MOTOR_TABLES = ("customers", "subject_keys", "scoring_inputs", "policies", "policy_terms", "claims")

CUSTOMERS = """
    INSERT INTO customers (customer_id, kind)
    SELECT 'C' || lpad(n::text, 9, '0'), 'individual' FROM generate_series(0, {last}) n
"""


@dataclass(frozen=True)
class Work:
    """A file to import, the tables it fills, and how the database is prepared for it."""

    title: str
    file: Path
    mapping: Path | None
    record: str | None
    currency: str
    tables: Sequence[str]
    prepare: str = ""


def policies_file(folder: Path, count: int) -> Path:
    """Policies of a fifth as many customers, in our own layout."""
    dice = random.Random(7)
    customers = max(count // 5, 1)
    first = date(2016, 1, 1)
    days = [first + timedelta(days=dice.randrange(3650)) for _ in range(1000)]
    lines = ("motor", "health", "life", "property", "liability")
    numbers = range(count)
    table = pa.table(
        {
            "policy_no": [f"P{number:09d}" for number in numbers],
            "customer_id": [f"C{number % customers:09d}" for number in numbers],
            "product_line": [lines[number % 5] for number in numbers],
            "product": [f"product-{number % 37}" for number in numbers],
            "issued_on": pa.array([days[number % 1000] for number in numbers], pa.date32()),
            "channel": ["agent" if number % 3 else "app" for number in numbers],
        }
    )
    path = folder / "policies.parquet"
    pq.write_table(table, path)
    return path


async def execute(url: str, *statements: str) -> None:
    """Run statements outside any transaction."""
    connection = await asyncpg.connect(libpq_url(url))
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def empty_database(server: str, prepare: str) -> str:
    """A migrated database of its own."""
    name = f"import_{new_id().hex}"
    await execute(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    url = on_database(server, name)
    await execute(url, *filter(None, [prepare]), "CHECKPOINT")
    return url


def on_database(server: str, name: str) -> str:
    """The server's URL with another database."""
    return normalise_url(server).set(database=name).render_as_string(hide_password=False)


async def time_import(url: str, work: Work, settings: Settings) -> tuple[float, int]:
    """Seconds of an import, and the rows it read."""
    async with open_database(url, settings) as database:
        vault = Vault(load_master_key(settings))
        start = time.perf_counter()
        result = await run_import(
            Surroundings(database, settings, vault, TODAY),
            work.file,
            ImportOptions(mapping=work.mapping, record=work.record),
        )
        return time.perf_counter() - start, result.total.rows


async def time_copy(source: str, target: str, tables: Sequence[str]) -> tuple[float, int]:
    """Seconds of COPY of the tables' rows, and how many they are."""
    reading = await asyncpg.connect(libpq_url(source))
    contents = []
    rows = 0
    for table in tables:
        buffer = io.BytesIO()
        status = await reading.copy_from_table(table, output=buffer, format="binary")
        rows += int(status.split()[-1])
        contents.append(buffer.getvalue())
    await reading.close()
    writing = await asyncpg.connect(libpq_url(target))
    start = time.perf_counter()
    async with writing.transaction():
        for table, content in zip(tables, contents, strict=True):
            await writing.copy_to_table(table, source=io.BytesIO(content), format="binary")
    seconds = time.perf_counter() - start
    await writing.close()
    return seconds, rows


async def measure(server: str, work: Work, repeats: int, folder: Path) -> None:
    """Print the ratio of one piece of work."""
    settings = Settings(data_dir=folder, currency=work.currency)
    imports, copies, ratios, read, stored = [], [], [], 0, 0
    for _ in range(repeats):
        ours = await empty_database(server, work.prepare)
        theirs = await empty_database(server, work.prepare)
        seconds, read = await time_import(ours, work, settings)
        copied, stored = await time_copy(ours, theirs, work.tables)
        imports.append(seconds)
        copies.append(copied)
        ratios.append(seconds / copied)
        for url in (ours, theirs):
            await execute(server, f"DROP DATABASE {normalise_url(url).database} WITH (FORCE)")
    print(
        f"{work.title}: {read:,} rows in, {stored:,} stored; "
        f"import {statistics.median(imports):.2f} s ({min(imports):.2f} to {max(imports):.2f}), "
        f"COPY {statistics.median(copies):.2f} s ({min(copies):.2f} to {max(copies):.2f}), "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}); "
        "to reach: at most 4"
    )


def works(arguments: argparse.Namespace, folder: Path) -> Iterator[Work]:
    """What is measured."""
    if arguments.motor is not None and arguments.motor.exists():
        yield Work("motor portfolio", arguments.motor, MAPPING, None, "EUR", MOTOR_TABLES)
    else:
        print("motor portfolio: left out, the file is not here; name it with --motor")
    customers = max(arguments.policies // 5, 1)
    yield Work(
        f"{arguments.policies:,} policies",
        policies_file(folder, arguments.policies),
        None,
        "policies",
        "CNY",
        ("policies",),
        CUSTOMERS.format(last=customers - 1),
    )


async def run(server: str, arguments: argparse.Namespace, folder: Path) -> None:
    """Measure everything."""
    await execute(server, f"CREATE DATABASE {TEMPLATE}")
    await upgrade(on_database(server, TEMPLATE))
    for work in works(arguments, folder):
        await measure(server, work, arguments.repeats, folder)


def main() -> None:
    """Start a server of its own and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policies", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--motor", type=Path, default=MOTOR)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tiering-import-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded_server(folder) as server:
            asyncio.run(run(server, arguments, folder))


if __name__ == "__main__":
    main()
