"""Real servers for tests, in processes of their own: the fast path (`fast`), plain ASGI under plain uvicorn (`asgi`), and
those of `tests/hosts.py`, where somebody else's application has us inside."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]
import urllib3
import uvicorn

from headway.model.grant import Ability
from headway.server.app import Headway
from headway.server.logs import set_up_logs
from headway.server.run import bind, run
from headway.server.settings import load_settings
from headway.server.tokens import Tokens
from tests.forks import Forks, fork_when_asked
from tests.hosts import MOUNTED, Mounted, prepare, serve

__all__ = ["FORMS", "PATIENCE", "SECRET", "Form", "Server", "running_server", "serving"]

Form = Literal["fast", "asgi"] | Mounted
FORMS: tuple[Form, ...] = ("fast", "asgi")
SECRET = "a secret of the tests that is long enough"
PATIENCE = 30.0
"""Seconds after which what a test waits for counts as never coming."""

ROOT = Path(__file__).parent.parent
_FORKS = Forks("tests.servers", ROOT)
PRODUCER = (Ability.READ, Ability.CANCEL, Ability.PUBLISH)


class Server:
    """A server that runs, and what a test does with it from outside.

    Attributes:
        url, ws, origin, address: where it listens; in the first two with the path that it is mounted at.
        tokens: makes tokens that it takes.
        output: all that it has written so far, standard output and standard error.
    """

    def __init__(self, data: Path, form: Form, settings: dict[str, Any]) -> None:
        self.data = data
        self.form = form
        settings = {"secret": SECRET, "port": 0, "data": str(data), **settings}
        self.tokens = Tokens(str(settings["secret"]))
        self.output = ""
        self._news = threading.Condition()
        self._ended = False
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HEADWAY_")}
        self.process = _FORKS.start([form, json.dumps(settings)], environment)
        # A pipe that nobody reads would stop the server when it is full.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url: str = self.until(r"^LISTENING (.*)$")
        except AssertionError:
            self.kill()
            raise
        self.ws: str = f"ws{self.url.removeprefix('http')}/ws"
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.origin = f"http://{parts.netloc}"
        self.address = (parts.hostname, parts.port)
        self._http: urllib3.PoolManager = urllib3.PoolManager(maxsize=50)

    def token(self, user: str = "ada", *can: Ability, **claims: Any) -> str:
        """A token for a producer, or one that allows just these abilities; with `ttl`, for exactly so long."""
        if claims.get("ttl") is not None:
            # Else it would end by the second that has begun, and one for a second may have ended at once.
            claims["ttl"] += time.time() % 1
        return self.tokens.make(user, can=can or PRODUCER, **claims)

    def request(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """One HTTP request, `body` as JSON or `raw` as it is; never repeated."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        return self._http.request(
            method, self.url + path, body=raw, headers=sent, retries=False, redirect=False, timeout=PATIENCE
        )

    def ask(self, method: str, path: str, token: str, body: Any = None, status: int | None = None) -> Any:
        """The JSON of an answer that is good, or has this status."""
        response = self.request(method, path, token, body)
        assert response.status == status if status else response.status < 300, response.data
        return response.json() if response.data else None

    def report(self, token: str, *reports: dict[str, Any]) -> Any:
        """Send a batch, all of which must be taken."""
        answer = self.ask("POST", "/api/ingest", token, {"reports": reports})
        assert answer["rejected"] == []
        return answer

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def stop(self) -> int:
        """End it as an operator does; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.wait()

    def wait(self) -> int:
        """Until it has ended; the exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def close(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        self._http.clear()

    def until(self, pattern: str) -> str:
        """Wait until the output has this; its (first group of the) match."""
        found: list[re.Match[str]] = []

        def seen() -> bool:
            match = re.search(pattern, self.output, re.MULTILINE)
            found.extend([match] if match else [])
            return bool(found) or self._ended

        with self._news:
            self._news.wait_for(seen, PATIENCE)
        if not found:
            raise AssertionError(f"{pattern!r} never came:\n{self.output}")
        return found[0][found[0].re.groups and 1]

    def _read(self) -> None:
        with self.process.stdout as lines:
            for line in lines:
                with self._news:
                    self.output += line
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


@contextmanager
def serving(data: Path, form: Form = "fast", **settings: Any) -> Iterator[Server]:
    """A server for a `with` block; started anew on the same folder, it finds what the one before left."""
    server = Server(data, form, settings)
    try:
        yield server
    finally:
        server.close()


@asynccontextmanager
async def running_server(data: Path, form: Form = "fast", **settings: Any) -> AsyncIterator[Server]:
    """As `serving`, for tests whose own clients must go on while it starts and ends."""
    server = await asyncio.to_thread(Server, data, form, settings)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.close)


AT_FIRST = ("alembic.command", "litestar.plugins.pydantic", "litestar.plugins.attrs", "litestar._kwargs")
"""What a server imports when it starts, besides what it has imported."""


def _prepare(arguments: Sequence[str]) -> None:
    for module in AT_FIRST:
        importlib.import_module(module)
    if arguments[0] in MOUNTED:
        prepare(arguments[0])


def _main(form: Form, text: str) -> None:
    given = json.loads(text)
    if descriptors := given.pop("descriptors", None):
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    settings = load_settings(None, **given)
    set_up_logs(settings.log_level, settings.log_format)
    listener = bind(settings)

    def tell(_: object, url: str) -> None:
        print("LISTENING", url, flush=True)

    if form in MOUNTED:
        serve(form, settings, listener, tell)
        return
    headway = Headway(settings)
    if form == "fast":
        run(headway, listener, tell)
        return

    class PlainServer(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                host, port = listener.getsockname()[:2]
                tell(None, f"http://{host}:{port}{headway.base_path}")

    config = uvicorn.Config(
        headway.asgi, ws="websockets-sansio", lifespan="on", log_config=None, timeout_graceful_shutdown=5
    )
    PlainServer(config).run(sockets=[listener])


if __name__ == "__main__":
    _form, _settings = fork_when_asked(int(sys.argv[1]), _prepare)
    _main(cast("Form", _form), _settings)
