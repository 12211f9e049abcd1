"""What a session of Engine.IO (`engineio.py`) may take of time and memory: set once, shared by all sessions."""

from __future__ import annotations

import msgspec

from headway.wire.engineio_packets import MAX_PACKETS
from headway.wire.engineio_requests import WEBSOCKET

__all__ = ["EngineLimits"]


class EngineLimits(msgspec.Struct, frozen=True):
    """Seconds and bytes.

    Attributes:
        ping_interval: from the handshake, or a pong, to the next ping.
        ping_timeout: from a ping to the end of the session, unless a pong comes.
        max_payload: the largest body of a POST, and message on WebSocket.
        max_packets: in one body.
        upgrade_timeout: from the opening of a WebSocket to the end of the change to it.
        probing_poll: how long a poll may wait during that change, so that the client gets on with it.
        close_timeout: how long a session that the server ended waits for a poll that can say so.
        max_waiting, max_waiting_bytes: what is kept for the next poll; beyond it the session ends.
        upgrades: the transports that a polling client may change to.
    """

    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    max_payload: int = 65_536
    max_packets: int = MAX_PACKETS
    upgrade_timeout: float = 10.0
    probing_poll: float = 0.1
    close_timeout: float = 30.0
    max_waiting: int = 1024
    max_waiting_bytes: int = 65_536
    upgrades: tuple[str, ...] = (WEBSOCKET,)
