"""The socket that a server listens on."""

from __future__ import annotations

import socket
import sys

import pytest

from headway.server.run import bind
from headway.server.settings import Settings


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands an option of a listening socket on")
def test_the_kernel_holds_little_for_who_connects() -> None:
    with bind(Settings(port=0)) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            held = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
    assert held == 131_072
