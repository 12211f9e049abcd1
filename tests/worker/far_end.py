"""A small real HTTP server that stands for Headway: it keeps what it was sent and answers as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import msgspec

from headway.model.report import Batch, BatchAnswer, Notify, Rejected, Report

R = TypeVar("R")


class FarEnd:
    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.tokens: list[str | None] = []
        self.states: dict[str, tuple[str, int]] = {}
        self.refuse: dict[str, int] = {}
        self.status = 200
        self.requests = 0
        self.takes = 0.0
        self.changed = threading.Condition()
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self._connections: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def reports(self) -> list[Report]:
        return [report for batch in self.batches for report in batch.reports]

    def of(self, kind: type[R]) -> list[R]:
        return [report for report in self.reports if isinstance(report, kind)]

    def start(self) -> FarEnd:
        end = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                end._connections.append(self.connection)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                time.sleep(end.takes)
                status, answer = end.answer(self.path, self.headers.get("authorization"), body)
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Close the port and cut every connection, as a killed server does."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            for connection in self._connections:
                try:
                    connection.shutdown(2)
                except OSError:
                    continue
            self._connections.clear()

    def answer(self, path: str, token: str | None, body: bytes) -> tuple[int, bytes]:
        with self.changed:
            self.requests += 1
            self.tokens.append(token)
            try:
                if path != "/api/ingest":
                    return 404, b"{}"
                if self.status != 200:
                    return self.status, b'{"code": 0, "message": "as told"}'
                batch = msgspec.json.decode(body, type=Batch)
                self.batches.append(batch)
                rejected = [
                    Rejected(index=index, code=self.refuse[type(report).__name__], message="no")
                    for index, report in enumerate(batch.reports)
                    if type(report).__name__ in self.refuse
                ]
                named = {report.task for report in batch.reports if not isinstance(report, Notify)}
                tasks = {task: self.states.get(task, ("running", 1)) for task in named}
                return 200, msgspec.json.encode(
                    BatchAnswer(len(batch.reports) - len(rejected), rejected, tasks)
                )
            finally:
                self.changed.notify_all()

    def until(self, condition: Callable[[], object], timeout: float = 20.0) -> None:
        """Wait for something to be true after a request."""
        with self.changed:
            assert self.changed.wait_for(condition, timeout), self.reports
