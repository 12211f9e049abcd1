"""Who is connected: how many connections one user may have, and whose end when a token is revoked."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from headway.errors import TooManyConnections
from headway.model.grant import Grant
from headway.model.token import DIGEST, token_id
from headway.ports.link import Link

__all__ = ["Member", "Members"]


class Member(Link):
    """A link of somebody who is known.

    Attributes:
        grant: of its newest token; None before there is one.
    """

    __slots__ = ("grant",)

    grant: Grant | None

    @abstractmethod
    def mute(self) -> None:
        """Deliver nothing any more; the end follows. Idempotent."""


Index = dict[str, Any]
"""Names to members in order of arrival: to the one, or to a dict of several, since nearly all have one only."""


class Members:
    """Who is connected, by user and by token, in order of arrival."""

    def __init__(self, ceiling: int = 0, *, close_oldest: bool = False) -> None:
        """Nobody is connected.

        Args:
            ceiling: connections of one user; 0 for any number.
            close_oldest: make room for who comes, instead of refusing it.
        """
        self._ceiling = ceiling
        self._close_oldest = close_oldest
        self._users: Index = {}
        self._tokens: Index = {}

    def join(self, grant: Grant, link: Member) -> None:
        """One more connection of a user.

        Raises:
            TooManyConnections: it is one too many.
        """
        if self._ceiling and len(links := _found(self._users, grant.user)) >= self._ceiling:
            error = TooManyConnections(limit=self._ceiling)
            if not self._close_oldest:
                raise error
            oldest = links[0]
            # It leaves by itself when it ends, but one that is cut off already would stand in the way.
            self.leave(oldest)
            oldest.end(error)
        link.grant = grant
        _add(self._users, grant.user, link)
        if grant.id:
            _add(self._tokens, grant.id, link)

    def renew(self, grant: Grant, link: Member) -> None:
        """It goes on with another token of the same user."""
        old = link.grant
        link.grant = grant
        if old is not None and old.id != grant.id:
            _drop(self._tokens, old.id, link)
            if grant.id:
                _add(self._tokens, grant.id, link)

    def leave(self, link: Member) -> None:
        """It has gone. Idempotent."""
        if link.grant is not None:
            _drop(self._users, link.grant.user, link)
            _drop(self._tokens, link.grant.id, link)

    def count(self, user: str) -> int:
        """How many connections this user has."""
        return len(_found(self._users, user))

    def counts(self) -> dict[str, int]:
        """How many connections each user has."""
        return {user: len(held) if isinstance(held, dict) else 1 for user, held in self._users.items()}

    def of_token(self, name: str) -> list[Member]:
        """Those who came with this token.

        Args:
            name: its id, or a digest of that.
        """
        found = _found(self._tokens, name)
        if not found and name.startswith(DIGEST):
            for other in self._tokens:
                if token_id(other) == name:
                    found += _found(self._tokens, other)
        return found

    def of_user(self, user: str, until: float) -> list[Member]:
        """Those of a user whose token was issued until then (Unix seconds), or does not say when."""
        return [
            link
            for link in _found(self._users, user)
            if link.grant is None or link.grant.issued_at is None or link.grant.issued_at <= until
        ]


def _found(index: Index, name: str) -> list[Member]:
    held = index.get(name)
    if held is None:
        return []
    return list(held) if isinstance(held, dict) else [held]


def _add(index: Index, name: str, link: Member) -> None:
    held = index.get(name)
    if held is None:
        index[name] = link
    elif isinstance(held, dict):
        held[link] = None
    elif held is not link:
        index[name] = {held: None, link: None}


def _drop(index: Index, name: str, link: Member) -> None:
    held = index.get(name)
    if held is link:
        del index[name]
    elif isinstance(held, dict):
        held.pop(link, None)
        if not held:
            del index[name]
