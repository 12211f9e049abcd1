"""The opening handshake: what is asked, what is refused, and what cannot be smuggled in or out."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from headway.wire.handshake import (
    MAX_HEAD_BYTES,
    HandshakeRefused,
    UpgradeRequest,
    accept_response,
    check_upgrade,
    is_whole_upgrade,
    lower_names,
    offered_subprotocols,
    parse_upgrade,
    refuse_response,
)

HEADERS = {
    "Host": "server.example.com",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def head(first: str = "GET /ws HTTP/1.1", **changed: str | None) -> bytes:
    """A request; `sec_websocket_key=None` leaves that header out."""
    headers: dict[str, str | None] = {
        **HEADERS,
        **{
            next(
                (known for known in HEADERS if known.lower() == name.replace("_", "-")),
                name.replace("_", "-"),
            ): value
            for name, value in changed.items()
        },
    }
    lines = [first, *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return "\r\n".join((*lines, "\r\n")).encode("latin-1")


def refused(raw: bytes) -> HandshakeRefused:
    with pytest.raises(HandshakeRefused) as caught:
        check_upgrade(parse_upgrade(raw))
    return caught.value


def test_the_example_of_the_rfc() -> None:
    request = parse_upgrade(head("GET /chat?a=1&b=%20?c HTTP/1.1", sec_websocket_protocol="chat, superchat"))
    check_upgrade(request)
    assert (request.method, request.path, request.query) == ("GET", "/chat", "a=1&b=%20?c")
    assert request.header("HOST") == "server.example.com"
    assert request.header("Origin") == ""
    assert offered_subprotocols(request) == ("chat", "superchat")
    assert accept_response(request, "chat").split(b"\r\n") == [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        b"Sec-WebSocket-Protocol: chat",
        b"",
        b"",
    ]


@pytest.mark.parametrize("subprotocol", [None, "headway.v1"])
def test_another_library_as_the_client(subprotocol: str | None) -> None:
    offered = [Subprotocol("other"), Subprotocol("headway.v1")] if subprotocol else None
    client = ClientProtocol(parse_uri("wss://example.org/ws?x=1"), subprotocols=offered)
    client.send_request(client.connect())
    request = parse_upgrade(b"".join(client.data_to_send()))
    check_upgrade(request)
    client.receive_data(accept_response(request, subprotocol, [("X-Server", "a")]))
    assert client.handshake_exc is None
    assert client.state is State.OPEN
    assert client.subprotocol == subprotocol


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a%2Fb", "/a%2Fb", ""),
        ("/ws?", "/ws", ""),
        ("//ws", "//ws", ""),
        ("http://host:80/ws?x", "/ws", "x"),
        ("HTTPS://host", "/", ""),
        ("http://host?x", "/", "x"),
    ],
)
def test_targets(target: str, path: str, query: str) -> None:
    request = parse_upgrade(head(f"GET {target} HTTP/1.1"))
    assert (request.path, request.query) == (path, query)


@pytest.mark.parametrize(
    "raw",
    [
        head(connection="keep-alive, Upgrade"),
        head(connection="UPGRADE", upgrade="WebSocket"),
        head(upgrade="h2c, websocket"),
        head(content_length="0"),
        head(sec_websocket_key="/+aaaaaaaaaaaaaaaaaaaa=="),
        head(x_umlaut="Größe\t1"),
        head(x_empty=""),
        head().replace(b"Host: ", b"hOST:").replace(b"13\r\n", b"13 \t \r\n"),
    ],
)
def test_accepted(raw: bytes) -> None:
    check_upgrade(parse_upgrade(raw))


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (head("POST /ws HTTP/1.1"), 405),
        (head("get /ws HTTP/1.1"), 405),
        (head("GET /ws HTTP/1.0"), 400),
        (head("GET /ws HTTP/2.0"), 400),
        (head("GET /ws HTTP/1.10"), 400),
        (head("GET /ws"), 400),
        (head("GET  /ws HTTP/1.1"), 400),
        (head("GET /w s HTTP/1.1"), 400),
        (head("GET /wé HTTP/1.1"), 400),
        (head("GET ws HTTP/1.1"), 400),
        (head("GET * HTTP/1.1"), 400),
        (head("GET ftp://host/ HTTP/1.1"), 400),
        (head("GET http:// HTTP/1.1"), 400),
        (head(""), 400),
        (head(host=None), 400),
        (head(host="a, b"), 400),
        (head(upgrade=None), 426),
        (head(upgrade="websockets"), 426),
        (head(connection=None), 426),
        (head(connection="keep-alive"), 426),
        (head(sec_websocket_version=None), 426),
        (head(sec_websocket_version="8"), 426),
        (head(sec_websocket_version="13, 8"), 426),
        (head(sec_websocket_key=None), 400),
        (head(sec_websocket_key=""), 400),
        (head(sec_websocket_key="c2hvcnQ="), 400),
        (head(sec_websocket_key="dGhlIHNhbXBsZSBub25jZSBpcyBsb25n"), 400),
        (head(sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ"), 400),
        (head(sec_websocket_key="dGhlIHNhbXBsZSBub25jZ*=="), 400),
        (head(transfer_encoding="chunked"), 400),
        (head(content_length="5"), 400),
        (head(content_length="0, 5"), 400),
        (head(x="a\0b"), 400),
        (head(x="a\rb"), 400),
        (head(x="a\nb"), 400),
        (head(x="a\x7fb"), 400),
        (head().replace(b"Host:", b"Host :"), 400),
        (head().replace(b"Host:", b"Ho st:"), 400),
        (head().replace(b"Host:", b":"), 400),
        (head().replace(b"Host: server", b" folded"), 400),
        (head().replace(b"Host: server.example.com", b"Host"), 400),
        (head()[:-2], 400),
        (b"", 400),
        (b"\r\n\r\n", 400),
        (head(cookie="c" * MAX_HEAD_BYTES), 431),
        (head(**{f"x{number}": "1" for number in range(101)}), 431),
    ],
)
def test_refused(raw: bytes, status: int) -> None:
    error = refused(raw)
    assert error.status == status
    answer = refuse_response(error.status, error.reason, error.headers)
    assert answer.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("name", ["Sec-WebSocket-Key", "Sec-WebSocket-Version", "Host"])
def test_a_header_that_must_be_single_is_not_taken_twice(name: str) -> None:
    line = f"{name}: {HEADERS[name]}\r\n".encode()
    assert line in head()
    assert refused(head().replace(line, line * 2)).status in (400, 426)


def test_a_wrong_version_is_told_the_right_one() -> None:
    error = refused(head(sec_websocket_version="7"))
    answer = refuse_response(error.status, error.reason, error.headers)
    assert b"\r\nSec-WebSocket-Version: 13\r\n" in answer
    assert b"\r\nConnection: close\r\n" in answer


def test_who_does_not_ask_for_an_upgrade_is_told_to() -> None:
    error = refused(head(upgrade=None))
    answer = refuse_response(error.status, error.reason, error.headers)
    assert b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" in answer
    assert b"Connection: close" not in answer


def test_repeated_headers_are_joined() -> None:
    raw = head(accept="a").replace(b"\r\n\r\n", b"\r\nAccept: b\r\nCookie: x=1\r\ncookie: y=2\r\n\r\n")
    request = parse_upgrade(raw)
    assert request.header("accept") == "a, b"
    assert request.header("cookie") == "x=1; y=2"


def test_no_subprotocol_is_offered() -> None:
    assert offered_subprotocols(parse_upgrade(head())) == ()
    assert offered_subprotocols(parse_upgrade(head(sec_websocket_protocol=" , a,,b ,"))) == ("a", "b")


def test_a_subprotocol_that_was_not_offered_is_never_answered() -> None:
    with pytest.raises(ValueError, match="offer"):
        accept_response(parse_upgrade(head(sec_websocket_protocol="other")), "headway.v1")


def test_a_subprotocol_cannot_inject() -> None:
    request = UpgradeRequest(
        "GET", "/", "", "HTTP/1.1", {"sec-websocket-key": "k", "sec-websocket-protocol": "a\r\nX: 1"}
    )
    with pytest.raises(ValueError, match="characters"):
        accept_response(request, "a\r\nX: 1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nSet-Cookie: b"),
        ("X", "a\nb"),
        ("X", "a\rb"),
        ("X", "a\0"),
        ("X", "€"),
        ("X: a\r\nY", "b"),
        ("", "a"),
        ("X Y", "a"),
    ],
)
def test_headers_cannot_inject(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        accept_response(parse_upgrade(head()), None, [(name, value)])
    with pytest.raises(ValueError, match="characters"):
        refuse_response(400, "No.", [(name, value)])


@given(st.text(max_size=50))
def test_a_refusal_is_one_whole_answer(text: str) -> None:
    answer = refuse_response(403, text, [("X-Reason", "a")])
    start, _, body = answer.partition(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"\r\nX-Reason: a" in start
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in start
    assert body.decode() == text


def test_a_refusal_has_a_known_status() -> None:
    with pytest.raises(ValueError, match="799"):
        refuse_response(799, "No.")


@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda data: head()[:-2] + data + b"\r\n\r\n"))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(HandshakeRefused):
        request = parse_upgrade(raw)
        check_upgrade(request)
        assert accept_response(request).endswith(b"\r\n\r\n")


def test_hostile_heads_come_to_an_end() -> None:
    # A pattern that tries all ways to read them would take longer than a test may.
    for filling in (b"a" * 16_000, b"," * 16_000, b" " * 16_000, b"!: " * 5_000, b"\t," * 8_000):
        for start in (b"GET /", b"GET / HTTP/1.1\r\nConnection:", b"GET / HTTP/1.1\r\nUpgrade:", b""):
            with contextlib.suppress(HandshakeRefused):
                check_upgrade(parse_upgrade(start + filling + b"\r\n\r\n"))


@pytest.mark.parametrize(
    "raw",
    [
        head(),
        head(connection="keep-alive, Upgrade", upgrade="WebSocket"),
        head("GET http://server.example.com/ws HTTP/1.1", upgrade=" websocket "),
    ],
)
def test_a_whole_upgrade_is_known_at_sight(raw: bytes) -> None:
    assert is_whole_upgrade(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        head()[:-1],
        head() + b"\x81\x80\0\0\0\0",
        head() + head(),
        head("POST /ws HTTP/1.1"),
        head(upgrade=None),
        head(upgrade="h2c"),
        head(upgrade=None, origin="upgrade: websocket"),
        head(connection=None),
        head(connection="keep-alive"),
        head(connection=None, x_connection="upgrade"),
    ],
)
def test_whatever_else_comes_first_is_not_taken_for_one(raw: bytes) -> None:
    assert not is_whole_upgrade(raw)


def test_names_for_applications_are_in_lower_case_and_values_as_they_came() -> None:
    head = b"GET /A?b=C HTTP/1.1\r\nHost: X\r\nOrigin: https://Evil.example:1\r\nX-Empty:\r\n\r\n"
    lower = b"GET /A?b=C HTTP/1.1\r\nhost: X\r\norigin: https://Evil.example:1\r\nx-empty:\r\n\r\n"
    assert lower_names(head) == lower
    assert lower_names(lower) == lower
