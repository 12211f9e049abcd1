"""A conversation that breaks: when it is tried again, and when it is not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from headway.cli.conversation import Away, talk
from headway.errors import ConfigurationError
from headway.worker.discovery import Target


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def stranger() -> Iterator[str]:
    """A server that is no Headway."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_waits_longer_and_longer_with_full_jitter(nobody: str) -> None:
    waited: list[float] = []
    words = talk(
        lambda: Target(nobody, "t", "configured"), lambda _: [], pause=waited.append, chance=lambda: 0.5
    )
    for _ in range(8):
        assert isinstance(next(words), Away)
    words.close()
    assert waited == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_no_server_to_begin_with() -> None:
    def where() -> Target:
        raise ConfigurationError("none")

    with pytest.raises(ConfigurationError, match="none"):
        next(talk(where, lambda _: []))


def test_asks_again_where_the_server_is(nobody: str) -> None:
    # A development server that was killed leaves nobody to talk to until another one starts.
    places = iter([Target(nobody, "t", "runtime"), None, Target(nobody, "t", "runtime")])

    def where() -> Target:
        place = next(places)
        if place is None:
            raise ConfigurationError("none")
        return place

    words = talk(where, lambda _: [], pause=lambda _: None)
    said = [next(words) for _ in range(3)]
    assert said[1] == Away("no server is running")
    assert said[0] == said[2] != said[1]


def test_does_not_wait_longer_and_longer_for_a_development_server(nobody: str) -> None:
    places = iter([Target(nobody, "t", "runtime"), *[None] * 6, *[Target(nobody, "t", "runtime")] * 2])

    def where() -> Target:
        place = next(places)
        if place is None:
            raise ConfigurationError("none")
        return place

    waited: list[float] = []
    words = talk(where, lambda _: [], pause=waited.append, chance=lambda: 1.0)
    assert len([next(words) for _ in range(9)]) == 9
    words.close()
    assert waited == [0.5, *[0.5] * 6, 1.0]


def test_a_stranger_is_told_apart(stranger: str) -> None:
    with pytest.raises(ConfigurationError, match="is no Headway"):
        next(talk(lambda: Target(stranger, "t", "configured"), lambda _: []))
