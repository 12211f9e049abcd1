"""Which parsers the clients of an endpoint may have, and how it is seen which one a client has.

A client begins with CONNECT, and nothing is said to it before. With the default parser that is a text, with
`socket.io-msgpack-parser` it is binary: so a client's first message tells.
"""

from __future__ import annotations

from typing import NamedTuple

from headway.wire.msgpack_parser import MSGPACK_PARSER
from headway.wire.socketio_json import JSON_PARSER
from headway.wire.socketio_packets import Parser

__all__ = ["EITHER", "ONLY_JSON", "Parsers"]


class Parsers(NamedTuple):
    """What reads a client whose first message is text, and what one whose is binary."""

    text: Parser
    binary: Parser

    def of(self, binary: bool) -> Parser:
        """The parser of a client that begins so."""
        return self.binary if binary else self.text


ONLY_JSON = Parsers(JSON_PARSER, JSON_PARSER)
"""Who begins with something binary is no client of ours then."""
EITHER = Parsers(JSON_PARSER, MSGPACK_PARSER)
