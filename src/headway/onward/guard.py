"""Holds what other people's code connects to while it runs to a reach.

Libraries resolve names, follow redirects and use proxies by themselves, so nothing that is asked of an address before it
is given to them says where they will go. What is asked here is the last thing before a connection: the interpreter's own
audit event, which no Python code can leave out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from headway.onward.reach import AddressRefused, Reach

__all__ = ["held_to"]

_EVENTS = frozenset(("socket.connect", "socket.sendto", "socket.sendmsg"))


_held: ContextVar[tuple[Reach, list[str]] | None] = ContextVar("held", default=None)


@contextmanager
def held_to(reach: Reach) -> Iterator[list[str]]:
    """Refuse whatever is connected to meanwhile that is out of reach; gives what was refused, in words.

    It holds for this context, and so for threads that are given it, and for no other.
    """
    _watch()
    refused: list[str] = []
    token = _held.set((reach, refused))
    try:
        yield refused
    finally:
        _held.reset(token)


@cache
def _watch() -> None:
    # It cannot be taken back, so there is one, and only where it is needed.
    sys.addaudithook(_hear)


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if event not in _EVENTS or (held := _held.get()) is None:
        return
    reach, refused = held
    address = args[1]
    if address is None:
        # By a connection that there is.
        return
    try:
        # What is no pair is a socket of this machine.
        reach.check(str(address[0]) if isinstance(address, tuple) else "")
    except AddressRefused as error:
        refused.append(str(error))
        raise
