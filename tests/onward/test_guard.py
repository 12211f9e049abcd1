"""What is connected to is held to a reach, whichever library does it, and nothing else is."""

from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import pytest
import urllib3

from headway.onward.guard import held_to
from headway.onward.reach import Reach
from tests.onward.receiver import Receiver

NOWHERE, HERE = Reach(), Reach(("127.0.0.0/8",))


def get(port: int) -> None:
    urllib3.request("GET", f"http://localhost:{port}/", retries=False)


def mail(port: int) -> None:
    smtplib.SMTP("localhost", port).close()


def send(port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.sendto(b"x", ("127.0.0.1", port))


def send_in_pieces(port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.sendmsg([b"x"], (), 0, ("127.0.0.1", port))


@pytest.mark.parametrize("connect", [get, mail, send, send_in_pieces])
def test_nothing_leaves_for_what_is_out_of_reach(connect: Callable[[int], None]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        with held_to(NOWHERE) as refused, pytest.raises(Exception, match="this machine itself"):
            connect(listener.getsockname()[1])
        assert "127.0.0.1 is this machine itself" in " ".join(refused)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_socket_of_this_machine_is_out_of_reach(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        with held_to(HERE), pytest.raises(OSError, match="no address"):
            client.connect(str(tmp_path / "s"))


async def test_what_is_within_reach_is_reached_and_others_are_not_held(receiver: Receiver) -> None:
    with held_to(HERE) as refused:
        with socket.create_connection(("127.0.0.1", receiver.port)) as connected:
            connected.sendmsg([b"GET"])
        assert refused == []
    with held_to(NOWHERE):
        other = threading.Thread(
            target=lambda: socket.create_connection(("127.0.0.1", receiver.port)).close()
        )
        other.start()
        other.join()
        # One that is given the context is held like the one that gave it.
        with ThreadPoolExecutor() as given, pytest.raises(OSError, match="this machine itself"):
            given.submit(copy_context().run, socket.create_connection, ("127.0.0.1", receiver.port)).result()
    with socket.create_connection(("127.0.0.1", receiver.port)):
        pass
    assert refused == []
