"""The forms in which a WebSocket carries native messages: as text or packed, compressed or not.

A form is a codec, so all clients of one form share what is encoded, framed and compressed for them: each message once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headway.wire.codec import NativeCodec
from headway.wire.deflate import deflated_frame
from headway.wire.frames import binary_frame, text_frame
from headway.wire.native import PROTOCOL
from headway.wire.packed import pack

__all__ = ["PACKED_PROTOCOL", "TEXT", "Form", "choose_form", "form_of"]

PACKED_PROTOCOL = f"{PROTOCOL}.msgpack"
"""The subprotocol of those who want MessagePack."""


class Form(NativeCodec):
    """A codec, and what a connection must know of it.

    Attributes:
        packed: messages are binary both ways.
        deflated: messages may be compressed both ways.
    """

    __slots__ = ("deflated", "packed")

    def __init__(self, wrap: Callable[[bytes], bytes], *, packed: bool, deflated: bool = False) -> None:
        """Make a form.

        Args:
            wrap: gives the whole frame of a message.
        """
        super().__init__(lambda message, _cursor: wrap(message))
        self.packed = packed
        self.deflated = deflated


TEXT = Form(text_frame, packed=False)
_FORMS = {
    (False, False): TEXT,
    (True, False): Form(lambda message: binary_frame(pack(message)), packed=True),
    (False, True): Form(lambda message: deflated_frame(1, message), packed=False, deflated=True),
    (True, True): Form(lambda message: deflated_frame(2, pack(message)), packed=True, deflated=True),
}


def form_of(*, packed: bool, deflated: bool) -> Form:
    """The one form of this kind."""
    return _FORMS[packed, deflated]


def choose_form(offered: Sequence[str]) -> tuple[str | None, bool] | None:
    """Which subprotocol to answer with, and whether it is packed; None when none of those offered is spoken here.

    Args:
        offered: in the client's order of preference; empty for one that leaves it to us.
    """
    if not offered:
        return None, False
    for name in offered:
        if name in (PROTOCOL, PACKED_PROTOCOL):
            return name, name == PACKED_PROTOCOL
    return None
