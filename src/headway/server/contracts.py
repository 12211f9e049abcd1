"""Which contracts of older systems a server speaks, and where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from headway.errors import ConfigurationError, NotFound
from headway.server.answers import answer_error
from headway.server.rest import new_id
from headway.server.settings import Settings
from headway.transports.asgi import Receive, Scope, Send
from headway.transports.contracts.contract import Contract
from headway.transports.contracts.dedup import Dedup
from headway.transports.contracts.notifications import Notifications
from headway.transports.contracts.socketio import SocketIoContract
from headway.transports.contracts.studio import Studio
from headway.transports.contracts.user_tasks import UserTasks
from headway.transports.contracts.voice import Voice
from headway.transports.service import Service
from headway.transports.socketio.endpoint import Endpoint

__all__ = ["DIALECTS", "Contracts", "Dialect"]

Dialect = str | Callable[[Service], Contract]
"""A dialect of ours by its name (`dedup`, or `dedup=/path`), or a function that makes one's own."""


App = Callable[[Scope, Receive, Send], Awaitable[None]]

_ASKED = b"access-control-request-method"


class Contracts:
    """The contracts of a server; each request goes to the first that has its address."""

    def __init__(self, given: Sequence[Dialect], service: Service, settings: Settings, *, open: bool) -> None:  # noqa: A002
        """Make them.

        Args:
            open: whether clients that never had a token are let in by the contracts that know none.

        Raises:
            ConfigurationError: a name is not known, or two of them have the same address.
        """
        self.all = [
            _make(one, service, settings, open=open) if isinstance(one, str) else one(service)
            for one in given
        ]
        taken: dict[tuple[str, str], str] = {}
        for contract in self.all:
            for route in contract.routes:
                address = (route.kind, contract.prefix + route.path)
                other = taken.setdefault(address, contract.name)
                if other is not contract.name:
                    raise ConfigurationError(
                        f"The dialects {other} and {contract.name} both have the address {address[1]}: "
                        f"put one of them below a path of its own, as {contract.name}=/{contract.name}"
                    )

    @property
    def endpoints(self) -> list[Endpoint]:
        """Where Socket.IO is spoken."""
        return [contract.endpoint for contract in self.all if isinstance(contract, SocketIoContract)]

    def find(self, path: str, scope: Scope) -> tuple[App, str] | None:
        """What answers a request, and the path as its contract has it; None when it is for none of them.

        Before a call that a page of another origin may not just make, a browser asks with OPTIONS.

        Args:
            path: below the application's root.
        """
        method = scope.get("method", "")
        asked = dict(scope["headers"]).get(_ASKED, b"").decode("latin-1") if method == "OPTIONS" else ""
        for contract in self.all:
            found = contract.find(scope["type"], method, path)
            if found is not None:
                return partial(contract.serve, *found), path[len(contract.prefix) :]
            if asked and contract.find("http", asked, path) is not None:
                return _nothing, path[len(contract.prefix) :]
        return None


async def _nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
    await answer_error(send, NotFound("There is nothing at this address"))


def _make(given: str, service: Service, settings: Settings, *, open: bool) -> Contract:  # noqa: A002
    name, _, prefix = given.partition("=")
    make = DIALECTS.get(name.strip())
    if make is None:
        raise ConfigurationError(f"There is no dialect {name!r}; there are {', '.join(sorted(DIALECTS))}")
    prefix = prefix.strip().rstrip("/")
    if prefix and not prefix.startswith("/"):
        raise ConfigurationError(f"The path of a dialect begins with a slash, as {name}=/{prefix}")
    return make(service, prefix, settings, open)


def _notifications(service: Service, prefix: str, settings: Settings, _open: bool) -> Contract:
    return Notifications(
        service,
        prefix,
        heartbeat=settings.ws_heartbeat_interval,
        ceiling=settings.ws_max_connections_per_user,
        close_oldest=settings.connections_beyond == "close-oldest",
    )


DIALECTS: dict[str, Callable[[Service, str, Settings, bool], Contract]] = {
    "dedup": lambda service, prefix, _settings, open: Dedup(service, prefix, open=open),  # noqa: A006
    "studio": lambda service, prefix, _settings, open: Studio(service, prefix, open=open, new_id=new_id),  # noqa: A006
    "voice": lambda service, prefix, _settings, _open: Voice(service, prefix),
    "user-tasks": lambda service, prefix, _settings, _open: UserTasks(service, prefix),
    "notifications": _notifications,
}
"""What makes each dialect of ours."""
