"""Posting: what comes of an attempt, and every way to have us post where we must not."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from headway.onward.post import Outcome, Poster
from headway.onward.reach import AddressRefused
from tests.onward.receiver import Receiver, receiving

ALLOWED = ("127.0.0.1", "::1")


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    """May reach nothing but what is public."""
    poster = Poster((), 10.0, "Headway/test")
    yield poster
    await poster.close()


@pytest.fixture
async def local() -> AsyncIterator[Poster]:
    """May reach this machine, at its one address."""
    poster = Poster(ALLOWED, 10.0, "Headway/test")
    yield poster
    await poster.close()


async def test_a_message_arrives_as_it_is(local: Poster, receiver: Receiver) -> None:
    outcome = await local.post(f"{receiver.url}/hook?a=%20b", {"webhook-id": "msg_1"}, b'{"a": 1}')
    assert (outcome.status, outcome.error) == (204, None)
    (got,) = receiver.got
    assert (got.path, got.body, got.id) == ("/hook?a=%20b", b'{"a": 1}', "msg_1")
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"] == "Headway/test"
    assert "cookie" not in got.headers


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
async def test_an_answer_that_is_not_good_is_a_failure(
    local: Poster, receiver: Receiver, status: int
) -> None:
    receiver.answers = [(status, {"Retry-After": "7"})]
    outcome = await local.post(receiver.url, {}, b"{}")
    assert (outcome.status, outcome.error, outcome.asked) == (status, f"answered {status}", 7.0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(local: Poster, receiver: Receiver, status: int) -> None:
    with receiving() as other:
        receiver.answers = [(status, {"Location": f"{other.url}/steal"})]
        outcome = await local.post(receiver.url, {}, b"{}")
        assert outcome.status == status
        assert "redirects are not followed" in (outcome.error or "")
        assert other.got == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "2130706433", "0x7f000001", "017700000001",
        "0x7f.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::]",
        "①②⑦.⓪.⓪.①", "127。0。0。1", "%31%32%37.0.0.1",
    ],
)  # fmt: skip
async def test_this_machine_is_not_reached_by_any_name(poster: Poster, host: str) -> None:
    # A receiver at every address of this machine, so that only our refusal keeps it from hearing.
    with receiving("0.0.0.0") as four:
        outcome = await poster.post(f"http://{host}:{four.port}/", {}, b"{}")
        assert outcome.status is None
        assert outcome.error
        assert "answered" not in outcome.error
        assert four.got == []


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "10.0.0.1", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]"]
)
async def test_other_machines_of_ours_are_refused_without_a_try(poster: Poster, address: str) -> None:
    outcome = await poster.post(f"http://{address}/latest/meta-data/", {}, b"{}")
    assert (outcome.error or "").startswith("refused: ")


async def test_what_is_refused_is_said_in_words(poster: Poster) -> None:
    outcome = await poster.post("https://localhost:1/", {}, b"{}")
    assert "this machine itself; an operator can allow it in webhook_networks" in (outcome.error or "")
    with pytest.raises(AddressRefused, match="this machine itself"):
        await poster.check("https", "localhost", 443)


async def test_a_name_with_one_address_out_of_reach_is_refused_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a name that has a good address and a bad one
    with receiving() as receiver:
        poster = Poster(("127.0.0.2",), 10.0, "Headway/test")

        def mixed(host: str, port: int, *_: object) -> object:
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            return [(*kind, ("127.0.0.2", port)), (*kind, ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", mixed)
        outcome = await poster.post(f"http://mixed.example:{receiver.port}/", {}, b"{}")
        assert "127.0.0.1 is this machine itself" in (outcome.error or "")
        assert receiver.got == []
        await poster.close()


async def test_a_name_that_changes_its_mind_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a name that is good the first time it is asked for, and leads to us the second time
    with receiving("127.0.0.2") as good, receiving("127.0.0.1", good.port) as bad:
        poster = Poster(("127.0.0.2",), 10.0, "Headway/test")
        asked = 0

        def turning(host: str, port: int, *_: object) -> object:
            nonlocal asked
            asked += 1
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{2 if asked == 1 else 1}", port))]

        monkeypatch.setattr(socket, "getaddrinfo", turning)
        first = await poster.post(f"http://turning.example:{good.port}/", {}, b"{}")
        second = await poster.post(f"http://turning.example:{good.port}/", {}, b"{}")
        # Then one question is asked for each attempt, and what it said is what is connected to
        assert (first.status, asked) == (204, 2)
        assert (second.error or "").startswith("refused: ")
        assert len(good.got) == 1
        assert bad.got == []
        await poster.close()


async def test_a_proxy_of_the_environment_is_not_used(
    poster: Poster, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, receiver.url)
    outcome = await poster.post("http://10.0.0.1/", {}, b"{}")
    assert (outcome.error or "").startswith("refused: ")
    assert receiver.got == []


@contextmanager
def speaking(text: bytes, *, forever: bytes = b"") -> Iterator[int]:
    """A server that says this to whoever comes, and then goes on for ever; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                try:
                    peer.recv(65536)
                    peer.sendall(text)
                    while forever and not over.wait(0.01):
                        peer.sendall(forever)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    over.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


async def said(port: int, timeout: float = 10.0) -> Outcome:
    poster = Poster(ALLOWED, timeout, "Headway/test")
    outcome = await poster.post(f"http://127.0.0.1:{port}/", {}, b"{}")
    await poster.close()
    return outcome


async def test_an_answer_that_drips_for_ever_ends_in_time() -> None:
    with speaking(b"HTTP/1.1 200 OK\r\nA: ", forever=b"x") as port:
        outcome = await said(port, 0.5)
    assert outcome.status is None
    assert outcome.error == "no answer within 0.5 s"


async def test_a_body_without_end_costs_nothing() -> None:
    with speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", forever=b"x" * 65536) as port:
        assert (await said(port)).status == 200


async def test_a_head_without_end_is_refused() -> None:
    with speaking(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 1_000_000, forever=b"x" * 65536) as port:
        outcome = await said(port)
    assert outcome.status is None
    assert outcome.error


@pytest.mark.parametrize("text", [b"", b"SSH-2.0-OpenSSH\r\n", b"\0\0\0\0", b"HTTP/1.1 999999 X\r\n\r\n"])
async def test_what_is_no_answer_is_a_failure_in_words(text: bytes) -> None:
    with speaking(text) as port:
        outcome = await said(port)
    assert outcome.status is None
    assert outcome.error


async def test_nobody_there_is_said_in_words(local: Poster) -> None:
    with receiving() as receiver:
        port = receiver.port
    outcome = await local.post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert outcome.error == "could not connect (Connection refused)"
    outcome = await local.post("https://no-such-name.invalid/secret-path", {}, b"{}")
    assert outcome.error == "its name does not resolve"
    await local.check("https", "no-such-name.invalid", 443)


async def test_a_server_without_tls_is_said_in_words(local: Poster, receiver: Receiver) -> None:
    outcome = await local.post(f"https://127.0.0.1:{receiver.port}/?token=hidden", {}, b"{}")
    assert (outcome.error or "").startswith("TLS: ")
    assert "hidden" not in (outcome.error or "")


async def test_a_date_to_come_back_at_is_understood(local: Poster, receiver: Receiver) -> None:
    for text, asked in (
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 40, None),
    ):
        receiver.answers = [(503, {"Retry-After": text})]
        assert (await local.post(receiver.url, {}, b"{}")).asked == asked
