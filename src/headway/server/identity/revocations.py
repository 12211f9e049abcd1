"""What was taken back before its time: single tokens, and all tokens of a user up to a moment.

Kept in the store, and in memory where every token is held against it. Each process hears of a revocation by the bus.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from headway.errors import TokenRevoked
from headway.model.grant import Grant
from headway.model.token import token_id as digest_of
from headway.ports.bus import Bus
from headway.ports.store import Document, Store, Writes

__all__ = ["KIND", "Revocation", "Revocations", "Revoked"]

KIND = "revoked"
_SUBJECT = "revoked"
_PAGE = 1000
_TIDY = 1000


class Revocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was taken back: a token or a user, never both.

    Attributes:
        token: the id of a token, a share or a worker key.
        user: all of whose tokens that were issued until `at` are worth nothing.
        at: Unix seconds.
        expires_at: Unix seconds from which on the token is worth nothing anyway; None when that is not known.
        by: the user who did it.
    """

    at: float
    token: str | None = None
    user: str | None = None
    expires_at: float | None = None
    by: str = ""


class Revoked(Protocol):
    """Told of each revocation in every process, so that it ends what goes on."""

    def __call__(self, *, token: str | None, user: str | None, until: float) -> object:
        """Something was taken back.

        Args:
            token: a token's id.
            user: whose tokens.
            until: those that were issued until then, in Unix seconds.
        """


class Revocations:
    """The tokens and users of which something was taken back."""

    def __init__(self, store: Store, bus: Bus, clock: Callable[[], float] = time.time) -> None:
        """Nothing was taken back yet.

        Args:
            clock: Unix seconds.
        """
        self._store = store
        self._bus = bus
        self._clock = clock
        self._tokens: dict[str, float] = {}
        self._users: dict[str, float] = {}
        self._tidy_at = _TIDY
        self.told: Revoked | None = None
        bus.listen(_SUBJECT, self._heard)

    async def open(self) -> None:
        """Learn what was taken back before.

        Raises:
            StoreUnavailable: that cannot be known, so nobody can be let in.
        """
        after = ""
        while page := await self._store.documents(KIND, after=after, limit=_PAGE):
            for document in page:
                self._keep(msgspec.json.decode(document.data, type=Revocation))
            after = page[-1].id

    def check(self, grant: Grant) -> None:
        """Whether a grant still counts.

        Raises:
            TokenRevoked: it does not.
        """
        if self.covers(grant):
            raise TokenRevoked

    def covers(self, grant: Grant) -> bool:
        """Whether a grant was taken back."""
        if self._tokens and (grant.id in self._tokens or (grant.id and digest_of(grant.id) in self._tokens)):
            return True
        # A token that does not say when it was issued may be older than anything.
        return self.covers_user(grant.user, 0.0 if grant.issued_at is None else grant.issued_at)

    def covers_user(self, user: str, at: float) -> bool:
        """Whether what a user had at a moment was taken back since, all of it.

        Args:
            at: Unix seconds.
        """
        until = self._users.get(user)
        return until is not None and at <= until

    async def revoke_token(self, *names: str, expires_at: float | None = None, by: str = "") -> None:
        """Take back one token, a share or a worker key. Idempotent; durable and in force when it returns.

        Args:
            names: all that it may go by: its id, or a digest of that (`headway.model.token`), which does not tell what was meant.
            expires_at: when it expires anyway, in Unix seconds; None when that is not known.

        Raises:
            StoreUnavailable: it could not be made durable; nothing was taken back.
        """
        now = self._clock()
        await self._revoke(
            {f"token:{name}": Revocation(now, token=name, expires_at=expires_at, by=by) for name in names}
        )

    async def revoke_user(self, user: str, *, by: str = "") -> None:
        """Take back all tokens of a user that were issued until now. As `revoke_token` otherwise."""
        await self._revoke({f"user:{user}": Revocation(self._clock(), user=user, by=by)})

    async def _revoke(self, revocations: dict[str, Revocation]) -> None:
        texts = {name: msgspec.json.encode(revocation).decode() for name, revocation in revocations.items()}
        await self._store.write(
            Writes(
                documents=[
                    Document(KIND, name, "", text, _ends(revocations[name])) for name, text in texts.items()
                ]
            )
        )
        for text in texts.values():
            await self._bus.announce(_SUBJECT, text)

    def _heard(self, text: str) -> None:
        revocation = msgspec.json.decode(text, type=Revocation)
        self._keep(revocation)
        if self.told is not None:
            self.told(token=revocation.token, user=revocation.user, until=revocation.at)

    def _keep(self, revocation: Revocation) -> None:
        if revocation.user is not None:
            self._users[revocation.user] = max(revocation.at, self._users.get(revocation.user, 0.0))
        if revocation.token is not None:
            self._tokens[revocation.token] = (
                float("inf") if revocation.expires_at is None else revocation.expires_at
            )
            if len(self._tokens) >= self._tidy_at:
                now = self._clock()
                self._tokens = {name: until for name, until in self._tokens.items() if until > now}
                self._tidy_at = max(_TIDY, 2 * len(self._tokens))


def _ends(revocation: Revocation) -> int | None:
    """Unix milliseconds from which on it need not be kept."""
    return None if revocation.expires_at is None else int(revocation.expires_at * 1000) + 1
