"""The requests that reach an Engine.IO v4 server: what their query asks for, and how they are refused.

It knows no session: whether a session id is known, and what it allows, is its owner's to say.
"""

from __future__ import annotations

from collections.abc import Container
from urllib.parse import parse_qsl

import msgspec

__all__ = [
    "BAD_METHOD",
    "BAD_REQUEST",
    "FORBIDDEN",
    "POLLING",
    "TOO_LARGE",
    "TRANSPORTS",
    "UNKNOWN_SID",
    "UNKNOWN_TRANSPORT",
    "UNSUPPORTED_VERSION",
    "WEBSOCKET",
    "EngineRequest",
    "Refusal",
    "forbidden",
    "read_request",
]

POLLING, WEBSOCKET = "polling", "websocket"
TRANSPORTS = frozenset({POLLING, WEBSOCKET})
MAX_FIELDS = 64


class Refusal(msgspec.Struct, frozen=True):
    """How a request is refused. The codes are those of the reference server, which its clients show to people.

    Attributes:
        code: 0 to 5.
        message: for the body.
        status: of the HTTP answer.
    """

    code: int
    message: str
    status: int = 400

    @property
    def body(self) -> bytes:
        """JSON, to be sent as `application/json`."""
        return msgspec.json.encode({"code": self.code, "message": self.message})


UNKNOWN_TRANSPORT = Refusal(0, "Transport unknown")
UNKNOWN_SID = Refusal(1, "Session ID unknown")
BAD_METHOD = Refusal(2, "Bad handshake method")
BAD_REQUEST = Refusal(3, "Bad request")
FORBIDDEN = Refusal(4, "Forbidden", 403)
UNSUPPORTED_VERSION = Refusal(5, "Unsupported protocol version")
TOO_LARGE = Refusal(3, "Payload too large", 413)


def forbidden(message: str) -> Refusal:
    """A refusal of the server's own, with its reason."""
    return Refusal(FORBIDDEN.code, message, FORBIDDEN.status)


class EngineRequest(msgspec.Struct, frozen=True):
    """What a request asks for.

    Attributes:
        method: `GET` or `POST`; `GET` for a WebSocket.
        transport: `polling` or `websocket`.
        sid: the session, None to open one.
        base64: the client cannot take binary frames (`b64` in the query).
    """

    method: str
    transport: str
    sid: str | None = None
    base64: bool = False

    def __repr__(self) -> str:
        # Whoever knows a session's id can speak for it.
        return f"EngineRequest({self.method} {self.transport}, sid={'…' if self.sid else None})"


def read_request(
    method: str, query: str, *, upgrade: bool, transports: Container[str] = TRANSPORTS
) -> EngineRequest | Refusal:
    """What a request to the server's path asks for (Engine.IO protocol v4 §Transports).

    Args:
        method: of the request.
        query: what followed the `?`, as sent.
        upgrade: whether it asks for a WebSocket.
        transports: those that are offered.

    Returns:
        the request; or how to refuse it, checked in the order of the reference server.
    """
    try:
        fields = _fields(query)
    except ValueError:
        return BAD_REQUEST
    transport, sid = fields.get("transport", ""), fields.get("sid") or None
    if transport not in TRANSPORTS or transport not in transports:
        return UNKNOWN_TRANSPORT
    version_is_ours = fields.get("EIO") == "4"
    if sid is None and method != "GET":
        return BAD_METHOD
    if upgrade is not (transport == WEBSOCKET):
        return BAD_REQUEST
    if not version_is_ours:
        return UNSUPPORTED_VERSION if sid is None else BAD_REQUEST
    if method not in ("GET", "POST"):
        return BAD_REQUEST
    return EngineRequest(method, transport, sid, fields.get("b64", "") not in ("", "0", "false"))


def _fields(query: str) -> dict[str, str]:
    """The fields of a query that have a value; of a repeated one the last, so that nothing is decided by another.

    Raises:
        ValueError: there are too many.
    """
    if "%" in query or "+" in query:
        return dict(parse_qsl(query, max_num_fields=MAX_FIELDS))
    # Every connection begins with one of these, and with nothing to unquote it is read in a fraction of the time.
    pairs = query.split("&")
    if len(pairs) > MAX_FIELDS:
        raise ValueError("Too many fields")
    return {name: value for name, _, value in [pair.partition("=") for pair in pairs] if value}
