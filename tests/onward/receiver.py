"""Somebody's web server that takes webhooks: it answers as a test says, and keeps what it was sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

__all__ = ["PATIENCE", "Received", "Receiver", "receiving"]

PATIENCE = 30.0


class Received(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def signed_with(self, secret: str) -> bool:
        """As the specification tells receivers to verify it; written by its text, not by our code."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = f"{self.id}.{self.headers['webhook-timestamp']}.{self.body.decode()}"
        expected = base64.b64encode(hmac.new(key, content.encode(), hashlib.sha256).digest()).decode()
        given = [part.split(",") for part in self.headers["webhook-signature"].split(" ")]
        return any(
            version == "v1" and hmac.compare_digest(signature, expected) for version, signature in given
        )


class Receiver:
    """The server.

    Attributes:
        answers: what the next requests are answered with, (status, headers); 204 when there are none left.
        got: the requests so far.
        gate: requests are answered while it is set.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        receiver = self
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.got: list[Received] = []
        self.busy = 0
        self.busiest = 0
        self.gate = threading.Event()
        self.gate.set()
        self._news = threading.Condition()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                received = Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                with receiver._news:
                    receiver.busy += 1
                    receiver.busiest = max(receiver.busiest, receiver.busy)
                    receiver.got.append(received)
                    status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
                    receiver._news.notify_all()
                receiver.gate.wait(PATIENCE)
                with receiver._news:
                    receiver.busy -= 1
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    self.close_connection = True

            def log_message(self, *_arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server((host, port), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def until(self, count: int) -> list[Received]:
        """Wait for so many requests in all."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.got) >= count, PATIENCE):
                raise AssertionError(f"{len(self.got)} of {count} requests came: {self.got}")
            return list(self.got)

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiving(host: str = "127.0.0.1", port: int = 0) -> Iterator[Receiver]:
    """A receiver for a `with` block."""
    receiver = Receiver(host, port)
    try:
        yield receiver
    finally:
        receiver.close()
