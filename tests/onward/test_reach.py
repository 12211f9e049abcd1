"""Which addresses may be connected to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.onward.reach import AddressRefused, Reach, check_network

REFUSED = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "100::1",
    "3fff::1", "5f00::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused, match="webhook_networks"):
        Reach().check(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_reached_but_not_by_plain_http(address: str) -> None:
    Reach().check(address)
    with pytest.raises(AddressRefused, match="needs https"):
        Reach(public=False).check(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "1.1.1.1/24"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused, match="no address"):
        Reach(["0.0.0.0/0", "::/0"]).check(text)


def test_a_network_that_was_allowed_may_be_reached_and_no_other() -> None:
    for reach in (
        Reach(["10.1.0.0/16", "127.0.0.1", "fd00::/8"]),
        Reach(["10.1.2.3/16", "127.0.0.1", "fd00::/8"]),
    ):
        for address in ("10.1.2.3", "127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "fd00::1"):
            reach.check(address)
        for address in ("10.2.0.1", "127.0.0.2", "169.254.169.254", "::1"):
            with pytest.raises(AddressRefused):
                reach.check(address)


@given(st.ip_addresses(v=4))
def test_in_the_dress_of_ipv6_an_address_is_what_it_was(address: ipaddress.IPv4Address) -> None:
    def allowed(text: str) -> bool:
        try:
            Reach(["10.0.0.0/8"]).check(text)
        except AddressRefused:
            return False
        return True

    for dress in (f"::ffff:{address}", str(ipaddress.IPv6Address((0x64FF9B << 96) | int(address)))):
        assert allowed(dress) == allowed(str(address))


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "intranet", "10.0.0.0-10.0.0.9"])
def test_what_is_no_network_cannot_be_allowed(text: str) -> None:
    with pytest.raises(ValueError, match=r"network|address"):
        check_network(text)
