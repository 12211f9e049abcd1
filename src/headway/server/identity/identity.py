"""Who somebody is, whatever they brought; and taking that back. The one place that every door asks."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from headway.model.grant import Grant
from headway.ports.bus import Bus
from headway.ports.store import Store
from headway.server.identity.jwks import KeyUrl
from headway.server.identity.revocations import Revocations
from headway.server.identity.shares import PREFIX as SHARE
from headway.server.identity.shares import Share, Shares
from headway.server.identity.tickets import Tickets
from headway.server.identity.worker_keys import PREFIX as WORKER_KEY
from headway.server.identity.worker_keys import WorkerKeys
from headway.transports.credentials import Brought
from headway.transports.service import Verify

__all__ = ["Identity"]


_RENEWED = "renewed"


class _Renewed(msgspec.Struct, frozen=True):
    token: str
    grant: Grant


class Identity:
    """Tokens, worker keys, share links and tickets in, grants out.

    Attributes:
        revocations: `check`, `covers`, `revoke_token`, `revoke_user`.
        worker_keys: `create`, `all`, `remove`.
        shares: `create`, `all`, `find`.
        tickets: `issue`, `redeem`.
        renewed: told of renewals, in every process.
    """

    def __init__(
        self,
        tokens: Verify,
        store: Store,
        bus: Bus,
        *,
        origins: frozenset[str] = frozenset(),
        urls: Sequence[KeyUrl] = (),
        shares_each: int = 100,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Wire it together; nothing is opened yet.

        Args:
            tokens: verifies a signed token, or whatever else is no worker key.
            origins: whose pages may use tickets that were made for none in particular.
            urls: where keys come from.
            shares_each: share links that a user may have.
            clock: Unix seconds.
        """
        self._tokens = tokens
        self._urls = urls
        self._bus = bus
        self.renewed: Callable[[str, Grant], object] | None = None
        bus.listen(_RENEWED, self._heard)
        self.revocations = Revocations(store, bus, clock)
        self.worker_keys = WorkerKeys(store, bus, clock)
        self.shares = Shares(store, bus, shares_each, clock)
        self.tickets = Tickets(store, origins, clock=clock)

    async def open(self) -> None:
        """Learn what is known; the store is open.

        Raises:
            StoreUnavailable: that cannot be known, so nobody can be let in.
        """
        await self.revocations.open()
        await self.worker_keys.open()
        await self.shares.open()
        for url in self._urls:
            url.open()

    async def close(self) -> None:
        """Let go of everything. Idempotent."""
        await self.worker_keys.close()
        await self.shares.close()
        for url in self._urls:
            await url.close()

    def verify(self, token: str) -> Grant | Awaitable[Grant]:
        """The grant of a token, a worker key or a share link, unless it was revoked; an awaitable when keys must be fetched first.

        Raises:
            Unauthenticated: it is not one of ours, or says something that cannot be; never with its text.
            TokenExpired: it was one.
            TokenRevoked: it was taken back.
        """
        if token.startswith(WORKER_KEY):
            found: Grant | Awaitable[Grant] = self.worker_keys.verify(token)
        elif token.startswith(SHARE):
            found = self.shares.verify(token)
        else:
            found = self._tokens(token)
        if isinstance(found, Grant):
            self.revocations.check(found)
            return found
        return self._checked(found)

    async def redeem(self, brought: Brought) -> Grant:
        """The grant of a ticket, which is worth nothing after that.

        Raises:
            Unauthenticated, OriginRefused, TokenRevoked: see `Tickets.redeem`; or its token was taken back since.
        """
        return await self._checked(self.tickets.redeem(brought))

    async def revoke_key(self, key_id: str, by: str = "") -> None:
        """Revoke a worker key, and end what goes on by it.

        Raises:
            NotFound: there is none.
            StoreUnavailable: it may still count.
        """
        await self.worker_keys.remove(key_id)
        await self.revocations.revoke_token(WORKER_KEY + key_id, by=by)

    async def revoke_share(self, share_id: str, *, owner: str | None, by: str) -> Share:
        """Take back a share link, and end what goes on by it.

        Args:
            owner: whose it must be; anybody's for None.

        Raises:
            NotFound: there is none.
            StoreUnavailable: it may still count.
        """
        share = await self.shares.remove(share_id, owner)
        await self.revocations.revoke_token(SHARE + share_id, expires_at=share.expires_at / 1000, by=by)
        return share

    async def renew(self, token: str, grant: Grant) -> None:
        """Let the streams that came with a token go on with another grant of the same user.

        Args:
            token: what the old one goes by.
        """
        await self._bus.announce(_RENEWED, msgspec.json.encode(_Renewed(token, grant)).decode())

    def _heard(self, text: str) -> None:
        renewed = msgspec.json.decode(text, type=_Renewed)
        if self.renewed is not None:
            self.renewed(renewed.token, renewed.grant)

    async def _checked(self, found: Awaitable[Grant]) -> Grant:
        grant = await found
        # It may have been revoked while we waited.
        self.revocations.check(grant)
        return grant
