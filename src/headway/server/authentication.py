"""Grants that an application gives by itself, in place of our tokens."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from headway.errors import HeadwayError, InternalError, Unauthenticated
from headway.model.channel import check_pattern, user_channel
from headway.model.grant import Ability, Grant
from headway.model.ids import check_id
from headway.model.token import token_id
from headway.server.identity.verifier import MAX_TOKEN
from headway.transports.service import Verify

__all__ = ["Authenticate", "checked"]

_log = logging.getLogger("headway.login")

Authenticate = Callable[[str], Grant | Awaitable[Grant | None] | None]
"""Gives the grant of a token; None, or an error of ours, when it is worth nothing. Called in the loop: what must wait is
a coroutine function."""


def checked(authenticate: Authenticate) -> Verify:
    """The application's function as our doors use it: whatever it does, nobody comes in by mistake."""

    def verify(token: str) -> Grant | Awaitable[Grant]:
        if not token or len(token) > MAX_TOKEN:
            raise Unauthenticated("The token is too long" if token else None)
        with _guarded():
            given = authenticate(token)
            if not inspect.isawaitable(given):
                return _sound(given, token)
        return later(given, token)

    async def later(given: Awaitable[Grant | None], token: str) -> Grant:
        with _guarded():
            return _sound(await given, token)

    return verify


@contextmanager
def _guarded() -> Iterator[None]:
    """Errors of ours pass; of others the client is told nothing."""
    try:
        yield
    except HeadwayError:
        raise
    except Exception:  # noqa: BLE001 - whatever it raises
        _log.exception("authenticate failed")
        raise InternalError from None


def _sound(grant: Grant | None, token: str) -> Grant:
    if grant is None:
        raise Unauthenticated("The token is not valid here")
    try:
        user_channel(grant.user)
        return replace(
            grant,
            channels=tuple(check_pattern(pattern) for pattern in grant.channels),
            tasks=tuple(check_id(task) for task in grant.tasks),
            can=frozenset(Ability(ability) for ability in grant.can),
            id=grant.id or token_id(token),
        )
    except (HeadwayError, ValueError, TypeError, AttributeError):
        _log.exception("authenticate gave a grant that cannot be one")
        raise InternalError from None
