"""Where a client is: the address of its connection, or what a proxy that is trusted says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

__all__ = ["Proxies", "address_at", "address_of", "block_of"]

_REMEMBERED = 10_000
_SITE_BITS = 64
"""Of an IPv6 address; the other half is a client's own to choose."""


class Proxies:
    """The addresses that are believed when they say for whom they speak."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        """Trust these.

        Args:
            trusted: addresses and networks (`10.0.0.0/8`).

        Raises:
            ValueError: one is neither.
        """
        self._networks = tuple(ip_network(text, strict=False) for text in trusted)
        self._knows = lru_cache(_REMEMBERED)(self._look_up)

    def __contains__(self, address: str) -> bool:
        """Whether this address is one of theirs. Nothing is known of a socket without an address: it is not."""
        return bool(address) and self._knows(address)

    def client(self, peer: str, forwarded: str) -> str:
        """The address of a client.

        Args:
            peer: that of the connection; empty where there is none.
            forwarded: the header `X-Forwarded-For`, of all proxies on the way; only what those that are trusted have
                added to it counts.
        """
        if not forwarded or peer not in self:
            return peer
        hops = [_bare(hop) for hop in forwarded.split(",")]
        for hop in reversed(hops):
            if hop not in self:
                return hop if _parsed(hop) is not None else peer
        return hops[0]

    def _look_up(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def address_of(scope: Mapping[str, Any]) -> str:
    """The address of an ASGI request's client; its server has read already what proxies say."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def address_at(transport: asyncio.BaseTransport, forwarded: str, proxies: Proxies) -> str:
    """The address of the client on a socket of ours; `forwarded` as in `Proxies.client`."""
    peer = transport.get_extra_info("peername")
    return proxies.client(peer[0] if isinstance(peer, tuple) else "", forwarded)


def block_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or the network of an IPv6 one."""
    if ":" not in address:
        return address
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, _SITE_BITS), strict=False))
    return address if parsed is None else str(parsed)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket for both families shows IPv4 as `::ffff:192.0.2.1`.
    return getattr(address, "ipv4_mapped", None) or address


def _bare(hop: str) -> str:
    """An address without the port that some proxies write."""
    hop = hop.strip()
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
