"""The opening handshake of WebSocket (RFC 6455 §4.2), the server's side.

It knows how an upgrade is asked for and answered, and nothing of which paths, origins or tokens are welcome.
Written by hand because a general HTTP parser costs more than all the rest of a connection's beginning.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus

import msgspec

__all__ = [
    "MAX_HEAD_BYTES",
    "HandshakeRefused",
    "UpgradeRequest",
    "accept_response",
    "check_upgrade",
    "is_whole_upgrade",
    "lower_names",
    "offered_subprotocols",
    "parse_upgrade",
    "refuse_response",
]

MAX_HEAD_BYTES = 16_384
"""Enough for a token of 8192 characters beside a page's other cookies."""
MAX_HEADERS = 100

Headers = Iterable[tuple[str, str]]

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rf"({_WORD}) ([\x21-\x7e]+) (HTTP/[0-9]\.[0-9])\Z")
_VALUE = r"[^\x00-\x08\x0a-\x1f\x7f]*"
_HEADER = re.compile(rf"({_WORD}):({_VALUE})\Z")
_SAFE_NAME = re.compile(rf"{_WORD}\Z")
_SAFE_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==\Z")
_ASKS_UPGRADE = re.compile(rb"\r\nconnection:[^\r\n]*\bupgrade\b", re.IGNORECASE)
_ASKS_WEBSOCKET = re.compile(rb"\r\nupgrade:[ \t]*websocket[ \t]*\r\n", re.IGNORECASE)
_ABSOLUTE = re.compile(r"https?://[^/?#]+", re.IGNORECASE)


class HandshakeRefused(Exception):
    """The request is no upgrade that can be accepted.

    Attributes:
        status: of the HTTP answer.
        reason: one sentence for its body.
        headers: that the answer must have.
    """

    def __init__(self, status: int, reason: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        super().__init__(reason)


class UpgradeRequest(msgspec.Struct, frozen=True):
    """The head of a request.

    Attributes:
        path: as sent, percent-encoded, without the query.
        query: what followed the first `?`, as sent.
        headers: values by lower-case name; those of a repeated header are joined by a comma, as RFC 9110 §5.3 says.
    """

    method: str
    path: str
    query: str
    version: str
    headers: Mapping[str, str]

    def header(self, name: str, default: str = "") -> str:
        """The value of a header, whatever the case of its name."""
        return self.headers.get(name.lower(), default)


def is_whole_upgrade(data: bytes) -> bool:
    """Whether the first bytes of a connection are the head of one request for a WebSocket, and nothing else.

    Of those that are not it says nothing: they may be half of one, or an upgrade that is written in a rarer way.
    """
    return (
        data.startswith(b"GET ")
        and data.find(b"\r\n\r\n") == len(data) - 4
        and _ASKS_WEBSOCKET.search(data) is not None
        and _ASKS_UPGRADE.search(data) is not None
    )


def lower_names(head: bytes) -> bytes:
    """The head of a request with the names of its headers in lower case, as ASGI promises them to applications."""
    first, *lines = head.split(b"\r\n")
    parted = (line.partition(b":") for line in lines)
    return b"\r\n".join((first, *(name.lower() + colon + value for name, colon, value in parted)))


def parse_upgrade(raw: bytes) -> UpgradeRequest:
    """Read the head of a request.

    Args:
        raw: everything up to and including the empty line.

    Raises:
        HandshakeRefused: it is not HTTP/1.x (400), or too large (431).
    """
    if len(raw) > MAX_HEAD_BYTES:
        raise HandshakeRefused(431, f"The head of a request has at most {MAX_HEAD_BYTES} bytes")
    if not raw.endswith(b"\r\n\r\n"):
        raise HandshakeRefused(400, "The request is cut short")
    first, *lines = raw[:-4].decode("latin-1").split("\r\n")
    if len(lines) > MAX_HEADERS:
        raise HandshakeRefused(431, f"A request has at most {MAX_HEADERS} headers")
    request = _REQUEST_LINE.match(first)
    if request is None:
        raise HandshakeRefused(400, "The request line is malformed")
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER.match(line)
        if header is None:
            raise HandshakeRefused(400, "A header is malformed")
        name, value = header[1].lower(), header[2].strip(" \t")
        # RFC 6265 §5.4 has one cookie header; HTTP/2 gateways that split it join with a semicolon.
        headers[name] = (
            f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}" if name in headers else value
        )
    method, target, version = request.groups()
    if target[0] != "/":
        # RFC 9112 §3.2.2: a server takes the absolute form too.
        target = _ABSOLUTE.sub("", target, count=1)
        if target[:1] == "?" or not target:
            target = "/" + target
        elif target[0] != "/":
            raise HandshakeRefused(400, "The request target is no path")
    path, _, query = target.partition("?")
    return UpgradeRequest(method, path, query, version, headers)


def check_upgrade(request: UpgradeRequest) -> None:
    """Whether the request is a WebSocket upgrade as RFC 6455 §4.2.1 asks.

    Raises:
        HandshakeRefused: it is not.
    """
    headers = request.headers
    if request.method != "GET":
        raise HandshakeRefused(405, "A WebSocket begins with GET", (("Allow", "GET"),))
    if request.version != "HTTP/1.1":
        raise HandshakeRefused(400, "A WebSocket begins with HTTP/1.1")
    if "host" not in headers or "," in headers["host"]:
        raise HandshakeRefused(400, "A request names one host")
    # A body would be read as frames, and is how requests are smuggled past a proxy.
    if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
        raise HandshakeRefused(400, "An upgrade has no body")
    if "websocket" not in _words(headers.get("upgrade", "")) or "upgrade" not in _words(
        headers.get("connection", "")
    ):
        raise HandshakeRefused(
            426,
            "This is a WebSocket; ask for an upgrade",
            (("Upgrade", "websocket"), ("Connection", "Upgrade")),
        )
    if headers.get("sec-websocket-version") != "13":
        raise HandshakeRefused(
            426, "Only version 13 of WebSocket is spoken", (("Sec-WebSocket-Version", "13"),)
        )
    if not _KEY.match(headers.get("sec-websocket-key", "")):
        raise HandshakeRefused(400, "Sec-WebSocket-Key must be 16 bytes in base64")


def offered_subprotocols(request: UpgradeRequest) -> tuple[str, ...]:
    """The subprotocols that the client speaks, in its order of preference."""
    offered = request.headers.get("sec-websocket-protocol")
    if not offered:
        return ()
    return tuple(name for part in offered.split(",") if (name := part.strip(" \t")))


def accept_response(request: UpgradeRequest, subprotocol: str | None = None, headers: Headers = ()) -> bytes:
    """The answer that opens the connection (RFC 6455 §4.2.2).

    Args:
        request: one that passed `check_upgrade`.
        subprotocol: one of those that were offered, or None.
        headers: further ones; they cannot break out of their line.

    Raises:
        ValueError: a header has characters that it cannot have, or the subprotocol was not offered.
    """
    if subprotocol is not None and subprotocol not in offered_subprotocols(request):
        raise ValueError("A client fails when it gets a subprotocol that it did not offer")
    key = request.headers["sec-websocket-key"].encode("ascii")
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode("ascii")
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}",
    ]
    if subprotocol is not None:
        lines.append(_line("Sec-WebSocket-Protocol", subprotocol))
    lines.extend(_line(name, value) for name, value in headers)
    return "\r\n".join((*lines, "\r\n")).encode("latin-1")


def refuse_response(status: int, text: str, headers: Headers = ()) -> bytes:
    """An HTTP answer instead of a WebSocket, after which the connection is to be closed.

    Args:
        status: 400 to 599.
        text: the body, for a person.
        headers: further ones, `HandshakeRefused.headers` for one.

    Raises:
        ValueError: a header has characters that it cannot have, or the status is none.
    """
    body = text.encode("utf-8", "replace")
    given = list(headers)
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
    ]
    if not any(name.lower() == "connection" for name, _ in given):
        lines.append("Connection: close")
    lines.extend(_line(name, value) for name, value in given)
    return "\r\n".join((*lines, "\r\n")).encode("latin-1") + body


def _words(value: str) -> list[str]:
    return [word.strip(" \t") for word in value.lower().split(",")]


def _line(name: str, value: str) -> str:
    if not _SAFE_NAME.match(name) or not _SAFE_VALUE.match(value):
        raise ValueError("A header has characters that it cannot have")
    return f"{name}: {value}"
