"""The application beside us: it gets every path that is not ours.

A WSGI application runs in a pool of threads (a2wsgi), an ASGI one as it is, with its own lifespan.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

import uvicorn
from uvicorn.lifespan.on import LifespanOn

from headway.errors import ConfigurationError
from headway.transports.asgi import Receive, Scope, Send, refuse

__all__ = ["Beside", "load"]

Kind = Literal["wsgi", "asgi"]


class Beside:
    """An application that shares our port."""

    def __init__(self, application: Any, kind: Kind | None = None) -> None:
        """Take an application in.

        Args:
            kind: found out when None, as uvicorn does it.
        """
        if kind is None:
            called = application if inspect.isfunction(application) else type(application).__call__
            kind = "asgi" if inspect.iscoroutinefunction(called) else "wsgi"
        self._is_wsgi = kind == "wsgi"
        if self._is_wsgi:
            from a2wsgi import WSGIMiddleware

            application = WSGIMiddleware(application)
        self._application = application
        self._life: LifespanOn | None = None

    async def start(self) -> None:
        """Start it, if it wants to be started.

        Raises:
            ConfigurationError: it could not.
        """
        if self._is_wsgi:
            return
        config = uvicorn.Config(self._application, interface="asgi3", lifespan="auto", log_config=None)
        config.load()
        life = LifespanOn(config)
        await life.startup()
        if life.should_exit:
            raise ConfigurationError("The application beside Headway did not start; its error is above")
        self._life = life

    async def stop(self) -> None:
        """Stop it. Idempotent."""
        life, self._life = self._life, None
        if life is not None:
            await life.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it answer."""
        if scope["type"] == "websocket" and self._is_wsgi:
            await receive()
            await refuse(scope, send, 404, "There is no WebSocket at this address")
            return
        if self._life is not None:
            scope = {**scope, "state": self._life.state.copy()}
        await self._application(scope, receive, send)


def load(name: str, kind: Kind) -> Beside:
    """The application of a name: `package.module:application`, or `package.module:make()` for one that is made.

    Raises:
        ConfigurationError: there is none.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise ConfigurationError(f"An application is named as module:application, not as {name!r}")
    folder = str(Path.cwd())
    if folder not in sys.path:
        # Where the application is, as for other servers; the program's own folder is there instead.
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise ConfigurationError(f"There is no module {module_name!r} to find {name} in") from None
    found: Any = module
    for part in attribute.removesuffix("()").split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ConfigurationError(f"The module {module_name} has no application {attribute!r}")
    if attribute.endswith("()"):
        found = cast("Callable[[], Any]", found)()
    return Beside(found, kind)
