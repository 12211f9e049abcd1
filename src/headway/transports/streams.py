"""The doors that only go one way, as raw ASGI: Server-Sent Events at `/events` and long-poll at `/poll`.

The same subscriptions, cursors and messages as on the WebSocket (`spec/wire.md` §10 and §11). A request holds nothing
that another server could not serve too, so neither door needs sticky sessions.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from headway.errors import (
    Draining,
    HeadwayError,
    InternalError,
    Overloaded,
    SlowReader,
    TokenExpired,
    Unauthenticated,
)
from headway.hub.followers import Follower
from headway.model.grant import Grant
from headway.ports.link import Codec, Link
from headway.transports.asgi import Receive, Scope, Send
from headway.transports.conversation import wanted_by
from headway.transports.credentials import brought_token
from headway.transports.service import Service
from headway.transports.wants import Asked, read_request
from headway.wire import native as n
from headway.wire.streams import EVENTS, HEARTBEAT, POLL, event

__all__ = ["Stream", "events", "poll"]

_log = logging.getLogger("headway.connection")

_HIGH_WATER = 65_536
_RETRY_MS = 2000
_HEADERS = [
    (b"cache-control", b"no-store"),
    # nginx holds answers back unless it is told otherwise, and every proxy may transform them.
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


class Stream(Link):
    """One client's answer in the making: what is delivered waits for the server's `send`, up to the high-water mark."""

    __slots__ = ("_error", "_pending", "_size", "_wake", "codec", "follower")

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self._pending: list[bytes] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._error: HeadwayError | None = None
        self.follower: Follower | None = None

    @property
    def full(self) -> bool:
        return self._size > _HIGH_WATER

    @property
    def error(self) -> HeadwayError | None:
        """Why the stream is to end; None while it is not."""
        return self._error

    def deliver(self, data: bytes) -> bool:
        if self.full or self._error is not None:
            return False
        self._pending.append(data)
        self._size += len(data)
        self._wake.set()
        return True

    def end(self, error: HeadwayError) -> None:
        if self._error is None:
            self._error = error
            self._wake.set()

    async def next(self, seconds: float) -> bytes:
        """What was delivered since, together; empty when nothing was within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return b""
        self._wake.clear()
        data = b"".join(self._pending)
        self._pending.clear()
        self._size = 0
        if self.follower is not None:
            self.follower.drained()
        return data


async def events(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one stream of events."""
    stream = Stream(EVENTS)
    try:
        asked, grant = await _admit(service, scope, receive)
        await _follow(service, stream, asked, grant)
    except HeadwayError as error:
        await _refuse(send, error)
        return
    await send(_start(b"text/event-stream; charset=utf-8"))
    await send({"type": "http.response.body", "body": b"retry: %d\n\n" % _RETRY_MS, "more_body": True})
    gone = asyncio.create_task(_gone(receive, stream))
    service.streams.add(stream)
    try:
        await _pump(service, stream, asked, grant, send)
    except Exception:  # noqa: BLE001 - whatever it is, it ends this stream only
        _log.exception("a stream failed")
    finally:
        service.streams.discard(stream)
        gone.cancel()
        _leave(stream)


async def poll(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one poll: what is new at once, or what becomes new while it waits."""
    stream = Stream(POLL)
    try:
        asked, grant = await _admit(service, scope, receive)
        await _follow(service, stream, asked, grant)
    except HeadwayError as error:
        await _refuse(send, error)
        return
    gone = asyncio.create_task(_gone(receive, stream))
    service.streams.add(stream)
    try:
        wait = min(asked.wait, _left(service, grant))
        data = await stream.next(0 if service.draining else wait)
    finally:
        service.streams.discard(stream)
        gone.cancel()
        _leave(stream)
    body = b'{"messages":[%b]}' % data.rstrip(b",\n")
    await send(_start(b"application/json", (b"content-length", str(len(body)).encode())))
    await send({"type": "http.response.body", "body": body})


async def _admit(service: Service, scope: Scope, receive: Receive) -> tuple[Asked, Grant]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if service.draining:
        raise Draining
    if service.crowded:
        raise Overloaded
    asked = await read_request(scope, receive, headers.get("last-event-id", ""))
    token = brought_token(lambda name: headers.get(name, ""), service.origins) or asked.token
    if token is None:
        raise Unauthenticated("A token is needed: send Authorization: Bearer <token>")
    return asked, service.verify(token)


async def _follow(service: Service, stream: Stream, asked: Asked, grant: Grant) -> None:
    """Begin to follow everything that is asked for; refused as a whole when any of it is refused.

    Raises:
        HeadwayError: what was refused.
    """
    stream.follower = service.hub.follower(stream, grant)
    refused: list[HeadwayError] = []
    for subscription in asked.subscriptions:
        stream.follower.subscribe(wanted_by(subscription), refused.append)
    try:
        await stream.follower.opened()
    except BaseException:
        _leave(stream)
        raise
    if refused:
        _leave(stream)
        raise refused[0]


async def _pump(service: Service, stream: Stream, asked: Asked, grant: Grant, send: Send) -> None:
    while True:
        left = _left(service, grant)
        if left <= 0:
            stream.end(TokenExpired())
        data = await stream.next(min(service.limits.heartbeat, max(left, 0)))
        if stream.error is not None:
            data += event(n.error(stream.error))
        done = stream.error is not None or (asked.until_done and _finished(service, stream, asked))
        try:
            async with asyncio.timeout(service.write_deadline):
                await send({"type": "http.response.body", "body": data or HEARTBEAT, "more_body": not done})
        except TimeoutError:
            stream.end(SlowReader())
            return
        if done:
            return


def _finished(service: Service, stream: Stream, asked: Asked) -> bool:
    """Whether every task that is followed has finished, and its last state is among what goes out now."""
    return (
        stream.follower is not None
        and stream.follower.caught_up
        and all(
            wanted.task is not None and service.hub.finished(wanted.task) for wanted in asked.subscriptions
        )
    )


def _left(service: Service, grant: Grant) -> float:
    return float("inf") if grant.expires_at is None else grant.expires_at - service.hub.clock() / 1000


def _leave(stream: Stream) -> None:
    if stream.follower is not None:
        stream.follower.leave()


async def _gone(receive: Receive, stream: Stream) -> None:
    """Notice that the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end(InternalError("The client has gone"))


async def _refuse(send: Send, error: HeadwayError) -> None:
    body = msgspec.json.encode(error.body())
    extra = [(b"content-length", str(len(body)).encode())]
    if error.retryable:
        extra.append((b"retry-after", b"2"))
    if error.status == 401:
        extra.append((b"www-authenticate", b"Bearer"))
    await send(_start(b"application/json", *extra, status=error.status))
    await send({"type": "http.response.body", "body": body})


def _start(media_type: bytes, *extra: tuple[bytes, bytes], status: int = 200) -> dict[str, object]:
    return {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-type", media_type), *_HEADERS, *extra],
    }
