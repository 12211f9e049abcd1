"""What every HTTP request of ours passes on its way in: how often an address may ask, how long a body may take, and
which other origins may read the answer.

It knows nothing of routes and of who asks.
"""

from __future__ import annotations

import asyncio
from typing import Any

from headway.errors import BodyTimeout, OriginRefused, RateLimited
from headway.transports.addresses import address_of
from headway.transports.asgi import Receive, Scope, Send
from headway.transports.credentials import origin_allowed, same_origin
from headway.transports.service import Service
from headway.transports.streams import ANSWER_HEADERS, answer_error

__all__ = ["Threshold"]

Headers = list[tuple[bytes, bytes]]

_READABLE = ("/api/", "/events", "/poll", "/healthz", "/readyz")
"""What other origins may be allowed to read. Pages and their parts have rules of their own."""
_SOCKETIO = "/socket.io"
"""The same, but it says itself what its clients may send."""
_ALLOWED = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type, idempotency-key, last-event-id"),
    (b"access-control-max-age", b"600"),
)


class Threshold:
    """Stands before the doors of HTTP."""

    def __init__(self, service: Service, body_timeout: float) -> None:
        """Let requests in.

        Args:
            body_timeout: seconds in which the body of a request must have come.
        """
        self._service = service
        self._body_timeout = body_timeout

    async def __call__(self, path: str, scope: Scope, receive: Receive, send: Send, inner: Any) -> None:
        """Let one request in, or answer it here.

        Args:
            path: the part that is ours.
            inner: the application behind.
        """
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        reads = path.startswith(_READABLE)
        extra = self._sharing(origin, headers) if reads or path.startswith(_SOCKETIO) else []
        if extra:
            scope[ANSWER_HEADERS] = extra
            send = _adding(extra, send)
        service = self._service
        address = address_of(scope)
        try:
            service.rates.knock(address, service.now())
        except RateLimited as error:
            service.hub.audit.refused(error, door="rest", address=address)
            await answer_error(send, error)
            return
        if reads and scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await _answer_preflight(send, allowed=bool(extra) or self._own(origin, headers))
            return
        if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
            receive = self._timed(receive)
        try:
            await inner(scope, receive, send)
        except BodyTimeout as error:
            # Of doors that answer nothing before they have read everything.
            await answer_error(send, error)

    def _own(self, origin: str, headers: dict[bytes, bytes]) -> bool:
        return same_origin(origin, headers.get(b"host", b"").decode("latin-1"))

    def _sharing(self, origin: str, headers: dict[bytes, bytes]) -> Headers:
        """The headers that let a page of another origin read the answer; none for those that may not."""
        host = headers.get(b"host", b"").decode("latin-1")
        allowed = bool(origin) and origin_allowed(origin, host, self._service.origins)
        if not allowed or same_origin(origin, host):
            return []
        return [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", b"retry-after"),
            (b"vary", b"origin"),
        ]

    def _timed(self, receive: Receive) -> Receive:
        """The same body, within the time that it may take."""
        deadline = asyncio.get_running_loop().time() + self._body_timeout
        coming = True

        async def timed() -> Any:
            nonlocal coming
            if not coming:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise BodyTimeout from None
            coming = bool(message.get("more_body"))
            return message

        return timed


async def _answer_preflight(send: Send, *, allowed: bool) -> None:
    if not allowed:
        await answer_error(send, OriginRefused("Pages of this origin are not among allowed_origins"))
        return
    await send({"type": "http.response.start", "status": 204, "headers": list(_ALLOWED)})
    await send({"type": "http.response.body", "body": b""})


def _adding(extra: Headers, send: Send) -> Send:
    async def adding(message: Any) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            message = {**message, "headers": given + [pair for pair in extra if pair[0] not in names]}
        await send(message)

    return adding
