"""Which addresses may be connected to: what a person types as a URL must not reach into our own networks.

It looks at addresses and never at names, since a name can mean anything at the next question. Whoever connects asks
about the very address that it is about to connect to.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

__all__ = ["AddressRefused", "Reach", "check_network"]

_NAT64 = IPv6Network("64:ff9b::/96")
# Ways for IPv4 to hide in IPv6, and ranges that Python's tables only know in newer versions.
_NEVER = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24", "64:ff9b:1::/48", "2002::/16", "2001::/32", "100::/64", "3fff::/20", "5f00::/16",
    )
)  # fmt: skip


class AddressRefused(OSError):
    """An address that may not be connected to."""


class Reach:
    """Public addresses, and those of networks that were allowed by name."""

    def __init__(self, networks: Iterable[str] = (), *, public: bool = True) -> None:
        """Allow addresses.

        Args:
            networks: of one's own, as `10.0.0.0/8` or a single address.
            public: whether public addresses may be reached too.
        """
        self._networks = tuple(ip_network(text, strict=False) for text in networks)
        self._public = public

    def check(self, text: str) -> None:
        """Allow an address or say why not.

        Raises:
            AddressRefused: it may not be connected to.
        """
        address = _plain(text)
        if any(address in network for network in self._networks):
            return
        kind = _kind(address)
        if kind is None and self._public:
            return
        what = f"is {kind}" if kind else "needs https"
        raise AddressRefused(f"{address} {what}; an operator can allow it in webhook_networks")


def check_network(text: str) -> str:
    """Return `text`.

    Raises:
        ValueError: it is no network and no address.
    """
    ip_network(text, strict=False)
    return text


def _plain(text: str) -> IPv4Address | IPv6Address:
    """The address that is meant: without a zone, and IPv4 when it is only dressed as IPv6."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        raise AddressRefused("that is no address") from None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _kind(address: IPv4Address | IPv6Address) -> str | None:
    """What keeps an address from being public; None when it is."""
    if address.is_unspecified:
        return "no address of a machine"
    if address.is_loopback:
        return "this machine itself"
    if address.is_link_local:
        return "a link-local address (cloud metadata is among them)"
    if address.is_multicast:
        return "a multicast address"
    if any(address in network for network in _NEVER) or (
        isinstance(address, IPv6Address) and address.is_site_local
    ):
        return "not a public address"
    if not address.is_global or address.is_reserved:
        return "a private address"
    return None
