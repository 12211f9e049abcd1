"""Worker keys: what producers have in place of a token. Shown once, kept as a digest, limited to channels, revocable."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Annotated

import msgspec

from headway.errors import InvalidField, NotFound, Overloaded, TokenExpired, Unauthenticated
from headway.model.channel import check_pattern
from headway.model.grant import Ability, Grant
from headway.ports.bus import Bus
from headway.ports.store import Store
from headway.server.identity.shelf import Shelf

__all__ = ["KIND", "PREFIX", "WorkerKey", "WorkerKeys", "user_of"]

PREFIX = "hwk_"
KIND = "worker-key"
_MOST = 10_000
_FORM = re.compile(r"hwk_([a-z2-7]{16})_([A-Za-z0-9_-]{43})\Z")
_ABILITIES = frozenset((Ability.PUBLISH, Ability.READ, Ability.CANCEL))
_MAX_CHANNELS = 100


class WorkerKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A worker key, without the key.

    Attributes:
        id: what it goes by.
        name: what for, in words.
        channels: patterns of channels that it opens.
        can: its abilities.
        created_at, expires_at: Unix milliseconds.
        by: the user who made it.
    """

    id: str
    name: str
    channels: tuple[str, ...]
    can: tuple[Ability, ...]
    created_at: int
    expires_at: int | None = None
    by: str = ""


class _Kept(WorkerKey, frozen=True, omit_defaults=True, kw_only=True):
    digest: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]

    @property
    def shown(self) -> WorkerKey:
        return WorkerKey(*(getattr(self, name) for name in WorkerKey.__struct_fields__))


class WorkerKeys:
    """All worker keys. They are few, so every process has them in memory."""

    def __init__(self, store: Store, bus: Bus, clock: Callable[[], float] = time.time) -> None:
        """None yet.

        Args:
            clock: Unix seconds.
        """
        self._clock = clock
        self._shelf = Shelf(store, bus, KIND, _Kept)

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
        """The id of the key that a text is, or that it names; None when there is none."""
        match = _FORM.match(text)
        key_id = match[1] if match else text.removeprefix(PREFIX)
        return key_id if key_id in self._shelf.items else None

    def verify(self, key: str) -> Grant:
        """The grant of a key.

        Raises:
            Unauthenticated: there is no such key, or not any more.
            TokenExpired: there was one.
        """
        match = _FORM.match(key)
        kept = self._shelf.items.get(match[1]) if match else None
        # A digest is made and compared in any case, so that the time tells nothing of which ids there are.
        same = hmac.compare_digest(_digest(key), kept.digest if kept else "0" * 64)
        if kept is None or not same:
            raise Unauthenticated("This worker key is not known here, or was revoked")
        if kept.expires_at is not None and kept.expires_at <= self._clock() * 1000:
            raise TokenExpired("The worker key has expired; make a new one")
        return Grant(
            user=user_of(kept.id),
            channels=kept.channels,
            can=frozenset(kept.can),
            expires_at=None if kept.expires_at is None else kept.expires_at / 1000,
            id=PREFIX + kept.id,
            issued_at=kept.created_at / 1000,
        )

    async def create(
        self,
        name: str,
        channels: Iterable[str],
        *,
        can: Iterable[Ability] = (Ability.PUBLISH,),
        ttl: float | None = None,
        by: str = "",
    ) -> tuple[WorkerKey, str]:
        """Make a key; returns what is known of it, and the key itself, which can not be had again.

        Args:
            ttl: seconds until it expires; None for one that does not.

        Raises:
            InvalidField: no name, no channel, or one that cannot be; or an ability that no worker has.
            Overloaded: there are too many.
            StoreUnavailable: it was not made.
        """
        patterns = tuple(dict.fromkeys(check_pattern(pattern) for pattern in channels))
        abilities = tuple(sorted(set(can)))
        if not name.strip() or len(name) > _MAX_CHANNELS or not name.isprintable():
            raise InvalidField("A key has a name of 1 to 100 characters, for you to know it by", field="name")
        if not 0 < len(patterns) <= _MAX_CHANNELS:
            raise InvalidField("A key opens 1 to 100 channels; * is all of them", field="channels")
        if not abilities or not set(abilities) <= _ABILITIES:
            raise InvalidField("A worker key can publish, read and cancel", field="can")
        now = self._clock()
        self._shelf.items = {
            which: known
            for which, known in self._shelf.items.items()
            if known.expires_at is None or known.expires_at > now * 1000
        }
        if len(self._shelf.items) >= _MOST:
            raise Overloaded("There are as many worker keys as there may be; revoke one first")
        key_id = base64.b32encode(secrets.token_bytes(10)).decode().lower()
        key = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
        kept = _Kept(
            key_id,
            name.strip(),
            patterns,
            abilities,
            int(now * 1000),
            None if ttl is None else int((now + ttl) * 1000),
            by,
            digest=_digest(key),
        )
        await self._shelf.put(key_id, kept, expires_at=kept.expires_at)
        return kept.shown, key

    def all(self) -> tuple[WorkerKey, ...]:
        """Those there are, oldest first."""
        kept = sorted(self._shelf.items.values(), key=lambda kept: (kept.created_at, kept.id))
        return tuple(key.shown for key in kept)

    async def remove(self, key_id: str) -> None:
        """Revoke a key, by its id.

        Raises:
            NotFound: there is none.
            StoreUnavailable: it still counts.
        """
        if key_id not in self._shelf.items:
            raise NotFound("There is no worker key with this id")
        await self._shelf.take(key_id)


def user_of(key_id: str) -> str:
    """Who acts with a key: nobody's name, so that it opens no channel but those that it names."""
    return f"worker-{key_id}"


def _digest(key: str) -> str:
    # The key is 256 bits of chance, so a plain digest cannot be guessed back.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
