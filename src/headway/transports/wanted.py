"""From what a client asks to follow, as the wire has it, to what the hub takes."""

from __future__ import annotations

from headway.hub.wanted import PACE, Only, Wanted
from headway.wire.native import Subscribe, encode_id

__all__ = ["wanted_by"]


def wanted_by(message: Subscribe) -> Wanted:
    """What a `subscribe` wants."""
    only = message.filter
    return Wanted(
        key=message.id,
        name=encode_id(message.id),
        channel=message.channel,
        task=message.task,
        cursor=message.cursor,
        only=None if only is None else Only(only.kind, only.tag, only.parent),
        log=message.log,
        pace=PACE if message.max_hz is None else max(PACE, 1 / message.max_hz),
    )
