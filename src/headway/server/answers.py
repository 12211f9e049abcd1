"""Answers that need no routes: an error in the shape that all have (`spec/wire.md` §6), and a redirection."""

from __future__ import annotations

import msgspec

from headway.errors import HeadwayError
from headway.transports.asgi import Send

__all__ = ["answer_error", "redirect"]


async def answer_error(send: Send, error: HeadwayError) -> None:
    """Answer a request with an error."""
    await _answer(
        send, error.status, msgspec.json.encode(error.body()), (b"content-type", b"application/json")
    )


async def redirect(send: Send, where: str) -> None:
    """Send a browser elsewhere, with the same method.

    Args:
        where: a path in ASCII.
    """
    await _answer(send, 307, b"", (b"location", where.encode("ascii")))


async def _answer(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
