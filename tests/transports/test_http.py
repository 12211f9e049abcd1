"""Uvicorn's protocol as we run it: nothing is left of it when somebody else has taken the socket."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from headway.transports.http import PromptHttp

_UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class _Room:
    max_sockets = 0


class _Taker(asyncio.Protocol):
    """Takes the socket, as the door of WebSockets does."""

    heard = b""

    def __init__(self, **_: Any) -> None:
        """Whatever uvicorn gives."""

    def data_received(self, data: bytes) -> None:
        type(self).heard = data


class _Socket(asyncio.Transport):
    """Holds its protocol, as a transport does."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol


async def _application(_scope: Any, _receive: Any, _send: Any) -> None:
    raise AssertionError("it is not asked")


@contextmanager
def _without_collections() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _connected(transport: _Socket) -> PromptHttp:
    config = uvicorn.Config(_application, ws=_Taker, lifespan="off", log_config=None)
    config.load()
    http: PromptHttp = type("Http", (PromptHttp,), {"service": _Room()})(config, ServerState(), {})
    transport.set_protocol(http)
    http.connection_made(transport)
    return http


@pytest.mark.parametrize("pieces", [[_UPGRADE], [_UPGRADE[:30], _UPGRADE[30:]]], ids=["whole", "in two"])
async def test_a_protocol_is_forgotten_at_once_when_its_socket_becomes_a_websocket(
    pieces: list[bytes],
) -> None:
    transport = _Socket()
    with _without_collections():
        http = _connected(transport)
        gone = weakref.ref(http)
        connections = http.connections
        for piece in pieces:
            http.data_received(piece)
        del http
        assert isinstance(transport.protocol, _Taker)
        assert _Taker.heard.lower() == _UPGRADE.lower()
        assert not connections
        assert gone() is None


async def test_a_second_piece_is_never_taken_for_the_beginning() -> None:
    transport = _Socket()
    http = _connected(transport)
    http.data_received(b"POST /api/x HTTP/1.1\r\nX: ")
    # By itself this would be a request; here it is a header's value, and more headers.
    http.data_received(_UPGRADE)
    assert _Taker.heard.startswith(b"POST /api/x HTTP/1.1\r\n")
