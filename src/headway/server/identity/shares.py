"""Share links: whoever has one may read one task, or the tasks of one channel, until it ends, and nothing else.

The code is shown once and kept as a digest. What a share goes by is made of that digest, so it tells nothing of the code.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable

import msgspec

from headway.errors import NotFound, Overloaded, TokenExpired, Unauthenticated
from headway.model.grant import Ability, Grant
from headway.ports.bus import Bus
from headway.ports.store import Store
from headway.server.identity.shelf import Shelf

__all__ = ["KIND", "LONGEST", "PREFIX", "Share", "Shares", "grant_of"]

PREFIX = "hws_"
KIND = "share"
LONGEST = 365 * 86_400.0
"""Seconds that a share lasts at most."""

_MOST = 20_000
_FORM = re.compile(r"hws_[A-Za-z0-9_-]{32}\Z")


class Share(msgspec.Struct, frozen=True, omit_defaults=True):
    """A share, without its code.

    Attributes:
        id: what it goes by.
        by: the user who made it.
        task, channel: what it opens; one of them.
        title: for those who list it.
        created_at, expires_at: Unix milliseconds.
    """

    id: str
    by: str
    created_at: int
    expires_at: int
    task: str | None = None
    channel: str | None = None
    title: str = ""


class Shares:
    """All shares. They are small and not many, so every process has them in memory."""

    def __init__(
        self, store: Store, bus: Bus, most_each: int = 100, clock: Callable[[], float] = time.time
    ) -> None:
        """None yet.

        Args:
            most_each: how many a user may have.
            clock: Unix seconds.
        """
        self._most_each = most_each
        self._clock = clock
        self._shelf = Shelf(store, bus, KIND, Share)

    async def open(self) -> None:
        """Learn which there are.

        Raises:
            StoreUnavailable: that cannot be known.
        """
        await self._shelf.open()

    async def close(self) -> None:
        """Let go of everything. Idempotent."""
        await self._shelf.close()

    def named(self, text: str) -> str | None:
        """The id of the share that a code opens, or that a text names; None when there is none."""
        # A code and what it goes by look the same.
        asked = (_id(text), text.removeprefix(PREFIX))
        return next((share_id for share_id in asked if share_id in self._shelf.items), None)

    def find(self, code: str) -> Share:
        """The share that a code opens.

        Raises:
            Unauthenticated: there is none, or not any more.
            TokenExpired: there was one.
        """
        share = self._shelf.items.get(_id(code)) if _FORM.match(code) else None
        if share is None:
            raise Unauthenticated("This share link is not known here, or was taken back")
        if share.expires_at <= self._clock() * 1000:
            raise TokenExpired("This share link has ended")
        return share

    def verify(self, code: str) -> Grant:
        """The grant of a code.

        Raises:
            Unauthenticated, TokenExpired: see `find`.
        """
        return grant_of(self.find(code))

    async def create(self, share: Share) -> tuple[Share, str]:
        """Make a share; returns it with its id, and the code, which cannot be had again.

        Args:
            share: what it is to be; its id does not count.

        Raises:
            Overloaded: this user, or everybody together, has as many as there may be.
            StoreUnavailable: it was not made.
        """
        now = self._clock() * 1000
        self._shelf.items = {
            which: known for which, known in self._shelf.items.items() if known.expires_at > now
        }
        own = sum(known.by == share.by for known in self._shelf.items.values())
        if own >= self._most_each or len(self._shelf.items) >= _MOST:
            raise Overloaded("There are as many share links as there may be; take one back first", limit=own)
        code = PREFIX + secrets.token_urlsafe(24)
        share = msgspec.structs.replace(share, id=_id(code))
        await self._shelf.put(share.id, share, owner=share.by, expires_at=share.expires_at)
        return share, code

    def all(self, by: str | None = None) -> tuple[Share, ...]:
        """Those that have not ended, the newest first.

        Args:
            by: only this user's; everybody's for None.
        """
        now = self._clock() * 1000
        found = (
            share
            for share in self._shelf.items.values()
            if share.expires_at > now and (by is None or share.by == by)
        )
        return tuple(sorted(found, key=lambda share: (-share.created_at, share.id)))

    async def remove(self, share_id: str, by: str | None = None) -> Share:
        """Take a share back; what goes on by it is for `Revocations` to end.

        Args:
            by: whose it must be; anybody's for None.

        Raises:
            NotFound: there is none.
            StoreUnavailable: it still counts.
        """
        share = self._shelf.items.get(share_id)
        if share is None or (by is not None and share.by != by):
            raise NotFound("There is no share link with this id")
        await self._shelf.take(share_id)
        return share


def grant_of(share: Share) -> Grant:
    """What a share allows: to read what it is for."""
    return Grant(
        # Nobody's name, which is in nobody's way.
        user=f"share-{share.id}",
        channels=() if share.channel is None else (share.channel,),
        tasks=() if share.task is None else (share.task,),
        can=frozenset((Ability.READ,)),
        expires_at=share.expires_at / 1000,
        id=PREFIX + share.id,
        issued_at=share.created_at / 1000,
        narrow=True,
    )


def _id(code: str) -> str:
    # The code is 192 bits of chance, so a plain digest cannot be guessed back.
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()[:32]
