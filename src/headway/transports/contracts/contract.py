"""What a contract has at its addresses, and how a request finds it there."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from headway.dialects.translation import iso
from headway.errors import (
    Draining,
    HeadwayError,
    OriginRefused,
    Overloaded,
    ReconnectError,
    TemporaryError,
    Unauthenticated,
)
from headway.model.grant import Grant
from headway.transports.addresses import address_of
from headway.transports.asgi import Receive, Scope, Send
from headway.transports.contracts.codec import encode
from headway.transports.credentials import LOOPBACK_ORIGINS, bring, origin_allowed
from headway.transports.service import FULL, Service

__all__ = ["Contract", "Request", "Route", "answer", "route"]

_MAX_QUERY = 16_384
_NO_SITE = "null"
"""The origin of a file, and of a page without an address."""


class Request:
    """One request, or one upgrade, of a contract's client."""

    __slots__ = ("_headers", "params", "query", "receive", "scope", "send")

    def __init__(self, scope: Scope, receive: Receive, send: Send, params: Mapping[str, str]) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.params = params
        raw: str = scope.get("query_string", b"")[:_MAX_QUERY].decode("latin-1")
        try:
            self.query = dict(parse_qsl(raw, max_num_fields=100))
        except ValueError:
            self.query = {}
        self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}

    @property
    def address(self) -> str:
        """Where it comes from; empty where that cannot be known."""
        return address_of(self.scope)

    def header(self, name: str) -> str:
        """A header's value by its lower-case name, or an empty text."""
        value: str = self._headers.get(name, "")
        return value

    async def grant(self, service: Service) -> Grant:
        """Who asks: by a ticket, a header, `?token=`, which these clients always may use, or the cookie.

        Raises:
            RefusedError: nobody who is known.
        """
        query = self.scope.get("query_string", b"").decode("latin-1")
        brought = bring(self.header, query, service.origins, query_tokens=True)
        if brought is None:
            raise Unauthenticated("A token is needed: ?token=<token>, or Authorization: Bearer <token>")
        return await service.know(brought)

    def check_origin(self, service: Service) -> None:
        """Refuse pages of other sites, which may hold somebody's token in their address.

        Raises:
            OriginRefused: it comes from one.
        """
        origin = self.header("origin")
        if origin == _NO_SITE and LOOPBACK_ORIGINS in service.origins:
            return
        if not origin_allowed(origin, self.header("host"), service.origins):
            raise OriginRefused("Pages of this origin are not allowed here; add it to allowed_origins")


class Route:
    """One address of a contract: `{name}` in its path stands for anything but a slash."""

    def __init__(
        self, kind: str, path: str, handler: Callable[[Request], Any], methods: frozenset[str]
    ) -> None:
        self.kind = kind
        self.path = path
        self.methods = methods
        self.handler = handler
        self._pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]{1,200})", re.escape(path)) + r"\Z")

    def match(self, path: str) -> dict[str, str] | None:
        """What stands for the names in the path; None when it is another."""
        found = self._pattern.match(path)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


def route(kind: str, path: str, handler: Callable[[Request], Any], *methods: str) -> Route:
    """A route for `http` (with its methods) or `websocket`."""
    return Route(kind, path, handler, frozenset(methods or ("GET",)))


class Contract(ABC):
    """One dialect at its addresses.

    Attributes:
        name: of the dialect.
        prefix: before all its paths; empty at the root.
        routes: its addresses below that.
    """

    name: str

    def __init__(self, service: Service, prefix: str = "") -> None:
        self.service = service
        self.prefix = prefix
        self.routes = self.addresses()

    @abstractmethod
    def addresses(self) -> list[Route]:
        """The contract's addresses."""

    @abstractmethod
    def refused(self, error: HeadwayError) -> Mapping[str, Any]:
        """The body of an HTTP answer that is an error."""

    def arrive(self, request: Request) -> None:
        """Somebody comes to stay: over a WebSocket, or for a stream.

        Raises:
            ConnectingTooOften, Draining, Overloaded: not now.
        """
        service, audit = self.service, self.service.hub.audit
        try:
            service.rates.arrive(request.address, service.now())
            if service.draining:
                raise Draining
            if service.crowded:
                raise Overloaded(FULL)
        except HeadwayError as error:
            audit.refused(error, door=self.name, address=request.address)
            raise
        audit.connected(self.name, request.address)

    async def known(self, request: Request, *, stays: bool = False) -> Grant:
        """Who asks, who may do so at a rate.

        Args:
            stays: for a stream, after `arrive`; no page of another site may have one.

        Raises:
            RefusedError: nobody who is known.
            RateLimited, ConnectingTooOften: too often.
        """
        rates, audit = self.service.rates, self.service.hub.audit
        user: str | None = None
        try:
            if stays:
                request.check_origin(self.service)
            grant = await request.grant(self.service)
            user = grant.user
            (rates.enter if stays else rates.ask)(user, request.address, self.service.now())
        except HeadwayError as error:
            audit.refused(error, user=user, door=self.name, address=request.address)
            raise
        if stays:
            audit.authenticated(user, self.name, request.address, grant.can)
        return grant

    def retry_after(self, error: HeadwayError) -> int:
        """Seconds until who was refused may come again; 0 where that would not help."""
        if not isinstance(error, TemporaryError | ReconnectError):
            return 0
        return int(error.details.get("retry_after", 0)) or self.service.retry_after()

    @property
    def stamp(self) -> str:
        """Now, as the contracts write it."""
        return iso(self.service.hub.clock())

    def find(self, kind: str, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The address that a request is for, and what stands in its path.

        Args:
            path: below the application's root.
        """
        if not path.startswith(self.prefix):
            return None
        below = path[len(self.prefix) :]
        for one in self.routes:
            if one.kind == kind and (kind == "websocket" or method in one.methods):
                params = one.match(below)
                if params is not None:
                    return one, params
        return None

    async def serve(
        self, one: Route, params: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer a request that `find` found."""
        request = Request(scope, receive, send, params)
        if one.kind == "websocket":
            await one.handler(request)
            return
        try:
            body = await one.handler(request)
        except HeadwayError as error:
            await answer(send, self.refused(error), error.status, self.retry_after(error))
        else:
            # A stream has answered by itself.
            if body is not None:
                await answer(send, body)


async def answer(send: Send, body: Mapping[str, Any], status: int = 200, retry_after: int = 0) -> None:
    """Answer with JSON."""
    data = encode(body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(data)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if retry_after:
        headers.append((b"retry-after", b"%d" % retry_after))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
