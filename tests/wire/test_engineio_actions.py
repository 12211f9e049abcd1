"""Actions are values: shared where they say nothing of their own, and in the words that clients know."""

from __future__ import annotations

from headway.wire.engineio import EngineSession
from headway.wire.engineio_actions import AnswerPost, CloseSocket, Ready, Reason
from headway.wire.engineio_limits import EngineLimits


def test_a_socket_is_closed_in_order_unless_something_is_wrong() -> None:
    assert CloseSocket() == CloseSocket(1000)


def test_the_reasons_are_those_of_the_reference_server() -> None:
    known = {"transport close", "transport error", "parse error", "ping timeout", "forced close"}
    assert {reason.value for reason in Reason} - known == {"buffer overflow"}


def test_actions_without_content_cost_nothing() -> None:
    session = EngineSession("s", EngineLimits(), 0.0, websocket=False)
    session.post_opened(0.0)
    [first] = session.post(b"6", 0.0)
    session.post_opened(0.0)
    [second] = session.post(b"6", 0.0)
    assert first == AnswerPost()
    assert first is second
    assert session.poll_opened(0.0) == [Ready()]
