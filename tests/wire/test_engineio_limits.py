"""The defaults: what the stock clients can live with, and what one client can cost."""

from __future__ import annotations

from headway.wire.engineio import EngineSession
from headway.wire.engineio_actions import Closed, Message, Reason
from headway.wire.engineio_limits import EngineLimits
from headway.wire.engineio_packets import Binary

LIMITS = EngineLimits()


def test_the_heartbeat_is_that_of_the_reference_server() -> None:
    assert (LIMITS.ping_interval, LIMITS.ping_timeout) == (25.0, 20.0)
    assert LIMITS.upgrades == ("websocket",)


def test_a_client_may_send_all_that_it_kept_while_offline() -> None:
    session = EngineSession("s", LIMITS, 0.0, websocket=False)
    body = b"\x1e".join([b'42["a"]'] * 8000)
    assert len(body) <= LIMITS.max_payload
    session.post_opened(0.0, len(body))
    assert sum(isinstance(action, Message) for action in session.post(body, 0.0)) == 8000


def test_what_waits_is_bounded_in_bytes_and_in_packets() -> None:
    for packets in (
        [b"4" + bytes(60_000)] * 2,
        [Binary(bytes(60_000))] * 2,
        [b"4"] * (LIMITS.max_waiting + 1),
    ):
        session = EngineSession("s", LIMITS, 0.0, websocket=False)
        actions = [action for packet in packets for action in session.send([packet])]
        assert actions == [Closed(Reason.OVERFLOW)]
        assert session._waiting is None
