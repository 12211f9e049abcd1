"""Where batches go: a sink takes a `Batch` and gives the server's `BatchAnswer`.

A sink is any callable of that shape. It runs on the delivery thread, may block, and raises `HeadwayError` (or anything
else) when the batch was not taken: 2xx and 3xx errors and foreign ones mean "later", 4xx and `Forbidden` "not with
this token", the other 1xx "not this batch". It must not know reporters, threads or tasks.
"""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from headway.errors import (
    BadMessage,
    ConfigurationError,
    Forbidden,
    HeadwayError,
    InternalError,
    NotFound,
    Overloaded,
    TooLarge,
    Unauthenticated,
)
from headway.model.report import Batch, BatchAnswer

__all__ = ["HttpSink", "Sink"]

CONNECT_SECONDS = 2.0
READ_SECONDS = 10.0

_BY_STATUS: dict[int, type[HeadwayError]] = {
    400: BadMessage,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    413: TooLarge,
    422: BadMessage,
    429: Overloaded,
    503: Overloaded,
}


class Sink(Protocol):
    """Takes a batch; see the module's docstring for what its errors mean."""

    def __call__(self, batch: Batch, /) -> BatchAnswer: ...


class HttpSink:
    """Posts batches to `{url}/api/ingest` over one connection that is kept."""

    def __init__(self, url: str, token: str | None) -> None:
        """Connects when the first batch comes.

        Args:
            url: where the server is, http or https, with its path prefix if it has one.
            token: needs the capability `publish`.

        Raises:
            ConfigurationError: the URL is not http or https.
        """
        check_url(url)
        # Imported here so that jobs that never deliver do not pay for it.
        import urllib3

        self._target = url.rstrip("/") + "/api/ingest"
        self._headers = {"content-type": "application/json", "user-agent": "headway-worker"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=1, retries=False, timeout=timeout)
        self._decoder = msgspec.json.Decoder(BatchAnswer)

    def __call__(self, batch: Batch, /) -> BatchAnswer:
        """Send a batch.

        Raises:
            HeadwayError: the server refused it; the class follows the HTTP status.
            Exception: nobody answered, or not as Headway does.
        """
        response = self._pool.request(
            "POST",
            self._target,
            body=msgspec.json.encode(batch),
            headers=self._headers,
            # A token goes where it was meant to go and nowhere else.
            redirect=False,
        )
        if response.status == 200:
            return self._decoder.decode(response.data)
        raise _BY_STATUS.get(response.status, InternalError)(_reason(response.status, response.data))

    def close(self) -> None:
        """Let the connection go."""
        self._pool.clear()


def check_url(url: str) -> str:
    """Return `url`.

    Raises:
        ConfigurationError: it is not http or https with a host.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, AttributeError, TypeError):
        good = False
    if not good:
        raise ConfigurationError(f"A server's URL looks like http://127.0.0.1:8400, not like {url!r}")
    return url


def _reason(status: int, data: bytes) -> str:
    try:
        body: Any = msgspec.json.decode(data)
    except msgspec.DecodeError:
        body = None
    message = body.get("message") if isinstance(body, dict) else None
    return f"{status}: {message}" if isinstance(message, str) else f"HTTP status {status}"
