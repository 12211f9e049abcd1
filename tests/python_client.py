"""python-socketio's client, which does not leave answers unread.

Engine.IO's client lets go of the answers of its POST requests, and of refusals, without their bodies. When those come
later than the head, as they do on a busy machine, aiohttp warns that a connection was not closed; here warnings are errors.
"""

from __future__ import annotations

from typing import Any

import aiohttp
import engineio  # type: ignore[import-untyped]
import socketio  # type: ignore[import-untyped]

__all__ = ["PythonClient"]


class _Engine(engineio.AsyncClient):  # type: ignore[misc]
    async def _send_request(self, *args: Any, **options: Any) -> Any:
        answer = await super()._send_request(*args, **options)
        if isinstance(answer, aiohttp.ClientResponse):
            await answer.read()
        return answer


class PythonClient(socketio.AsyncClient):  # type: ignore[misc]
    """The client as it is, but for that."""

    def _engineio_client_class(self) -> type[_Engine]:
        return _Engine
