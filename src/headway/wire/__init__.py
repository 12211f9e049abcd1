"""Codecs and state machines of the wire: bytes in, messages out, and back. Pure: no socket and no clock."""
