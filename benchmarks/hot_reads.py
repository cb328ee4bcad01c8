"""P1 to P3: look-ups under load, against endpoints written by hand and against bare FastAPI.

    python -m benchmarks.hot_reads                        # 20,000 customers
    python -m benchmarks.hot_reads 1000000 --rounds 5 --seconds 5

It makes up a book, scores it, and serves it by `tiering serve` with RS256 tokens of a key set file;
beside it serves `benchmarks.hot_rivals`. Both are one uvicorn process pinned to the first core; the
database and the callers have the others. Round after round each endpoint is called for some
seconds by as many connections as are asked for, each for one random customer after another.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final

import uvloop
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt
from sqlalchemy import text

from app.features.benefits.service import install_benefits
from app.features.reevaluation.service import run
from app.features.sla.service import install_sla
from app.infra.clock import utc_now
from app.infra.database import open_database
from app.infra.embedded import embedded_server
from app.infra.settings import Settings
from benchmarks.hot_rivals import URL
from benchmarks.whole_book import prepare
from tests.factories.book import AS_OF

ISSUER: Final = "https://issuer.example"
KID: Final = "benchmark"
SEVERAL = 2_000
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Work:
    """One endpoint under load; `path` is filled with an id where it names one."""

    name: str
    port: int
    path: str
    token: str | None = None

    def requests(self, ids: Sequence[str]) -> list[bytes]:
        """Requests as they go over the wire."""
        signed = "" if self.token is None else f"Authorization: Bearer {self.token}\r\n"
        head = f"HTTP/1.1\r\nHost: 127.0.0.1\r\n{signed}\r\n"
        return [f"GET {self.path.format(id=id_)} {head}".encode() for id_ in ids]


@dataclass(slots=True)
class Figures:
    """Requests a second and milliseconds at the 99th percentile, round after round."""

    rates: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        spread = f"{min(self.rates):,.0f} to {max(self.rates):,.0f}"
        return f"{median(self.rates):8,.0f}/s ({spread}), p99 {median(self.p99):.1f} ms"


async def call(work: Work, requests: list[bytes], until: float, took: list[float]) -> None:
    """One connection: one request after another, until time is up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", work.port)
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(secrets.choice(requests))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200 "):
            message = f"{work.name}: {head[:200]!r}"
            raise RuntimeError(message)
        start = head.index(b"content-length:") + len(b"content-length:")
        await reader.readexactly(int(head[start : head.index(b"\r", start)]))
        took.append(time.perf_counter() - began)
    writer.close()


async def load(work: Work, ids: Sequence[str], connections: int, seconds: float) -> list[float]:
    """Seconds that each request took."""
    requests, took = work.requests(ids), list[float]()
    until = time.perf_counter() + seconds
    await asyncio.gather(*(call(work, requests, until, took) for _ in range(connections)))
    return sorted(took)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


@contextmanager
def served(arguments: Sequence[str], port: int, settings: dict[str, str]) -> Iterator[None]:
    """A serving process on the first core, once it listens."""
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(  # noqa: S603 - the interpreter and modules of ours.
            [sys.executable, "-m", *arguments, "--port", str(port)],
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
        os.sched_setaffinity(child.pid, {0})
        try:
            _await_port(port, child)
            yield
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait()


def _await_port(port: int, child: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while child.poll() is None and time.monotonic() < until:
        with socket.socket() as tried:
            if not tried.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    message = "the server did not start"
    raise RuntimeError(message)


def key_set(folder: Path) -> tuple[Path, str]:
    """The file of an RSA key set, and an agent's token signed with its key."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = jwk.construct(pem, "RS256").public_key().to_dict()
    named = {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in public.items()
    }
    target = folder / "jwks.json"
    target.write_text(json.dumps({"keys": [{**named, "kid": KID, "use": "sig"}]}))
    now = utc_now()
    claims = {
        "iss": ISSUER,
        "aud": "tiering",
        "sub": "benchmark",
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=8)).timestamp()),
        "roles": ["agent"],
    }
    return target, jwt.encode(claims, pem.decode(), "RS256", {"kid": KID})


async def score(url: str, settings: Settings, customers: int) -> list[str]:
    """Make up a book and score it; answers some ids."""
    await prepare(url, settings, customers)
    await run(url, settings, as_of=AS_OF, apply=True)
    async with open_database(url, settings) as database, database.sessions.begin() as session:
        await install_sla(session)
        await install_benefits(session)
        await session.execute(text("ANALYZE"))
        query = text("SELECT customer_id FROM scoring_states ORDER BY random() LIMIT :many")
        return list(await session.scalars(query, {"many": min(customers, SEVERAL * 10)}))


def measure(
    works: Sequence[Work], ids: Sequence[str], asked: argparse.Namespace
) -> dict[str, Figures]:
    """Load every endpoint in turn, after a round that only warms up."""
    figures = {work.name: Figures() for work in works}
    for which in range(-1, asked.rounds):
        for work in works:
            took = uvloop.run(load(work, ids, asked.connections, asked.seconds))
            if which >= 0:
                figures[work.name].rates.append(len(took) / asked.seconds)
                figures[work.name].p99.append(1000 * took[int(len(took) * 0.99)])
    return figures


def tell(figures: dict[str, Figures]) -> None:
    """The figures, and the ratios of each round."""
    for name, found in figures.items():
        print(f"  {name:<34} {found}", flush=True)
    for target, ours, theirs, reach in (
        ("P1", "tier", "tier by hand, asyncpg", ">= 2.0, p99 no worse"),
        ("P2", "tier", "bare FastAPI", ">= 0.5"),
        ("P3", "profile", "profile by hand, ORM", ">= 3"),
        ("P3", "SLA of a tier", "SLA by hand, ORM", ">= 3"),
    ):
        ratios = [
            mine / other
            for mine, other in zip(figures[ours].rates, figures[theirs].rates, strict=True)
        ]
        late = median(figures[ours].p99) / median(figures[theirs].p99)
        print(
            f"  {target} {ours} / {theirs}: {median(ratios):.2f}x"
            f" ({min(ratios):.2f} to {max(ratios):.2f}), p99 {late:.2f}x; reach {reach}",
            flush=True,
        )


def main() -> None:
    """Serve ours and theirs, load both, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("customers", nargs="?", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=64)
    asked = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="tiering-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        jwks, token = key_set(folder)
        # Whatever is started from here on stays off the first core, if there is another.
        os.sched_setaffinity(0, set(cores[1:]) or set(cores))
        with embedded_server(folder) as url:
            ids = asyncio.run(score(url, Settings(data_dir=folder), asked.customers))
            environment = {
                "TIERING_DATABASE_URL": url,
                "DATA_DIR": str(folder),
                "TIERING_JWKS_FILE": str(jwks),
                "TIERING_ISSUER": ISSUER,
                "TIERING_RATE_LIMIT_PER_MINUTE": "0",
                URL: url,
            }
            our, their = free_port(), free_port()
            works = (
                Work("bare FastAPI", their, "/ok"),
                Work("tier by hand, asyncpg", their, "/tier/{id}"),
                Work("tier", our, "/v1/customers/{id}/tier", token),
                Work("profile by hand, ORM", their, "/profile/{id}"),
                Work("profile", our, "/v1/customers/{id}", token),
                Work("SLA by hand, ORM", their, "/sla/gold"),
                Work("SLA of a tier", our, "/v1/tiers/gold/sla", token),
            )
            rivals = ["uvicorn", "benchmarks.hot_rivals:app", "--no-access-log"]
            with (
                served(["app.cli", "serve"], our, environment),
                served(rivals, their, environment),
            ):
                print(f"P1-P3: {asked.customers:,} customers, {asked.connections} connections")
                tell(measure(works, ids, asked))


if __name__ == "__main__":
    main()
