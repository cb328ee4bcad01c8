"""A collector of telemetry on the loopback, which keeps what it is sent as it came."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from app.infra.telemetry import ENDPOINT
from tests.patience import PATIENCE_SECONDS

#: OpenTelemetry's own variables: much at a time would mean that a test waits for it.
_OFTEN: Final = {
    "OTEL_BSP_SCHEDULE_DELAY": "50",
    "OTEL_METRIC_EXPORT_INTERVAL": "50",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_SDK_DISABLED": "false",
}


@dataclass(slots=True)
class Collector:
    """What came, by the path it was sent to."""

    port: int = 0
    received: list[tuple[str, bytes]] = field(default_factory=list)
    _arrival: threading.Condition = field(default_factory=threading.Condition)

    def environment(self) -> dict[str, str]:
        """Variables by which a process sends here."""
        return {ENDPOINT: f"http://127.0.0.1:{self.port}", **_OFTEN}

    def take(self, path: str, told: bytes) -> None:
        """Keep what came."""
        with self._arrival:
            self.received.append((path, told))
            self._arrival.notify_all()

    def has_told(self, path: str, words: bytes) -> bool:
        """Wait until something with those words has come to that path."""
        with self._arrival:
            return self._arrival.wait_for(
                lambda: any(to == path and words in told for to, told in self.received),
                PATIENCE_SECONDS,
            )


@contextmanager
def a_collector() -> Iterator[Collector]:
    """A collector that listens."""
    collector = Collector()

    class Receiver(BaseHTTPRequestHandler):
        """Takes everything."""

        def do_POST(self) -> None:
            """One parcel of the exporter."""
            told = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(self.path, str(self.headers).encode() + told)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's.
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        collector.port = server.server_address[1]
        listening = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        listening.start()
        try:
            yield collector
        finally:
            server.shutdown()
            listening.join()
