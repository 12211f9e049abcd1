"""A conversation with a server over the native WebSocket that comes back after every break (`spec/wire.md` §2).

It must not know what is followed, nor how anything is shown.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from headway.errors import ConfigurationError, HeadwayError, NotFound
from headway.worker.discovery import Settings, Target, find

__all__ = ["Away", "Message", "Refused", "find_server", "talk"]

Message = dict[str, Any]

_FIRST_CEILING = 0.5
_LONGEST_CEILING = 10.0
_LOOK_SECONDS = 0.5
_OPEN_SECONDS = 10.0
_UNTIL_WELCOME = 15.0
_MOST_BYTES = 64 * 2**20
_NO_SERVER = (
    "No Headway server was found: start one with headway serve, or name one with --url and --token "
    "(HEADWAY_URL and HEADWAY_TOKEN)"
)


class Refused(ConfigurationError):
    """The server does not take this token."""


class Away(msgspec.Struct, frozen=True):
    """The server cannot be heard just now; it is tried again.

    Attributes:
        reason: in words.
    """

    reason: str


def find_server(url: str | None, token: str | None) -> Target:
    """The server to talk to: named, in the environment, or running for development on this machine.

    Raises:
        ConfigurationError: there is none, or no token for it.
    """
    target = find(Settings(url=url, token=token))
    if target is None:
        raise ConfigurationError(_NO_SERVER)
    if not target.token:
        raise ConfigurationError(
            f"A token is needed for {target.url}: set HEADWAY_TOKEN to one that headway token --user NAME has printed"
        )
    return target


def talk(
    where: Callable[[], Target],
    wanted: Callable[[Message], list[Message]],
    *,
    pause: Callable[[float], object] = time.sleep,
    chance: Callable[[], float] = random.random,
) -> Generator[Message | Away]:
    """Everything the server says, for ever.

    Args:
        where: asked before each connection, since a development server may come back elsewhere.
        wanted: given the `welcome`, what to ask for, from where it was left off.
        pause: waits for so many seconds.
        chance: a number from 0 to 1.

    Raises:
        ConfigurationError: there is no server to begin with, or what answers is none.
        Refused: the token is not good.
        NotFound: what was asked for is not there.
        HeadwayError: the server does not understand us, so repeating ourselves is no use.
    """
    failures = 0
    reached = tried = False
    while True:
        wait: float | None = None
        try:
            target = where()
            tried = True
            with _connected(target) as connection:
                for message in _messages(connection, target, wanted):
                    failures = 0
                    reached = True
                    if message["type"] == "goodbye":
                        wait = message["reconnect_in"]
                    yield message
            reason = "the connection was closed"
        except Refused:
            raise
        except ConfigurationError:
            if not tried:
                raise
            # A development server has gone and left no other; nobody else at its port is to see its token.
            reason = "no server is running"
            # To look for its note costs nobody anything; who waited longer could miss the end of a job.
            wait = _LOOK_SECONDS
        except InvalidStatus as error:
            status = error.response.status_code
            if not reached and 400 <= status < 500:
                raise ConfigurationError(
                    f"What answers at {target.url} is no Headway (HTTP {status})"
                ) from None
            reason = f"{target.url} answers HTTP {status}"
        except (OSError, WebSocketException, msgspec.DecodeError) as error:
            reason = f"{target.url}: {getattr(error, 'strerror', None) or str(error) or type(error).__name__}"
        yield Away(reason)
        # Full jitter, so that many watchers do not come back as one.
        ceiling = min(_LONGEST_CEILING, _FIRST_CEILING * 2 ** min(failures, 10))
        pause(chance() * ceiling if wait is None else wait)
        failures += wait is None


def _connected(target: Target) -> ClientConnection:
    scheme, _, rest = target.url.rstrip("/").partition("://")
    local = urlsplit(target.url).hostname in ("127.0.0.1", "localhost", "::1")
    return connect(
        f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws",
        subprotocols=[Subprotocol("headway.v1")],
        compression=None,
        # The server's heartbeat is watched instead.
        ping_interval=None,
        open_timeout=_OPEN_SECONDS,
        close_timeout=1,
        max_size=_MOST_BYTES,
        proxy=None if local else True,
    )


def _messages(
    connection: ClientConnection, target: Target, wanted: Callable[[Message], list[Message]]
) -> Iterator[Message]:
    _send(connection, {"type": "auth", "token": target.token})
    patience = _UNTIL_WELCOME
    while True:
        message: Message = msgspec.json.decode(connection.recv(timeout=patience))
        if message["type"] == "welcome":
            patience = 2.0 * message["heartbeat"]
            for request in wanted(message):
                _send(connection, request)
        elif message["type"] == "error" and _is_final(message, target):
            return
        yield message


def _is_final(message: Message, target: Target) -> bool:
    """Whether the connection is of no use any more."""
    code = message["code"]
    if code >= 400:
        raise Refused(
            f"{target.url} does not take this token ({message['message']}): get a new one with headway token "
            "--user NAME, and give it with --token or HEADWAY_TOKEN"
        )
    if code == NotFound.code:
        raise NotFound(message["message"])
    if code < 200:
        raise HeadwayError(f"{target.url} refused to answer: {message['message']}")
    return True


def _send(connection: ClientConnection, message: Message) -> None:
    connection.send(msgspec.json.encode(message).decode())
