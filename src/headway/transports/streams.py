"""The doors that only go one way, as raw ASGI: Server-Sent Events at `/events` and long-poll at `/poll`.

The same subscriptions, cursors and messages as on the WebSocket (`spec/wire.md` §10 and §11). A request holds nothing
that another server could not serve too, so neither door needs sticky sessions.
"""

from __future__ import annotations

import msgspec

from headway.errors import (
    BodyTimeout,
    Draining,
    HeadwayError,
    Overloaded,
    ReconnectError,
    TemporaryError,
)
from headway.model.grant import Grant
from headway.transports.addresses import address_of
from headway.transports.answer import Answer
from headway.transports.asgi import Receive, Scope, Send
from headway.transports.asgi_stream import AsgiStream
from headway.transports.credentials import Brought, bring
from headway.transports.http import http_of, socket_of
from headway.transports.service import FULL, Service
from headway.transports.socket_stream import SocketStream
from headway.transports.stream import RETRY_MS
from headway.transports.wants import Asked, read_request
from headway.transports.words import NATIVE, Words
from headway.wire.streams import retry

__all__ = ["ANSWER_HEADERS", "answer_error", "answer_stream", "events", "poll"]

ANSWER_HEADERS = "headway.answer_headers"
"""Where a scope has further headers of its answer, for the door that gives the answer's head itself."""

EVENTS_DOOR = "events"
POLL_DOOR = "poll"
_EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")
_JSON = (b"content-type", b"application/json")
_HEADERS = [
    (b"cache-control", b"no-store"),
    # nginx holds answers back unless it is told otherwise, and every proxy may transform them.
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


async def events(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one stream of events."""
    try:
        asked, grant = await _admit(service, scope, receive, EVENTS_DOOR)
        await answer_stream(service, NATIVE, asked, grant, scope, receive, send)
    except HeadwayError as error:
        await answer_error(send, error, service.retry_after())


async def answer_stream(
    service: Service, words: Words, asked: Asked, grant: Grant, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer a request with a stream, until it ends or goes on by itself.

    Raises:
        HeadwayError: nothing was sent; it is to be answered with this.
    """
    http = socket_of(scope)
    if http is not None:
        stream: SocketStream | AsgiStream = SocketStream(service, words, asked, grant, http)
    else:
        stream = AsgiStream(service, words, asked, grant)
    try:
        stream.write(retry(RETRY_MS))
        await stream.follow(grant, *asked.wants)
        if await _knows_the_end(service, asked):
            stream.finish()
            # A browser opens a stream that has ended anew for ever, unless it is told that there is no more.
            await send({"type": "http.response.start", "status": 204, "headers": _HEADERS})
            await send({"type": "http.response.body"})
        elif isinstance(stream, SocketStream):
            stream.take_socket([_EVENTS, *_HEADERS, *scope.get(ANSWER_HEADERS, ())])
            # It goes on by itself.
            return
        else:
            await send(_start(_EVENTS))
            stream.begin()
            await stream.pump(receive, send)
    except BaseException:
        stream.finish()
        raise
    stream.finish()


async def poll(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one poll: what is new at once, or what becomes new while it waits."""
    try:
        asked, grant = await _admit(service, scope, receive, POLL_DOOR)
        answer = Answer(service, asked, grant)
    except HeadwayError as error:
        await answer_error(send, error, service.retry_after())
        return
    try:
        await answer.follow(grant, *asked.wants)
        data = await answer.wait(receive, http_of(scope)) + answer.expiring()
    except HeadwayError as error:
        await answer_error(send, error, service.retry_after())
        return
    finally:
        answer.finish()
    body = b'{"messages":[%b]}' % data.rstrip(b",\n")
    extra = [(b"content-length", b"%d" % len(body))]
    if service.draining:
        # The next poll is for the server that comes after us.
        extra.append((b"retry-after", b"%d" % service.retry_after()))
    await send(_start(_JSON, *extra))
    await send({"type": "http.response.body", "body": body})


async def _admit(service: Service, scope: Scope, receive: Receive, door: str) -> tuple[Asked, Grant]:
    """Read what is asked for, and find out who asks.

    Raises:
        HeadwayError: who it is, or what is asked for, is refused.
    """
    audit = service.hub.audit
    address = address_of(scope)
    user: str | None = None
    try:
        if door == EVENTS_DOOR:
            service.rates.arrive(address, service.now())
        asked, brought = await _read(service, scope, receive)
        # Whoever polls goes on from a cursor; what it follows is told each time.
        begins = door == EVENTS_DOOR or all(wanted.cursor is None for wanted in asked.wants)
        if begins:
            audit.connected(door, address)
        grant = await service.know(brought)
        user = grant.user
        if door == EVENTS_DOOR:
            service.rates.enter(user, address, service.now())
        else:
            service.rates.ask(user, address, service.now())
        # Last, since what came before takes time in which others come.
        if service.crowded:
            raise Overloaded(FULL)
    except HeadwayError as error:
        audit.refused(error, user=user, door=door, address=address)
        raise
    if begins:
        audit.authenticated(user, door, address, grant.can)
    return asked, grant


async def _read(service: Service, scope: Scope, receive: Receive) -> tuple[Asked, Brought | None]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if service.draining:
        raise Draining
    asked = await read_request(scope, receive, headers.get("last-event-id", ""))
    query = scope.get("query_string", b"").decode("latin-1")
    brought = bring(
        lambda name: headers.get(name, ""), query, service.origins, query_tokens=service.query_tokens
    )
    return asked, brought


async def _knows_the_end(service: Service, asked: Asked) -> bool:
    """Whether a browser comes again for tasks whose last states it has got."""
    if not asked.again or not asked.until:
        return False
    for task, wanted in zip(asked.until, asked.wants, strict=True):
        if not await service.hub.knows_the_end(task, wanted.cursor):
            return False
    return True


async def answer_error(send: Send, error: HeadwayError, retry_after: int = 2) -> None:
    """Answer a request with an error (`spec/wire.md` §6)."""
    body = msgspec.json.encode(error.body())
    extra = [(b"content-length", b"%d" % len(body))]
    if isinstance(error, TemporaryError | ReconnectError):
        extra.append((b"retry-after", b"%d" % error.details.get("retry_after", retry_after)))
    if isinstance(error, BodyTimeout):
        # The rest of the body is not waited for either.
        extra.append((b"connection", b"close"))
    if error.status == 401:
        extra.append((b"www-authenticate", b"Bearer"))
    await send(_start(_JSON, *extra, status=error.status))
    await send({"type": "http.response.body", "body": body})


def _start(
    media_type: tuple[bytes, bytes], *extra: tuple[bytes, bytes], status: int = 200
) -> dict[str, object]:
    return {
        "type": "http.response.start",
        "status": status,
        "headers": [media_type, *_HEADERS, *extra],
    }
