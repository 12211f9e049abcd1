"""Tickets: where no header can be set, one stands for a token in an address. Good for seconds, once, and for one origin."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable

import msgspec

from headway.errors import OriginRefused, Unauthenticated
from headway.model.grant import Grant
from headway.ports.store import Document, Store, Writes
from headway.transports.credentials import Brought, origin_allowed

__all__ = ["KIND", "PREFIX", "SECONDS", "Tickets"]

PREFIX = "hwt_"
KIND = "ticket"
SECONDS = 30.0

_MAX_CHARS = 100
_SPENT = "This ticket was used, or is too old; ask for another one"


class _Kept(msgspec.Struct, frozen=True):
    grant: Grant
    origin: str


class Tickets:
    """Tickets that were given out and not used yet."""

    def __init__(
        self,
        store: Store,
        origins: frozenset[str],
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """None yet.

        Args:
            origins: those whose pages may use a ticket that was made for no page in particular.
            seconds: how long one is good.
            clock: Unix seconds.
        """
        self._store = store
        self._origins = origins
        self._seconds = seconds
        self._clock = clock

    async def issue(self, grant: Grant, origin: str) -> tuple[str, float]:
        """A ticket for somebody, and for how many seconds it is good.

        Args:
            origin: of the page that will use it; empty for our own pages and those that are allowed.

        Raises:
            StoreUnavailable: there is none to be had just now.
        """
        ticket = PREFIX + secrets.token_urlsafe(24)
        data = msgspec.json.encode(_Kept(grant, origin.lower())).decode()
        expires_at = int((self._clock() + self._seconds) * 1000)
        # What is kept does not let anybody in.
        await self._store.write(
            Writes(documents=[Document(KIND, _digest(ticket), grant.user, data, expires_at)])
        )
        return ticket, self._seconds

    async def redeem(self, brought: Brought) -> Grant:
        """Take a ticket for the grant that it stands for; it is worth nothing after that.

        Raises:
            Unauthenticated: it is none, was used, or is too old.
            OriginRefused: it was made for another page; whoever it is for can still use it.
            StoreUnavailable: that cannot be known just now.
        """
        ticket = brought.ticket
        if not ticket.startswith(PREFIX) or len(ticket) > _MAX_CHARS:
            raise Unauthenticated(_SPENT)
        name = _digest(ticket)
        document = await self._store.document(KIND, name)
        if document is None or (document.expires_at or 0) <= self._clock() * 1000:
            raise Unauthenticated(_SPENT)
        kept = msgspec.json.decode(document.data, type=_Kept)
        if not self._welcome(kept.origin, brought):
            raise OriginRefused("This ticket was made for pages of another origin")
        if not await self._store.take(KIND, name):
            raise Unauthenticated(_SPENT)
        return kept.grant

    def _welcome(self, origin: str, brought: Brought) -> bool:
        if not origin:
            return origin_allowed(brought.origin, brought.host, self._origins)
        if not brought.origin:
            # Browsers leave it out only when a page asks its own server.
            return origin_allowed(origin, brought.host, frozenset())
        return brought.origin.lower() == origin


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).hexdigest()
