"""Where a client is: what of `X-Forwarded-For` is believed."""

from __future__ import annotations

import pytest

from headway.transports.addresses import Proxies, address_of, block_of

PROXIES = Proxies(["127.0.0.1", "::1", "10.0.0.0/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        # A stranger may say what it likes.
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        # What the client itself wrote stands before what the proxy has added.
        ("127.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("127.0.0.1", "10.0.0.5, 10.0.0.6", "10.0.0.5"),
        ("127.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("::1", "[2001:db8::5]:4711", "2001:db8::5"),
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        # What is no address names nobody.
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", 'evil"\x1b[31m', "127.0.0.1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_who_is_believed(peer: str, forwarded: str, client: str) -> None:
    assert PROXIES.client(peer, forwarded) == client


def test_nobody_is_trusted_unless_named() -> None:
    assert Proxies().client("127.0.0.1", "203.0.113.9") == "127.0.0.1"
    assert "127.0.0.1" not in Proxies()


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Proxies(["nonsense"])


def test_a_place_is_an_address_or_a_network_of_one() -> None:
    assert block_of("192.0.2.7") == "192.0.2.7"
    assert block_of("2001:db8:0:1::5") == block_of("2001:db8:0:1:ffff::9") == "2001:db8:0:1::/64"
    assert block_of("2001:db8:0:2::5") != block_of("2001:db8:0:1::5")
    assert block_of("::ffff:192.0.2.7") == "192.0.2.7"


def test_a_scope_may_have_no_client() -> None:
    assert address_of({"client": ("192.0.2.7", 4711)}) == "192.0.2.7"
    assert address_of({"client": None}) == address_of({}) == ""
