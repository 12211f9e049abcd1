"""How a loop ended whose iterator is thrown away early: by `break`, or by an exception in its body.

An iterator never sees the exceptions of the loop that uses it. CPython drops it the moment the loop is left, while the
loop's frame still stands at the instruction that left it: a jump that discards the iterator, or one that raised. Where
that cannot be seen (another interpreter, an iterator that was kept in a variable), a loop counts as ended by choice.
It must not know tasks.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType

__all__ = ["Place", "place_of", "raised_at"]

_GENERATOR = 0x20
_ASYNC_GENERATOR = 0x200
_DISCARDS = frozenset(
    ("POP_TOP", "POP_ITER", "END_FOR", "DELETE_FAST", "DELETE_NAME", "STORE_FAST", "STORE_NAME")
)
_YIELDS = frozenset(("YIELD_VALUE", "RESUME", "SEND"))

Place = tuple[int, CodeType]


def place_of(frame: FrameType | None) -> Place | None:
    """Which frame a loop runs in, without keeping the frame alive."""
    return None if frame is None else (id(frame), frame.f_code)


def raised_at(frame: FrameType | None, place: Place | None) -> str | None:
    """Where an exception ended a loop, or None when none did or nobody can tell.

    Args:
        frame: the one in which the iterator is being thrown away.
        place: where the loop ran, see `place_of`.

    Returns:
        the exception when it is known, else file and line, for people.
    """
    if frame is None or place is None:
        return None
    if place == place_of(frame):
        return _judge(frame, closed_from_outside=False)
    if place[1].co_flags & _GENERATOR and place[1].co_name != "<genexpr>":
        # `yield from`: the generator in between does not wake up to be closed.
        return _judge(frame, closed_from_outside=True)
    return _handled_at(place)


def _handled_at(place: Place) -> str | None:
    """The exception that is being handled, if it came through the loop's frame."""
    error = sys.exc_info()[1]
    if isinstance(error, GeneratorExit):
        error = error.__context__
    trace = None if error is None else error.__traceback__
    while trace is not None:
        if place == place_of(trace.tb_frame):
            return f"{type(error).__name__}: {error}"
        trace = trace.tb_next
    return None


def _judge(frame: FrameType | None, *, closed_from_outside: bool) -> str | None:
    while frame is not None:
        name = _instruction(frame)
        flags = frame.f_code.co_flags
        if name in _DISCARDS or (name in _YIELDS and flags & _ASYNC_GENERATOR):
            return None
        if not (name in _YIELDS and flags & _GENERATOR):
            if closed_from_outside and name.startswith("CALL"):
                return None  # `next(rows())`, perhaps: a call that lets go of its argument looks the same
            file = frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
            return f"An exception ended the loop ({file}, line {frame.f_lineno})"
        # A generator that is closed: what counts is how its own user left it.
        frame, closed_from_outside = frame.f_back, True
    return None


def _instruction(frame: FrameType) -> str:
    import opcode

    code = frame.f_code.co_code
    at = frame.f_lasti
    return opcode.opname[code[at]] if 0 <= at < len(code) else ""
