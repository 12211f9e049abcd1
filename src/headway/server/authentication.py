"""Grants that an application gives by itself, in place of our tokens."""

from __future__ import annotations

import logging
from collections.abc import Callable

from msgspec.structs import replace

from headway.errors import HeadwayError, InternalError, Unauthenticated
from headway.model.channel import check_pattern, user_channel
from headway.model.grant import Ability, Grant
from headway.model.ids import check_id
from headway.transports.service import Verify

__all__ = ["Authenticate", "checked"]

_log = logging.getLogger("headway.login")

Authenticate = Callable[[str], Grant | None]
"""Gives the grant of a token; None, or an error of ours, when it is worth nothing. Called in the loop: it must not wait."""


def checked(authenticate: Authenticate) -> Verify:
    """The application's function as our doors use it: whatever it does, nobody comes in by mistake."""

    def verify(token: str) -> Grant:
        try:
            grant = authenticate(token)
        except HeadwayError:
            raise
        except Exception:  # noqa: BLE001 - whatever it raises, the client is told nothing of it
            _log.exception("authenticate failed")
            raise InternalError from None
        if grant is None:
            raise Unauthenticated("The token is not valid here")
        try:
            user_channel(grant.user)
            return replace(
                grant,
                channels=tuple(check_pattern(pattern) for pattern in grant.channels),
                tasks=tuple(check_id(task) for task in grant.tasks),
                can=frozenset(Ability(ability) for ability in grant.can),
            )
        except (HeadwayError, ValueError, TypeError, AttributeError):
            _log.exception("authenticate gave a grant that cannot be one")
            raise InternalError from None

    return verify
