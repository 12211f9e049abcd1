"""Who somebody is, whatever they brought; and taking that back. The one place that every door asks."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from headway.errors import NotFound
from headway.model.grant import Grant
from headway.model.token import names_of
from headway.ports.bus import Bus
from headway.ports.store import Store
from headway.server.identity.jwks import KeyUrl
from headway.server.identity.revocations import Revocations
from headway.server.identity.shares import PREFIX as SHARE
from headway.server.identity.shares import Share, Shares
from headway.server.identity.tickets import Tickets
from headway.server.identity.worker_keys import PREFIX as WORKER_KEY
from headway.server.identity.worker_keys import WorkerKeys, user_of
from headway.transports.credentials import Brought
from headway.transports.service import Verify

__all__ = ["Identity", "Taken"]


_RENEWED = "renewed"


class Taken(NamedTuple):
    """What was taken back: a `token`, `user`, `key` or `share`, and what it goes by, which opens nothing."""

    what: str
    which: str


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

    async def revoke(self, text: str, by: str = "") -> list[Taken]:
        """Take back a token, a worker key or a share link, and end what goes on by it.

        Args:
            text: itself, or its id. It is kept nowhere: what may be a token is remembered by its digest.

        Raises:
            StoreUnavailable: it may still count.
        """
        if (key := self.worker_keys.named(text)) is not None:
            return await self.revoke_key(key, by)
        if (share := self.shares.named(text)) is not None:
            await self.revoke_share(share, owner=None, by=by)
            return [Taken("share", share)]
        names = names_of(text)
        await self.revocations.revoke_token(*names, by=by)
        return [Taken("token", names[0])]

    async def revoke_user(self, user: str, by: str = "") -> list[Taken]:
        """Take back all tokens of a user that were issued until now, and all share links that the user made.

        Raises:
            StoreUnavailable: some of it may still count.
        """
        await self.revocations.revoke_user(user, by=by)
        return [Taken("user", user), *await self._revoke_shares_of(user, by)]

    async def revoke_key(self, key_id: str, by: str = "") -> list[Taken]:
        """Revoke a worker key and all share links that were made with it, and end what goes on by them.

        Raises:
            NotFound: there is none.
            StoreUnavailable: some of it may still count.
        """
        await self.worker_keys.remove(key_id)
        await self.revocations.revoke_token(WORKER_KEY + key_id, by=by)
        return [Taken("key", key_id), *await self._revoke_shares_of(user_of(key_id), by)]

    async def _revoke_shares_of(self, user: str, by: str) -> list[Taken]:
        taken = []
        for share in self.shares.all(user):
            # Somebody else may be taking it back just now.
            with suppress(NotFound):
                await self.revoke_share(share.id, owner=user, by=by)
                taken.append(Taken("share", share.id))
        return taken

    async def share(self, grant: Grant, share: Share) -> tuple[Share, str]:
        """Make a share link; see `Shares.create`.

        Raises:
            TokenRevoked: whoever wants it was taken back meanwhile.
            Overloaded, StoreUnavailable: see `Shares.create`.
        """
        self.revocations.check(grant)
        return await self.shares.create(share)

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
        """Let the streams that came with a token go on with another grant of the same user."""
        for name in names_of(token):
            await self._bus.announce(_RENEWED, msgspec.json.encode(_Renewed(name, grant)).decode())

    def _heard(self, text: str) -> None:
        renewed = msgspec.json.decode(text, type=_Renewed)
        if self.renewed is not None:
            self.renewed(renewed.token, renewed.grant)

    async def _checked(self, found: Awaitable[Grant]) -> Grant:
        grant = await found
        # It may have been revoked while we waited.
        self.revocations.check(grant)
        return grant
