"""The requests of Engine.IO as raw ASGI: a GET that waits for what comes, a POST that brings, and what browsers ask before.

A GET that waits costs no timer: its session, which pings on the wheel of the hub, answers it in time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from headway.errors import HeadwayError
from headway.transports.addresses import address_of
from headway.transports.asgi import Receive, Scope, Send
from headway.transports.credentials import origin_allowed
from headway.transports.socketio.connection import Connection
from headway.wire.engineio_requests import UNKNOWN_SID, EngineRequest, Refusal, forbidden, read_request

if TYPE_CHECKING:
    from headway.transports.socketio.endpoint import EngineEndpoint, Header

__all__ = ["poll"]

_Headers = Sequence[tuple[bytes, bytes]]

_TEXT = (b"content-type", b"text/plain; charset=UTF-8")
_HTML = (b"content-type", b"text/html")
_JSON = (b"content-type", b"application/json")
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)
_FOREIGN = forbidden("Pages of this origin are not among allowed_origins")
_PREFLIGHT_SECONDS = b"600"
_NAMES = re.compile(r"[A-Za-z0-9-]{1,64}(?: ?, ?[A-Za-z0-9-]{1,64}){0,31}\Z")


class _Poll:
    """A GET that waits."""

    __slots__ = ("body",)

    def __init__(self) -> None:
        self.body: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def answer(self, body: bytes) -> None:
        """Its answer is known."""
        if not self.body.done():
            self.body.set_result(body)


async def poll(endpoint: EngineEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one request."""
    headers: dict[str, str] = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
    }

    def header(name: str) -> str:
        return headers.get(name, "")

    allowed = _allowed(endpoint, header)
    if scope["method"] == "OPTIONS":
        if allowed or not header("origin"):
            await _answer(send, 204, [*allowed, *_preflight(header)] if allowed else [], b"")
        else:
            await _refuse(send, _FOREIGN, [])
        return
    query = scope.get("query_string", b"").decode("latin-1")
    asked = read_request(scope["method"], query, upgrade=False)
    if isinstance(asked, Refusal):
        await _refuse(send, asked, allowed)
    elif asked.sid is None:
        await _begin(endpoint, asked, (header, query, address_of(scope)), allowed, receive, send)
    elif (connection := endpoint.connections.get(asked.sid)) is None:
        await _refuse(send, UNKNOWN_SID, allowed)
    elif asked.method == "POST":
        await _post(connection, header("content-length"), allowed, receive, send)
    else:
        waiting = _Poll()
        refusal = connection.poll_opened(waiting)
        if refusal is not None:
            await _refuse(send, refusal, allowed)
        else:
            await _wait(connection, waiting, allowed, receive, send)


async def _begin(
    endpoint: EngineEndpoint,
    asked: EngineRequest,
    request: tuple[Header, str, str],
    allowed: _Headers,
    receive: Receive,
    send: Send,
) -> None:
    try:
        endpoint.arrive(request[2])
    except HeadwayError as error:
        retry = (b"retry-after", b"%d" % endpoint.retry_after(error))
        await _answer(send, error.status, [_JSON, retry, *allowed], msgspec.json.encode(error.body()))
        return
    connection = endpoint.begin(asked, *request, websocket=False)
    waiting = _Poll()
    connection.open(waiting)
    await _wait(connection, waiting, allowed, receive, send)


async def _wait(
    connection: Connection, waiting: _Poll, allowed: _Headers, receive: Receive, send: Send
) -> None:
    body = waiting.body
    if not body.done():
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((gone, body), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not body.done():
                connection.poll_aborted(waiting)
        if not body.done():
            return
    await _answer(send, 200, [_TEXT, *allowed], body.result())


async def _gone(receive: Receive) -> None:
    """Until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _post(connection: Connection, length: str, allowed: _Headers, receive: Receive, send: Send) -> None:
    refusal = connection.post_opened(int(length) if length.isascii() and length.isdigit() else None)
    if refusal is None:
        try:
            body = await _body(receive, connection.endpoint.limits.max_payload)
        except BaseException:
            connection.post_aborted()
            raise
        if body is None:
            connection.post_aborted()
            return
        refusal = connection.post(body)
    if refusal is not None:
        await _refuse(send, refusal, allowed)
    else:
        await _answer(send, 200, [_HTML, *allowed], b"ok")


async def _body(receive: Receive, most: int) -> bytes | None:
    """The body, or as much of it as shows that it is too large; None when the client has gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > most or not message.get("more_body"):
            return bytes(body)


def _allowed(endpoint: EngineEndpoint, header: Header) -> list[tuple[bytes, bytes]]:
    """What lets a page of an origin that may act with the cookie read the answer (Fetch §3.2)."""
    origin = header("origin")
    if not origin or not origin_allowed(origin, header("host"), endpoint.service.origins):
        return []
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"origin"),
    ]


def _preflight(header: Header) -> list[tuple[bytes, bytes]]:
    wanted = header("access-control-request-headers")
    names = wanted.encode("latin-1") if _NAMES.match(wanted) else b"content-type"
    return [
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", names),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
    ]


async def _refuse(send: Send, refusal: Refusal, allowed: _Headers) -> None:
    await _answer(send, refusal.status, [_JSON, *allowed], refusal.body)


async def _answer(send: Send, status: int, headers: _Headers, body: bytes) -> None:
    given = [*headers, *_HEADERS]
    if status != 204:
        given.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": given})
    await send({"type": "http.response.body", "body": body})
